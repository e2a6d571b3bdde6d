//! Leases in DynamoDB, table `leases` (partition key `key`): one writer per application and cycle.
//!
//! A released lease keeps its row, so the fencing token only ever grows; such a row has no time to live. The row keeps the newest
//! iteration under way as well, and the fence under which it is: one of another fence, or none, as in a row of an earlier
//! version, holds nobody up.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{Item, get_number, get_text, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::ids::ExecutionId;
use engine::ports::{Lease, LeaseAnswer, Leases as Port, PortError, PortResult, Renewal};
use engine::runtime::BUILD;
use jiff::{SignedDuration, Timestamp};

/// IAM actions on the table `leases`.
pub const PERMISSIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:UpdateItem"];

const ACTION: &str = "dynamodb:UpdateItem";
/// What renewing a lease and announcing a change write: the iteration.
pub(crate) const AT_ITERATION: &str = "at_iteration = :iteration, at_fence = :fence";
/// On what condition: the lease is held under this fence, and no later iteration is under way.
pub(crate) const HELD_AT_ITERATION: &str = "holder = :holder AND fence = :fence AND (attribute_not_exists(at_iteration) \
   OR at_fence <> :fence OR at_iteration <= :iteration)";
/// Rounds of take-over and renewal before a lease that changes hands all the time is given up.
const ROUNDS_MAX: u32 = 3;

/// See [`engine::ports::Leases`].
#[derive(Clone, Debug)]
pub struct Leases {
    client: Lazy<Client>,
    table: String,
}

/// What a conditional update came to.
enum Updated {
    /// The condition held; the item as it is now.
    Done(Item),
    /// It did not; the item that stands there, if any.
    Refused(Option<Item>),
}

impl Leases {
    /// The leases in this table.
    pub fn new(clients: &Clients, table: impl Into<String>) -> Self {
        Self { client: clients.dynamodb(), table: table.into() }
    }

    /// Takes a lease that nobody holds, or that another holder let expire, and raises the fence.
    async fn take(&self, key: &str, holder: &ExecutionId, now: Timestamp, until: Timestamp) -> PortResult<Updated> {
        let update = self
            .client
            .update_item()
            .update_expression("SET holder = :holder, lease_until = :until, builds = :build ADD fence :one")
            .condition_expression("attribute_not_exists(holder) OR (lease_until <= :now AND holder <> :holder)")
            .expression_attribute_values(":holder", text(holder.as_str()))
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":now", number(now.as_millisecond()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":build", build());
        self.send(update, key).await
    }

    async fn extend(&self, key: &str, holder: &ExecutionId, fence: u64, until: Timestamp) -> PortResult<Updated> {
        let update = self
            .client
            .update_item()
            .update_expression("SET lease_until = :until ADD builds :build")
            .condition_expression("holder = :holder AND fence = :fence")
            .expression_attribute_values(":holder", text(holder.as_str()))
            .expression_attribute_values(":fence", number(fence))
            .expression_attribute_values(":until", number(until.as_millisecond()))
            .expression_attribute_values(":build", build());
        self.send(update, key).await
    }

    async fn send(
        &self,
        update: aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder,
        key: &str,
    ) -> PortResult<Updated> {
        let result = update
            .table_name(&self.table)
            .key("key", text(key))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(output) => Ok(Updated::Done(output.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                    refused,
                )) => Ok(Updated::Refused(refused.item.clone())),
                _ => Err(port_error(ACTION, &self.table, &error)),
            },
        }
    }

    fn conflict(&self, why: String) -> PortError {
        PortError::Conflict { operation: format!("{ACTION} on {}", self.table), why }
    }
}

#[async_trait]
impl Port for Leases {
    async fn acquire(&self, key: &str, holder: &ExecutionId, now: Timestamp, ttl_s: u32) -> PortResult<LeaseAnswer> {
        let until = after(now, ttl_s);
        for _ in 0..ROUNDS_MAX {
            let present = match self.take(key, holder, now, until).await? {
                Updated::Done(item) => return lease(&item).map(LeaseAnswer::Held).ok_or_else(|| self.unreadable(key)),
                Updated::Refused(item) => item.as_ref().and_then(lease),
            };
            // Nothing readable stands there: it was released between the two looks, or is not ours to understand.
            let Some(present) = present else { continue };
            if present.holder != *holder {
                return Ok(LeaseAnswer::Busy(present));
            }
            if let Updated::Done(item) = self.extend(key, holder, present.fence, until).await? {
                return lease(&item).map(LeaseAnswer::Held).ok_or_else(|| self.unreadable(key));
            }
        }
        Err(self.conflict(format!("{key} changed hands {ROUNDS_MAX} times in a row")))
    }

    async fn renew(&self, key: &str, held: &Lease, iteration: u32, now: Timestamp, ttl_s: u32) -> PortResult<Renewal> {
        let update = self
            .client
            .update_item()
            .update_expression(format!("SET lease_until = :until, {AT_ITERATION} ADD builds :build"))
            .condition_expression(HELD_AT_ITERATION)
            .expression_attribute_values(":holder", text(held.holder.as_str()))
            .expression_attribute_values(":fence", number(held.fence))
            .expression_attribute_values(":iteration", number(iteration))
            .expression_attribute_values(":until", number(after(now, ttl_s).as_millisecond()))
            .expression_attribute_values(":build", build());
        match self.send(update, key).await? {
            Updated::Done(item) => lease(&item).map(Renewal::Held).ok_or_else(|| self.unreadable(key)),
            Updated::Refused(item) => {
                let newest = item.as_ref().and_then(|row| later(row, &held.holder, held.fence, iteration));
                if let Some(newest) = newest {
                    return Ok(Renewal::Overtaken { newest });
                }
                let found = item.as_ref().and_then(lease).map_or_else(
                    || "nobody".to_owned(),
                    |lease| format!("{} with fence {}", lease.holder, lease.fence),
                );
                Err(self.conflict(format!("{} lost {key} (fence {}): it is held by {found}", held.holder, held.fence)))
            }
        }
    }

    async fn take_over(
        &self,
        key: &str,
        dead: &Lease,
        holder: &ExecutionId,
        now: Timestamp,
        ttl_s: u32,
    ) -> PortResult<LeaseAnswer> {
        let update = self
            .client
            .update_item()
            .update_expression("SET holder = :holder, lease_until = :until, builds = :build ADD fence :one")
            .condition_expression("holder = :dead AND fence = :fence")
            .expression_attribute_values(":holder", text(holder.as_str()))
            .expression_attribute_values(":until", number(after(now, ttl_s).as_millisecond()))
            .expression_attribute_values(":dead", text(dead.holder.as_str()))
            .expression_attribute_values(":fence", number(dead.fence))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":build", build());
        match self.send(update, key).await? {
            Updated::Done(item) => lease(&item).map(LeaseAnswer::Held).ok_or_else(|| self.unreadable(key)),
            // Somebody was faster, maybe this very call the first time.
            Updated::Refused(_) => self.acquire(key, holder, now, ttl_s).await,
        }
    }

    async fn release(&self, key: &str, holder: &ExecutionId) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .update_expression("REMOVE holder, lease_until")
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", text(holder.as_str()));
        self.send(update, key).await.map(|_| ())
    }

    async fn holder(&self, key: &str) -> PortResult<Option<Lease>> {
        let get = self.client.get_item().table_name(&self.table).key("key", text(key)).consistent_read(true);
        let output = get.send().await.map_err(|error| port_error("dynamodb:GetItem", &self.table, &error))?;
        Ok(output.item.as_ref().and_then(lease))
    }
}

impl Leases {
    fn unreadable(&self, key: &str) -> PortError {
        PortError::Rejected {
            operation: format!("{ACTION} on {}", self.table),
            why: format!("the item {key} is not a lease"),
        }
    }
}

/// The iteration that is under way under a lease of this holder and fence, where it comes after this one.
pub(crate) fn later(row: &Item, holder: &ExecutionId, fence: u64, iteration: u32) -> Option<u32> {
    let is_held = get_text(row, "holder") == Some(holder.as_str());
    let fences = ["fence", "at_fence"].map(|name| get_number::<u64>(row, name));
    let newest = get_number(row, "at_iteration")?;
    (is_held && fences == [Some(fence); 2] && newest > iteration).then_some(newest)
}

fn lease(item: &Item) -> Option<Lease> {
    Some(Lease {
        holder: ExecutionId::from(get_text(item, "holder")?),
        fence: get_number(item, "fence")?,
        expires_at: Timestamp::from_millisecond(get_number(item, "lease_until")?).ok()?,
        // A row of an earlier version has none.
        builds: item.get("builds").and_then(|set| set.as_ss().ok()).into_iter().flatten().cloned().collect(),
    })
}

/// The build of this process, as a set of one.
fn build() -> AttributeValue {
    AttributeValue::Ss(vec![BUILD.to_owned()])
}

fn after(now: Timestamp, ttl_s: u32) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(i64::from(ttl_s))).unwrap_or(Timestamp::MAX)
}
