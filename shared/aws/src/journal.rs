//! The write-ahead journal in DynamoDB, table `changes` (partition key `app`, sort key `change_id`).
//!
//! An intent is written in one transaction with the row of the lease: a holder that was paused and lost its lease can't
//! write any more, and neither can an iteration once a later one is under way. What the states mean, and who may move them, is the engine's to know.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{self, Item, number, text};
use crate::leases::{AT_ITERATION, HELD_AT_ITERATION, later};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::ids::{AppId, ChangeId};
use engine::ports::{Entry, EntryState, Intent, Journal as Port, PortError, PortResult};
use engine::run::lease_key;
use jiff::Timestamp;

/// IAM actions on the table `changes`.
pub const PERMISSIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"];
/// IAM actions on the table `leases`.
pub const LEASE_PERMISSIONS: &[&str] = &["dynamodb:UpdateItem"];

/// See [`engine::ports::Journal`].
#[derive(Clone, Debug)]
pub struct Journal {
    client: Lazy<Client>,
    changes: String,
    leases: String,
}

impl Journal {
    /// The journal in the table `changes`, whose intents need the lease of their cycle in the table `leases`.
    pub fn new(clients: &Clients, changes: impl Into<String>, leases: impl Into<String>) -> Self {
        Self { client: clients.dynamodb(), changes: changes.into(), leases: leases.into() }
    }

    async fn read(&self, app: &AppId, id: &ChangeId) -> PortResult<Option<Item>> {
        let action = "dynamodb:GetItem";
        let output = self
            .client
            .get_item()
            .table_name(&self.changes)
            .key("app", text(app.as_str()))
            .key("change_id", text(id.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(action, &self.changes, &error))?;
        Ok(output.item)
    }

    /// The claim: the lease is held under this fence, and no later iteration is under way.
    fn claim(&self, entry: &Entry) -> PortResult<Update> {
        Update::builder()
            .table_name(&self.leases)
            .key("key", text(lease_key(entry.workflow.cycle(), &entry.app)))
            .update_expression(format!("SET {AT_ITERATION}"))
            .condition_expression(HELD_AT_ITERATION)
            .expression_attribute_values(":holder", text(entry.execution.as_str()))
            .expression_attribute_values(":fence", number(entry.fence))
            .expression_attribute_values(":iteration", number(entry.iteration))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| unbuilt(&error))
    }

    fn new_entry(&self, entry: &Entry) -> PortResult<Put> {
        Put::builder()
            .table_name(&self.changes)
            .set_item(Some(item(entry)?))
            .condition_expression("attribute_not_exists(change_id)")
            .build()
            .map_err(|error| unbuilt(&error))
    }
}

#[async_trait]
impl Port for Journal {
    async fn intend(&self, entry: &Entry) -> PortResult<Intent> {
        let action = "dynamodb:PutItem";
        let result = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(self.claim(entry)?).build())
            .transact_items(TransactWriteItem::builder().put(self.new_entry(entry)?).build())
            .send()
            .await;
        let Err(error) = result else { return Ok(Intent::Written) };
        let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = error.as_service_error() else {
            return Err(port_error(action, &self.changes, &error));
        };
        let codes: Vec<&str> =
            canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
        match codes.as_slice() {
            ["ConditionalCheckFailed", ..] => {
                let row = canceled.cancellation_reasons().first().and_then(|reason| reason.item());
                match row.and_then(|row| later(row, &entry.execution, entry.fence, entry.iteration)) {
                    Some(newest) => Ok(Intent::Overtaken { newest }),
                    None => Err(PortError::Conflict {
                        operation: format!("{action} on {}", self.changes),
                        why: format!(
                            "{} no longer holds the lease on {} with fence {}",
                            entry.execution, entry.app, entry.fence
                        ),
                    }),
                }
            }
            // Found by the second condition: it stood there before this call.
            [_, "ConditionalCheckFailed", ..] => match self.read(&entry.app, entry.id()).await? {
                Some(present) => Ok(Intent::Present(Box::new(items::parse(&present, action)?))),
                None => Err(PortError::Conflict {
                    operation: format!("{action} on {}", self.changes),
                    why: format!("the entry {} was there and is gone", entry.id()),
                }),
            },
            codes
                if codes.iter().any(|code| {
                    matches!(*code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
                }) =>
            {
                Err(PortError::Throttled { operation: format!("{action} on {}", self.changes) })
            }
            codes => Err(PortError::Rejected {
                operation: format!("{action} on {}", self.changes),
                why: format!("the transaction was cancelled: {}", codes.join(", ")),
            }),
        }
    }

    async fn advance(&self, from: EntryState, entry: &Entry) -> PortResult<()> {
        let action = "dynamodb:PutItem";
        let wanted = item(entry)?;
        let result = self
            .client
            .put_item()
            .table_name(&self.changes)
            .set_item(Some(wanted.clone()))
            .condition_expression("#state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", text(state_name(from)))
            .send()
            .await;
        let Err(error) = result else { return Ok(()) };
        if !error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) {
            return Err(port_error(action, &self.changes, &error));
        }
        // The SDK repeats a write whose answer was lost, and then the condition fails on our own entry.
        let found = self.read(&entry.app, entry.id()).await?;
        if found.as_ref().and_then(|found| found.get(items::RECORD)) == wanted.get(items::RECORD) {
            return Ok(());
        }
        let found = found.as_ref().and_then(|found| items::get_text(found, "state")).unwrap_or("missing");
        Err(PortError::Conflict {
            operation: format!("{action} on {}", self.changes),
            why: format!("{} is {found}, not {}", entry.id(), state_name(from)),
        })
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Entry>> {
        let action = "dynamodb:Query";
        let mut pages = self
            .client
            .query()
            .table_name(&self.changes)
            .consistent_read(true)
            .key_condition_expression("app = :app")
            .filter_expression("intended_at >= :from")
            .expression_attribute_values(":app", text(app.as_str()))
            .expression_attribute_values(":from", items::time(from))
            .into_paginator()
            .items()
            .send();
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| port_error(action, &self.changes, &error))?;
            entries.push(items::parse(&item, action)?);
        }
        entries.retain(|entry| entry.intended_at >= from);
        entries.sort_by(|a, b| a.intended_at.cmp(&b.intended_at).then_with(|| a.id().cmp(b.id())));
        Ok(entries)
    }
}

fn item(entry: &Entry) -> PortResult<Item> {
    let operation = "dynamodb:PutItem";
    let mut item = Item::from([
        ("app".to_owned(), text(entry.app.as_str())),
        ("change_id".to_owned(), text(entry.id().as_str())),
        ("state".to_owned(), text(state_name(entry.state))),
        ("kind".to_owned(), text(entry.change.action.spec().name)),
        ("resource".to_owned(), text(entry.change.resource.as_str())),
        ("execution_id".to_owned(), text(entry.execution.as_str())),
        ("fence".to_owned(), number(entry.fence)),
        ("intended_at".to_owned(), items::time(entry.intended_at)),
        (items::RECORD.to_owned(), items::record(entry, operation)?),
    ]);
    // What is open must never expire: the next run has to settle it.
    if !entry.state.is_open() {
        item.insert(items::EXPIRES_AT.to_owned(), items::expiry(entry.intended_at, items::KEEP_RECORDS_S));
    }
    Ok(item)
}

/// The state as its JSON form has it.
fn state_name(state: EntryState) -> &'static str {
    match state {
        EntryState::Intended => "intended",
        EntryState::Applied => "applied",
        EntryState::NotApplied => "not_applied",
        EntryState::Kept => "kept",
        EntryState::UndoIntended => "undo_intended",
        EntryState::Undone => "undone",
        EntryState::Superseded => "superseded",
    }
}

fn unbuilt(error: &aws_sdk_dynamodb::error::BuildError) -> PortError {
    PortError::Rejected { operation: "dynamodb:PutItem".to_owned(), why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_attribute_is_the_name_in_the_record() {
        for state in [
            EntryState::Intended,
            EntryState::Applied,
            EntryState::NotApplied,
            EntryState::Kept,
            EntryState::UndoIntended,
            EntryState::Undone,
            EntryState::Superseded,
        ] {
            assert_eq!(serde_json::to_value(state).unwrap(), state_name(state));
        }
    }
}
