//! Runs of state machines, and what starts and configures them.

use super::PortResult;
use async_trait::async_trait;
use domain::ids::ExecutionId;
use std::fmt;

/// Lists runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// The newest executions of the state machine, newest first, at most this many.
    async fn newest(&self, most: u32) -> PortResult<Vec<ExecutionId>>;
}

/// Tells which runs live.
#[async_trait]
pub trait Liveness: Send + Sync {
    /// How an execution of Step Functions stands.
    async fn life(&self, execution_arn: &str) -> PortResult<Life>;
}

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs or waits; so does one whose state is not known.
    Running,
    /// It came to its end.
    Succeeded,
    /// It failed.
    Failed,
    /// It ran for longer than it may.
    TimedOut,
    /// Somebody stopped it.
    Stopped,
    /// Step Functions knows nothing of it any more: it ended more than 90 days ago.
    Forgotten,
}

impl Life {
    /// True when no step of it will be started any more.
    pub fn is_over(self) -> bool {
        self != Self::Running
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "it runs",
            Self::Succeeded => "it ended",
            Self::Failed => "it failed",
            Self::TimedOut => "it ran out of time",
            Self::Stopped => "it was stopped",
            Self::Forgotten => "it ended long ago",
        })
    }
}

/// Starts runs.
#[async_trait]
pub trait Starter: Send + Sync {
    /// Starts a run under this name; the same name twice starts one. True when it was started now.
    async fn start(&self, name: &str, input: &str) -> PortResult<bool>;
}

/// Where `maintainer.yaml` lies.
#[async_trait]
pub trait ConfigSource: Send + Sync {
    /// The text and its version (ETag); `None` when no file was ever put there. `known` is the version the caller has:
    /// `Unchanged` spares the transfer.
    async fn fetch(&self, known: Option<&str>) -> PortResult<ConfigFetch>;
}

/// Answer of a [`ConfigSource`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigFetch {
    /// Same version as before.
    Unchanged,
    /// There is no file: defaults hold.
    Absent,
    /// A file.
    File {
        /// Its text.
        text: String,
        /// Its version.
        etag: String,
    },
    /// A file that is no text in UTF-8.
    NotText {
        /// The first byte that is none, from 0.
        at: usize,
    },
}

/// Where input is parked that can't be handled, with the reason, for a person to look at and replay.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Parks the input as it came.
    async fn park(&self, body: &str, why: &str) -> PortResult<()>;
}
