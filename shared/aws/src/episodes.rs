//! Alarm episodes and handled transitions in DynamoDB, table `leases`: many alarms, one run.
//!
//! The conditional write that opens an episode is what makes two alarms of one minute into one run.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{self, Item, get_number, get_text, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use engine::ports::{Episode, Episodes as Port, PortError, PortResult};
use jiff::{SignedDuration, Timestamp};

/// IAM actions on the table `leases`.
pub const PERMISSIONS: &[&str] =
    &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];

/// Handled transitions are remembered for seven days, longer than any queue redelivers.
const TRANSITION_KEEP_S: i64 = 7 * 86_400;
/// An episode that nobody closed is removed after this.
const EPISODE_KEEP_S: i64 = 7 * 86_400;
/// Alarm names that one episode lists: an item holds 400 KB, a name may have 255 characters.
const ALARMS_MAX: u32 = 1_000;
/// Rounds before an episode that opens and closes all the time is given up.
const ROUNDS_MAX: u32 = 3;

/// See [`engine::ports::Episodes`].
#[derive(Clone, Debug)]
pub struct Episodes {
    client: Lazy<Client>,
    table: String,
}

impl Episodes {
    /// The episodes in this table.
    pub fn new(clients: &Clients, table: impl Into<String>) -> Self {
        Self { client: clients.dynamodb(), table: table.into() }
    }

    async fn get(&self, key: &str) -> PortResult<Option<Item>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("key", text(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error("dynamodb:GetItem", &self.table, &error))?;
        Ok(output.item)
    }

    /// Adds to the episode that is open and not older than the window. `None` when there is none, or it is full.
    async fn add(&self, key: &str, alarms: &[String], oldest: Timestamp) -> PortResult<Option<Episode>> {
        let update = self
            .client
            .update_item()
            .update_expression("ADD alarms :alarms")
            .condition_expression("opened_at > :oldest AND size(alarms) < :max")
            .expression_attribute_values(":alarms", AttributeValue::Ss(alarms.to_vec()))
            .expression_attribute_values(":oldest", number(oldest.as_millisecond()))
            .expression_attribute_values(":max", number(ALARMS_MAX));
        Ok(self.update(update, key).await?.as_ref().and_then(episode))
    }

    /// Opens an episode unless one that is not older than the window stands there. `None` then.
    async fn begin(
        &self,
        key: &str,
        alarms: &[String],
        now: Timestamp,
        oldest: Timestamp,
    ) -> PortResult<Option<Episode>> {
        let opened = Episode {
            id: now.strftime("%Y%m%dT%H%M%S%3f").to_string(),
            opened_at: now,
            alarms: alarms.to_vec(),
            started: false,
        };
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("key", text(key))
            .item("episode_id", text(&opened.id))
            .item("opened_at", number(now.as_millisecond()))
            .item("started", AttributeValue::Bool(false))
            .item(items::EXPIRES_AT, items::expiry(now, EPISODE_KEEP_S))
            .condition_expression("attribute_not_exists(opened_at) OR opened_at <= :oldest")
            .expression_attribute_values(":oldest", number(oldest.as_millisecond()));
        if !alarms.is_empty() {
            put = put.item("alarms", AttributeValue::Ss(alarms.to_vec()));
        }
        match put.send().await {
            Ok(_) => Ok(Some(opened)),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(port_error("dynamodb:PutItem", &self.table, &error)),
        }
    }

    /// The item after the update; `None` when its condition did not hold.
    async fn update(&self, update: UpdateItemFluentBuilder, key: &str) -> PortResult<Option<Item>> {
        let result =
            update.table_name(&self.table).key("key", text(key)).return_values(ReturnValue::AllNew).send().await;
        match result {
            Ok(output) => Ok(Some(output.attributes.unwrap_or_default())),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(None)
            }
            Err(error) => Err(port_error("dynamodb:UpdateItem", &self.table, &error)),
        }
    }
}

#[async_trait]
impl Port for Episodes {
    async fn join(&self, key: &str, alarms: &[String], now: Timestamp, window_s: u32) -> PortResult<Episode> {
        let mut alarms = alarms.to_vec();
        alarms.sort_unstable();
        alarms.dedup();
        alarms.truncate(usize::try_from(ALARMS_MAX).unwrap_or(usize::MAX));
        let oldest = now.checked_sub(SignedDuration::from_secs(i64::from(window_s))).unwrap_or(Timestamp::MIN);
        for _ in 0..ROUNDS_MAX {
            if !alarms.is_empty()
                && let Some(joined) = self.add(key, &alarms, oldest).await?
            {
                return Ok(joined);
            }
            if let Some(opened) = self.begin(key, &alarms, now, oldest).await? {
                return Ok(opened);
            }
            // One stands there: full, without any alarm name so far, or opened between the two looks.
            if let Some(present) = self.open(key).await?.filter(|present| present.opened_at > oldest)
                && (alarms.is_empty() || present.alarms.len() >= usize::try_from(ALARMS_MAX).unwrap_or(usize::MAX))
            {
                return Ok(present);
            }
        }
        Err(PortError::Conflict {
            operation: format!("dynamodb:UpdateItem on {}", self.table),
            why: format!("{key} opened and closed {ROUNDS_MAX} times in a row"),
        })
    }

    async fn mark_started(&self, key: &str, episode_id: &str) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .update_expression("SET started = :true")
            .condition_expression("episode_id = :id")
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":id", text(episode_id));
        // An episode that was closed meanwhile needs no mark.
        self.update(update, key).await.map(|_| ())
    }

    async fn open(&self, key: &str) -> PortResult<Option<Episode>> {
        Ok(self.get(key).await?.as_ref().and_then(episode))
    }

    async fn close(&self, key: &str, episode_id: &str) -> PortResult<()> {
        let result = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("key", text(key))
            .condition_expression("episode_id = :id")
            .expression_attribute_values(":id", text(episode_id))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(port_error("dynamodb:DeleteItem", &self.table, &error)),
        }
    }

    async fn seen(&self, transition: &str) -> PortResult<bool> {
        Ok(self.get(&transition_key(transition)).await?.is_some())
    }

    async fn remember(&self, transition: &str, now: Timestamp) -> PortResult<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("key", text(transition_key(transition)))
            .item("seen_at", items::time(now))
            .item(items::EXPIRES_AT, items::expiry(now, TRANSITION_KEEP_S))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error("dynamodb:PutItem", &self.table, &error))
    }
}

/// The engine may or may not have put the prefix there.
fn transition_key(transition: &str) -> String {
    if transition.starts_with("transition#") { transition.to_owned() } else { format!("transition#{transition}") }
}

fn episode(item: &Item) -> Option<Episode> {
    let mut alarms = item.get("alarms").and_then(|value| value.as_ss().ok()).cloned().unwrap_or_default();
    alarms.sort_unstable();
    Some(Episode {
        id: get_text(item, "episode_id")?.to_owned(),
        opened_at: Timestamp::from_millisecond(get_number(item, "opened_at")?).ok()?,
        alarms,
        started: item.get("started").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
    })
}
