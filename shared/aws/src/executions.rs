//! Records of runs in DynamoDB: `workflow_executions` (partition key `execution_id`, index `by_app` over `app` and
//! `started_at`) and `optimization_results` (partition key `execution_id`, sort key `result_id`).
//!
//! Each item has the documented attributes for people and queries, and the whole record as JSON in `record`.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{self, Item, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::execution::{ExecutionRecord, Status};
use domain::ids::{AppId, ChangeId, ExecutionId};
use domain::outcome::Outcome;
use engine::ports::{Executions as Port, PortError, PortResult};

/// IAM actions on the table `workflow_executions`.
pub const PERMISSIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"];
/// IAM actions on the table `optimization_results`.
pub const RESULT_PERMISSIONS: &[&str] = &["dynamodb:PutItem"];

const PUT: &str = "dynamodb:PutItem";
const GET: &str = "dynamodb:GetItem";
const QUERY: &str = "dynamodb:Query";
/// Newest records of an application that are looked at.
const NEWEST: i32 = 25;

/// See [`engine::ports::Executions`].
#[derive(Clone, Debug)]
pub struct Executions {
    client: Lazy<Client>,
    executions: String,
    results: String,
}

impl Executions {
    /// The records in these two tables.
    pub fn new(clients: &Clients, executions: impl Into<String>, results: impl Into<String>) -> Self {
        Self { client: clients.dynamodb(), executions: executions.into(), results: results.into() }
    }

    /// The newest records of an application, newest first.
    fn by_app(&self, app: &AppId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.executions)
            .index_name("by_app")
            .key_condition_expression("app = :app")
            .expression_attribute_values(":app", text(app.as_str()))
            .scan_index_forward(false)
            .limit(NEWEST)
    }
}

#[async_trait]
impl Port for Executions {
    async fn open(&self, record: &ExecutionRecord) -> PortResult<ExecutionRecord> {
        let result = self
            .client
            .put_item()
            .table_name(&self.executions)
            .set_item(Some(execution_item(record)?))
            .condition_expression("attribute_not_exists(execution_id)")
            .send()
            .await;
        match result {
            Ok(_) => Ok(record.clone()),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                self.read(&record.execution_id).await?.ok_or_else(|| PortError::Conflict {
                    operation: format!("{PUT} on {}", self.executions),
                    why: format!("the record {} was there and is gone", record.execution_id),
                })
            }
            Err(error) => Err(port_error(PUT, &self.executions, &error)),
        }
    }

    async fn read(&self, id: &ExecutionId) -> PortResult<Option<ExecutionRecord>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.executions)
            .key("execution_id", text(id.as_str()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(GET, &self.executions, &error))?;
        output.item.map(|item| items::parse(&item, GET)).transpose()
    }

    async fn unclosed(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        let output = self
            .by_app(app)
            .filter_expression("#status = :running")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":running", text(status_name(Status::Running)))
            .send()
            .await
            .map_err(|error| port_error(QUERY, &self.executions, &error))?;
        output.items().iter().map(|item| items::parse(item, QUERY)).collect()
    }

    async fn newest(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        let output = self.by_app(app).send().await.map_err(|error| port_error(QUERY, &self.executions, &error))?;
        output.items().iter().map(|item| items::parse(item, QUERY)).collect()
    }

    async fn save(&self, record: &ExecutionRecord) -> PortResult<()> {
        self.client
            .put_item()
            .table_name(&self.executions)
            .set_item(Some(execution_item(record)?))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error(PUT, &self.executions, &error))
    }

    async fn result(&self, execution: &ExecutionId, iteration: u32, outcome: &Outcome) -> PortResult<()> {
        self.client
            .put_item()
            .table_name(&self.results)
            .set_item(Some(result_item(execution, iteration, outcome)?))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error(PUT, &self.results, &error))
    }
}

fn execution_item(record: &ExecutionRecord) -> PortResult<Item> {
    let metrics = serde_json::to_string(&record.iterations)
        .map_err(|error| PortError::Rejected { operation: PUT.to_owned(), why: error.to_string() })?;
    let mut item = Item::from([
        ("execution_id".to_owned(), text(record.execution_id.as_str())),
        ("app".to_owned(), text(record.app.as_str())),
        ("workflow_type".to_owned(), text(record.workflow_type.to_string())),
        ("status".to_owned(), text(status_name(record.status))),
        ("metrics".to_owned(), text(metrics)),
        ("started_at".to_owned(), items::time(record.started_at)),
        ("success_criteria_met".to_owned(), AttributeValue::Bool(record.success_criteria_met)),
        (items::RECORD.to_owned(), items::record(record, PUT)?),
        (items::EXPIRES_AT.to_owned(), items::expiry(record.started_at, items::KEEP_RECORDS_S)),
    ]);
    if let Some(at) = record.completed_at {
        item.insert("completed_at".to_owned(), items::time(at));
    }
    Ok(item)
}

/// Sort key of a change's result.
pub(crate) fn result_id(iteration: u32, change: &ChangeId) -> String {
    format!("{iteration:03}#{change}")
}

fn result_item(execution: &ExecutionId, iteration: u32, outcome: &Outcome) -> PortResult<Item> {
    let mut item = Item::from([
        ("execution_id".to_owned(), text(execution.as_str())),
        ("result_id".to_owned(), text(result_id(iteration, &outcome.change))),
        ("execution".to_owned(), text(execution.as_str())),
        ("metric".to_owned(), text(outcome.signal.as_str())),
        ("verdict".to_owned(), text(outcome.verdict.to_string())),
        ("measured_at".to_owned(), items::time(outcome.measured_at)),
        (items::RECORD.to_owned(), items::record(outcome, PUT)?),
        (items::EXPIRES_AT.to_owned(), items::expiry(outcome.measured_at, items::KEEP_RECORDS_S)),
    ]);
    // What could not be measured has no attribute: a zero would be a lie.
    let numbers = [("before", outcome.before), ("after", outcome.after), ("improvement_pct", outcome.improvement_pct)];
    for (name, value) in numbers {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            item.insert(name.to_owned(), number(decimal(value)));
        }
    }
    Ok(item)
}

/// A number that DynamoDB takes: at most 38 digits, here 15, and no exponent outside −130 to 125.
fn decimal(value: f64) -> String {
    if value == 0.0 || value.abs() < 1e-120 { "0".to_owned() } else { format!("{:.14e}", value.clamp(-1e120, 1e120)) }
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Completed => "completed",
        Status::Failed => "failed",
        Status::Escalated => "escalated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_attribute_is_the_name_in_the_record() {
        for status in [Status::Running, Status::Completed, Status::Failed, Status::Escalated] {
            assert_eq!(serde_json::to_value(status).unwrap(), status_name(status));
        }
    }

    #[test]
    fn numbers_stay_within_what_dynamodb_stores() {
        assert_eq!(decimal(0.0), "0");
        assert_eq!(decimal(f64::MIN_POSITIVE), "0");
        assert_eq!(decimal(123.456).parse::<f64>().unwrap(), 123.456);
        assert!(decimal(f64::MAX).ends_with("e120"));
    }
}
