//! Reads what the maintainer wrote down: runs, journal, artifacts, messages to people.

use super::stack::{Stack, StackError};
use crate::cloud::Cloud;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::change::Change;
use domain::execution::ExecutionRecord;
use domain::outcome::Outcome;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;

/// Reads the records of one stack.
#[derive(Clone, Debug)]
pub struct Records {
    stack: Stack,
}

/// An entry of the journal, as far as the player looks at it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct JournalEntry {
    /// The change.
    pub change: Change,
    /// Run that made it.
    pub execution: String,
    /// Iteration of that run.
    pub iteration: u32,
    /// Where it stands.
    pub state: JournalState,
    /// When the intent was written.
    pub intended_at: Timestamp,
    /// Its verification.
    pub outcome: Option<Outcome>,
    /// How it came to this state.
    pub note: String,
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// The intent is durable.
    Intended,
    /// It has happened.
    Applied,
    /// It never happened.
    NotApplied,
    /// Kept for good.
    Kept,
    /// The undo is durable.
    UndoIntended,
    /// Undone.
    Undone,
    /// Somebody else has changed the value since.
    Superseded,
}

impl JournalState {
    /// True when the change really took effect at some time.
    pub fn happened(self) -> bool {
        !matches!(self, Self::Intended | Self::NotApplied)
    }

    /// True when the maintainer must still do something about it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::Applied | Self::UndoIntended)
    }
}

/// A message to people.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Told {
    /// Subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// Text.
    pub message: String,
}

impl Told {
    /// True when its subject names this application.
    pub fn is_about(&self, app: &str) -> bool {
        self.subject.as_deref().unwrap_or_default().split([' ', ':', ',']).any(|word| word == app)
    }
}

/// An alarm that is going off.
#[derive(Clone, Debug, PartialEq)]
pub struct Ringing {
    /// Its name.
    pub name: String,
    /// What it says to a person.
    pub description: String,
}

type Item = HashMap<String, AttributeValue>;

impl Records {
    /// The records of a stack.
    pub fn new(stack: &Stack) -> Self {
        Self { stack: stack.clone() }
    }

    /// Runs on an application, oldest first.
    ///
    /// # Errors
    /// When a call fails or a record is not readable.
    pub async fn runs(&self, app: &str) -> Result<Vec<ExecutionRecord>, StackError> {
        let mut runs: Vec<ExecutionRecord> = self.all(&self.stack.outputs.executions_table, app).await?;
        runs.sort_by_key(|run| run.started_at);
        Ok(runs)
    }

    /// The journal of an application, oldest first.
    ///
    /// # Errors
    /// When a call fails or an entry is not readable.
    pub async fn journal(&self, app: &str) -> Result<Vec<JournalEntry>, StackError> {
        let mut entries: Vec<JournalEntry> = self.all(&self.stack.outputs.changes_table, app).await?;
        entries.sort_by_key(|entry| entry.intended_at);
        Ok(entries)
    }

    async fn all<T: DeserializeOwned>(&self, table: &str, app: &str) -> Result<Vec<T>, StackError> {
        // The player's tables are small, and a scan needs no knowledge of their keys.
        let mut pages = self
            .stack
            .cloud
            .dynamodb()
            .scan()
            .table_name(table)
            .filter_expression("app = :app")
            .expression_attribute_values(":app", AttributeValue::S(app.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(StackError::call("Scan", table))?.items() {
                found.push(parse(item, table)?);
            }
        }
        Ok(found)
    }

    /// Keys of all artifacts of a run, each with its ETag, which changes when it is written again.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn keys(&self, app: &str, execution: &str) -> Result<Vec<(String, String)>, StackError> {
        let bucket = &self.stack.outputs.artifact_bucket;
        let list = self.stack.cloud.s3().list_objects_v2().bucket(bucket).prefix(format!("runs/{app}/{execution}/"));
        let found = list.send().await.map_err(StackError::call("ListObjectsV2", bucket))?;
        let named = |object: &aws_sdk_s3::types::Object| {
            Some((object.key()?.to_owned(), object.e_tag().unwrap_or_default().to_owned()))
        };
        Ok(found.contents().iter().filter_map(named).collect())
    }

    /// An artifact.
    ///
    /// # Errors
    /// When the call fails or it is not JSON.
    pub async fn artifact(&self, key: &str) -> Result<Value, StackError> {
        serde_json::from_slice(&self.body(key).await?).map_err(StackError::call("GetObject", key))
    }

    /// An artifact as it is.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn body(&self, key: &str) -> Result<Vec<u8>, StackError> {
        let get = self.stack.cloud.s3().get_object().bucket(&self.stack.outputs.artifact_bucket).key(key);
        let body = get.send().await.map_err(StackError::call("GetObject", key))?.body;
        Ok(body.collect().await.map_err(StackError::call("GetObject", key))?.to_vec())
    }

    /// Messages that have come into a queue since the last look.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn messages(&self, queue: &str) -> Result<Vec<Told>, StackError> {
        let sqs = self.stack.cloud.sqs();
        let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(10).send();
        let got = receive.await.map_err(StackError::call("ReceiveMessage", queue))?;
        let mut told = Vec::new();
        for message in got.messages() {
            if let Some(handle) = message.receipt_handle() {
                let delete = sqs.delete_message().queue_url(queue).receipt_handle(handle).send();
                delete.await.map_err(StackError::call("DeleteMessage", queue))?;
            }
            told.extend(message.body().and_then(|body| serde_json::from_str(body).ok()));
        }
        Ok(told)
    }

    /// Alarms of an application that are going off now.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn ringing(&self, cloud: &Cloud, app: &str) -> Result<Vec<Ringing>, StackError> {
        let operation = "DescribeAlarms";
        let describe = cloud
            .cloudwatch()
            .describe_alarms()
            .alarm_name_prefix(format!("{app}-"))
            .state_value(aws_sdk_cloudwatch::types::StateValue::Alarm);
        let mut pages = describe.into_paginator().send();
        let mut ringing = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(StackError::call(operation, app))?;
            ringing.extend(page.metric_alarms().iter().map(|alarm| Ringing {
                name: alarm.alarm_name().unwrap_or_default().to_owned(),
                description: alarm.alarm_description().unwrap_or_default().to_owned(),
            }));
        }
        Ok(ringing)
    }
}

fn parse<T: DeserializeOwned>(item: &Item, table: &str) -> Result<T, StackError> {
    let text = item.get("record").and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    serde_json::from_str(text).map_err(StackError::call("Scan", table))
}
