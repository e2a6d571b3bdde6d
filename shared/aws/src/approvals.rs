//! Questions to people in DynamoDB, table `approvals` (partition key `app`, sort key `request_id`; index `by_state` over
//! `state` and `asked_at`). The task token lies beside the record, never in it.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{self, Item, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use domain::approval::{Request, RequestState};
use domain::ids::{AppId, RequestId};
use engine::ports::{Approvals as Port, Asked, PortError, PortResult};
use jiff::Timestamp;

/// IAM actions on the table `approvals`.
pub const PERMISSIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"];

const PUT: &str = "dynamodb:PutItem";
const GET: &str = "dynamodb:GetItem";
const QUERY: &str = "dynamodb:Query";
const UPDATE: &str = "dynamodb:UpdateItem";
/// Index of the requests by state.
const BY_STATE: &str = "by_state";
const TOKEN: &str = "task_token";

/// See [`engine::ports::Approvals`].
#[derive(Clone, Debug)]
pub struct Approvals {
    client: Lazy<Client>,
    table: String,
}

impl Approvals {
    /// The questions in this table.
    pub fn new(clients: &Clients, table: impl Into<String>) -> Self {
        Self { client: clients.dynamodb(), table: table.into() }
    }

    /// The token of a repeated asking, as long as nobody has answered.
    async fn retoken(&self, request: &Request, task_token: &str) -> PortResult<()> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("app", text(request.app.as_str()))
            .key("request_id", text(request.id.as_str()))
            .update_expression("SET #token = :token")
            .condition_expression("#state = :open")
            .expression_attribute_names("#token", TOKEN)
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":token", text(task_token))
            .expression_attribute_values(":open", text(state_name(RequestState::Open)))
            .send()
            .await;
        match result {
            Err(error)
                if !error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Err(port_error(UPDATE, &self.table, &error))
            }
            // Answered meanwhile: the run finds the answer.
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Port for Approvals {
    async fn ask(&self, request: &Request, task_token: &str) -> PortResult<Request> {
        let mut item = item(request)?;
        item.insert(TOKEN.to_owned(), text(task_token));
        let result = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(request_id)")
            .send()
            .await;
        match result {
            Ok(_) => return Ok(request.clone()),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {}
            Err(error) => return Err(port_error(PUT, &self.table, &error)),
        }
        self.retoken(request, task_token).await?;
        match self.read(&request.app, &request.id).await? {
            Some(asked) => Ok(asked.request),
            None => Err(PortError::Conflict {
                operation: format!("{PUT} on {}", self.table),
                why: format!("the question {} was there and is gone", request.id),
            }),
        }
    }

    async fn read(&self, app: &AppId, id: &RequestId) -> PortResult<Option<Asked>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("app", text(app.as_str()))
            .key("request_id", text(id.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(GET, &self.table, &error))?;
        let Some(item) = output.item else { return Ok(None) };
        let task_token = items::get_text(&item, TOKEN).unwrap_or_default().to_owned();
        Ok(Some(Asked { request: items::parse(&item, GET)?, task_token }))
    }

    async fn close(&self, request: &Request) -> PortResult<()> {
        let record = items::record(request, UPDATE)?;
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("app", text(request.app.as_str()))
            .key("request_id", text(request.id.as_str()))
            .update_expression("SET #state = :closed, #record = :record")
            .condition_expression("#state = :open")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#record", items::RECORD)
            .expression_attribute_values(":closed", text(state_name(request.state)))
            .expression_attribute_values(":record", record)
            .expression_attribute_values(":open", text(state_name(RequestState::Open)))
            .send()
            .await;
        let Err(error) = result else { return Ok(()) };
        if !error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) {
            return Err(port_error(UPDATE, &self.table, &error));
        }
        // The SDK repeats a write whose answer was lost, and then the condition fails on our own answer.
        match self.read(&request.app, &request.id).await? {
            Some(found) if found.request == *request => Ok(()),
            found => Err(PortError::Conflict {
                operation: format!("{UPDATE} on {}", self.table),
                why: format!(
                    "the question {} is {}, not open",
                    request.id,
                    found.map_or("missing", |asked| state_name(asked.request.state))
                ),
            }),
        }
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Request>> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("app = :app")
            .filter_expression("asked_at >= :from")
            .expression_attribute_values(":app", text(app.as_str()))
            .expression_attribute_values(":from", items::time(from))
            .into_paginator()
            .items()
            .send();
        let mut requests: Vec<Request> = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| port_error(QUERY, &self.table, &error))?;
            requests.push(items::parse(&item, QUERY)?);
        }
        requests.sort_by(|a, b| a.asked_at.cmp(&b.asked_at).then_with(|| a.id.cmp(&b.id)));
        Ok(requests)
    }

    async fn open(&self, most: u32) -> PortResult<Vec<Request>> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_STATE)
            .key_condition_expression("#state = :open")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":open", text(state_name(RequestState::Open)))
            .scan_index_forward(false)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| port_error(QUERY, &self.table, &error))?;
        output.items.unwrap_or_default().iter().map(|item| items::parse(item, QUERY)).collect()
    }
}

fn item(request: &Request) -> PortResult<Item> {
    Ok(Item::from([
        ("app".to_owned(), text(request.app.as_str())),
        ("request_id".to_owned(), text(request.id.as_str())),
        ("execution_id".to_owned(), text(request.execution.as_str())),
        ("state".to_owned(), text(state_name(request.state))),
        ("asked_at".to_owned(), items::time(request.asked_at)),
        (items::RECORD.to_owned(), items::record(request, PUT)?),
        (items::EXPIRES_AT.to_owned(), items::expiry(request.asked_at, items::KEEP_RECORDS_S)),
    ]))
}

/// The state as its JSON form has it.
fn state_name(state: RequestState) -> &'static str {
    match state {
        RequestState::Open => "open",
        RequestState::Answered => "answered",
        RequestState::Lapsed => "lapsed",
        RequestState::Withdrawn => "withdrawn",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_attribute_is_the_name_in_the_record() {
        for state in [RequestState::Open, RequestState::Answered, RequestState::Lapsed, RequestState::Withdrawn] {
            assert_eq!(serde_json::to_value(state).unwrap(), state_name(state));
        }
    }
}
