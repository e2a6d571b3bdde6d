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
use engine::ports::{Arrival, Episode, Episodes as Port, PortError, PortResult};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// IAM actions on the table `leases`.
pub const PERMISSIONS: &[&str] =
    &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];

/// Handled transitions are remembered for seven days, longer than any queue redelivers.
const TRANSITION_KEEP_S: i64 = 7 * 86_400;
/// An episode that nobody closed is removed after this.
const EPISODE_KEEP_S: i64 = 7 * 86_400;
/// Alarm names that one episode lists. Each write costs a unit for each kilobyte of the item.
const ALARMS_MAX: usize = 200;
/// What all further ones are listed as, so that their arrival still counts; behind every name in letters of ours, so that it stands last.
const FURTHER: &str = "… and further alarms";
/// Their arrival is noted as the end of a step of so many seconds, which spares a write for each one in it. At worst a run
/// more is started than was needed, never one less.
const FURTHER_STEP_S: i64 = 10;
/// Map of alarm names to the moments at which they arrived, in milliseconds.
const ALARMS: &str = "arrivals";
/// Rounds before an episode that opens and closes all the time is given up.
const ROUNDS_MAX: u32 = 4;

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

    /// Adds to the episode that is open and not older than the window. `None` when there is none, it is full, or it has
    /// the alarm from that moment or a later one.
    async fn add(&self, key: &str, name: &str, at: Timestamp, oldest: Timestamp) -> PortResult<Option<Episode>> {
        // Of a full one only the names that it has can come again, and the one that stands for all others.
        let room = if name == FURTHER { "" } else { " AND (size(#alarms) < :max OR attribute_exists(#alarms.#name))" };
        let mut update = self
            .client
            .update_item()
            .update_expression("SET #alarms.#name = :at")
            .condition_expression(format!(
                "opened_at > :oldest AND attribute_exists(#alarms) AND \
                 (attribute_not_exists(#alarms.#name) OR #alarms.#name < :at){room}"
            ))
            .expression_attribute_names("#alarms", ALARMS)
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":at", number(at.as_millisecond()))
            .expression_attribute_values(":oldest", number(oldest.as_millisecond()));
        if !room.is_empty() {
            update = update.expression_attribute_values(":max", number(ALARMS_MAX));
        }
        Ok(self.update(update, key).await?.as_ref().and_then(episode))
    }

    /// Opens an episode unless one that is not older than the window stands there. `None` then.
    async fn begin(
        &self,
        key: &str,
        name: &str,
        at: Timestamp,
        now: Timestamp,
        oldest: Timestamp,
    ) -> PortResult<Option<Episode>> {
        let opened = Episode::opened(now, BTreeMap::from([(name.to_owned(), at)]));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("key", text(key))
            .item("episode_id", text(&opened.id))
            .item("opened_at", number(now.as_millisecond()))
            .item("started", AttributeValue::Bool(false))
            .item(ALARMS, arrivals(&opened.alarms))
            .item(items::EXPIRES_AT, items::expiry(now, EPISODE_KEEP_S))
            .condition_expression("attribute_not_exists(#alarms) OR opened_at <= :oldest")
            .expression_attribute_names("#alarms", ALARMS)
            .expression_attribute_values(":oldest", number(oldest.as_millisecond()));
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

    /// Looks before it writes: a write costs as much as the whole item weighs, also one whose condition does not hold, and
    /// an item takes 1,000 units a second.
    async fn join_one(
        &self,
        key: &str,
        name: &str,
        at: Timestamp,
        now: Timestamp,
        oldest: Timestamp,
    ) -> PortResult<Episode> {
        for _ in 0..ROUNDS_MAX {
            let Some(present) = self.open(key).await?.filter(|present| present.opened_at > oldest) else {
                if let Some(opened) = self.begin(key, name, at, now, oldest).await? {
                    return Ok(opened);
                }
                continue;
            };
            let has_room = present.alarms.len() < ALARMS_MAX || present.alarms.contains_key(name);
            let name = if has_room { name } else { FURTHER };
            if present.alarms.get(name).is_some_and(|last| *last >= at) {
                return Ok(present);
            }
            let at = if has_room { at } else { end_of_step(at) };
            if let Some(joined) = self.add(key, name, at, oldest).await? {
                return Ok(joined);
            }
            // It was closed, filled or told of this alarm between the look and the write.
        }
        Err(PortError::Conflict {
            operation: format!("dynamodb:UpdateItem on {}", self.table),
            why: format!("{key} opened and closed {ROUNDS_MAX} times in a row"),
        })
    }

    async fn delete(&self, key: &str, condition: &str, values: HashMap<String, AttributeValue>) -> PortResult<bool> {
        let names_alarms = condition.contains("#alarms");
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("key", text(key))
            .condition_expression(condition)
            .set_expression_attribute_names(
                names_alarms.then(|| HashMap::from([("#alarms".to_owned(), ALARMS.to_owned())])),
            )
            .set_expression_attribute_values(Some(values));
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(port_error("dynamodb:DeleteItem", &self.table, &error)),
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
    async fn join(
        &self,
        key: &str,
        alarms: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        window_s: u32,
    ) -> PortResult<Episode> {
        let oldest = now.checked_sub(SignedDuration::from_secs(i64::from(window_s))).unwrap_or(Timestamp::MIN);
        let mut joined = None;
        for (name, at) in alarms {
            joined = Some(self.join_one(key, name, *at, now, oldest).await?);
        }
        joined.ok_or_else(|| PortError::Rejected {
            operation: format!("dynamodb:UpdateItem on {}", self.table),
            why: format!("no alarm was given to join {key}"),
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
        let values = HashMap::from([(":id".to_owned(), text(episode_id))]);
        self.delete(key, "episode_id = :id", values).await.map(|_| ())
    }

    async fn replace(&self, key: &str, read: &Episode, next: Option<&Episode>) -> PortResult<bool> {
        let condition = "episode_id = :id AND #alarms = :read";
        let Some(next) = next else {
            let values =
                HashMap::from([(":id".to_owned(), text(&read.id)), (":read".to_owned(), arrivals(&read.alarms))]);
            return self.delete(key, condition, values).await;
        };
        let update = self
            .client
            .update_item()
            .update_expression(
                "SET episode_id = :next, opened_at = :opened_at, started = :started, #alarms = :alarms, #expires = :expires",
            )
            .condition_expression(condition)
            .expression_attribute_names("#alarms", ALARMS)
            .expression_attribute_names("#expires", items::EXPIRES_AT)
            .expression_attribute_values(":id", text(&read.id))
            .expression_attribute_values(":read", arrivals(&read.alarms))
            .expression_attribute_values(":next", text(&next.id))
            .expression_attribute_values(":opened_at", number(next.opened_at.as_millisecond()))
            .expression_attribute_values(":started", AttributeValue::Bool(next.started))
            .expression_attribute_values(":alarms", arrivals(&next.alarms))
            .expression_attribute_values(":expires", items::expiry(next.opened_at, EPISODE_KEEP_S));
        Ok(self.update(update, key).await?.is_some())
    }

    async fn arrive(&self, transition: &str, now: Timestamp) -> PortResult<Arrival> {
        let update = self
            .client
            .update_item()
            .update_expression(
                "SET arrived_at = if_not_exists(arrived_at, :now), #expires = if_not_exists(#expires, :expires)",
            )
            .expression_attribute_names("#expires", items::EXPIRES_AT)
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":expires", items::expiry(now, TRANSITION_KEEP_S));
        let item = self.update(update, &transition_key(transition)).await?.unwrap_or_default();
        let first = get_number(&item, "arrived_at").and_then(|at| Timestamp::from_millisecond(at).ok());
        Ok(Arrival { at: first.unwrap_or(now), handled: item.contains_key("seen_at") })
    }

    async fn remember(&self, transition: &str, now: Timestamp) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .update_expression("SET seen_at = :now, #expires = :expires")
            .expression_attribute_names("#expires", items::EXPIRES_AT)
            .expression_attribute_values(":now", items::time(now))
            .expression_attribute_values(":expires", items::expiry(now, TRANSITION_KEEP_S));
        self.update(update, &transition_key(transition)).await.map(|_| ())
    }
}

/// The end of the step that a moment lies in; a moment that ends one stays.
fn end_of_step(at: Timestamp) -> Timestamp {
    let (step_ms, at_ms) = (FURTHER_STEP_S * 1_000, at.as_millisecond());
    Timestamp::from_millisecond(at_ms + (-at_ms).rem_euclid(step_ms)).unwrap_or(at)
}

/// The engine may or may not have put the prefix there.
fn transition_key(transition: &str) -> String {
    if transition.starts_with("transition#") { transition.to_owned() } else { format!("transition#{transition}") }
}

fn arrivals(alarms: &BTreeMap<String, Timestamp>) -> AttributeValue {
    AttributeValue::M(alarms.iter().map(|(name, at)| (name.clone(), number(at.as_millisecond()))).collect())
}

fn episode(item: &Item) -> Option<Episode> {
    let arrivals = item.get(ALARMS)?.as_m().ok()?;
    Some(Episode {
        id: get_text(item, "episode_id")?.to_owned(),
        opened_at: Timestamp::from_millisecond(get_number(item, "opened_at")?).ok()?,
        alarms: arrivals
            .keys()
            .map(|name| Some((name.clone(), Timestamp::from_millisecond(get_number(arrivals, name)?).ok()?)))
            .collect::<Option<_>>()?,
        started: item.get("started").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false),
    })
}

#[cfg(test)]
mod tests;
