//! People: questions to them, their answers, and what they are told.

use super::PortResult;
use async_trait::async_trait;
use domain::approval::Request;
use domain::finding::Severity;
use domain::ids::{AppId, RequestId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Questions to people, table `approvals`.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// Writes a request, or finds the one of this id. While it is open, the token of a repeated asking replaces the one
    /// before, which no longer wakes anybody. Gives the request as it stands then.
    async fn ask(&self, request: &Request, task_token: &str) -> PortResult<Request>;
    /// Reads a request with the token that wakes the run; `None` when there is none.
    async fn read(&self, app: &AppId, id: &RequestId) -> PortResult<Option<Asked>>;
    /// Closes a request that is still open; [`PortError::Conflict`] when it is not: an answer counts once.
    async fn close(&self, request: &Request) -> PortResult<()>;
    /// All requests of an application since a moment, oldest first; every page read.
    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Request>>;
    /// The newest open requests of all applications, at most this many. May lag by a second or two.
    async fn open(&self, most: u32) -> PortResult<Vec<Request>>;
}

/// A request with what wakes the run that waits for its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The request.
    pub request: Request,
    /// Task token of Step Functions. Whoever has it and may call Step Functions can answer: never shown.
    pub task_token: String,
}

/// Wakes runs that wait for an answer.
#[async_trait]
pub trait Waker: Send + Sync {
    /// Hands the answer to the run behind the token; [`PortError::Gone`] when it waits no longer.
    async fn wake(&self, task_token: &str, output: &str) -> PortResult<()>;
}

/// The key that links are signed with.
#[async_trait]
pub trait SigningKey: Send + Sync {
    /// The key; at least 32 bytes.
    async fn read(&self) -> PortResult<Vec<u8>>;
}

/// Tells people and other agents.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Sends a message. At least once.
    async fn notify(&self, message: &Message) -> PortResult<()>;
}

/// A message to people (SNS) and to other agents (EventBridge).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// `detail-type` of the event, for example `Maintainer Escalation`.
    pub kind: String,
    /// How urgent.
    pub severity: Severity,
    /// At most 100 characters, ASCII, no line break.
    pub subject: String,
    /// Plain text that reads well on a phone.
    pub text: String,
    /// The documented event body.
    pub detail: serde_json::Value,
}
