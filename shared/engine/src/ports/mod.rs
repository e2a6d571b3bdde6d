//! The outside world as traits. An adapter translates and decides nothing; a fake of each is in `testkit`.

mod application;
mod bill;
mod caches;
mod databases;
mod pages;
mod people;
mod records;
mod runs;

pub use application::{
    Actuator, Alarms, CalendarState, Calendars, Discovery, Inventory, MetricQuery, Places, Prices, Switch, Telemetry,
};
pub use bill::{Billing, Estates, Scope, Surveyed, UnitPrices};
pub use caches::Caches;
pub use databases::{Credentials, Databases, Secrets};
pub use pages::Pages;
pub use people::{Approvals, Asked, Message, Notifier, SigningKey, Waker};
pub use records::{
    Arrival, Artifacts, Circuit, Entry, EntryState, Episode, Episodes, Executions, Intent, Journal, Lease, LeaseAnswer,
    Leases, Renewal, SavingsBook, Watch,
};
pub use runs::{ConfigFetch, ConfigSource, DeadLetters, Life, Liveness, Runs, Starter};

use async_trait::async_trait;
use domain::observed::Missing;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Why a call to the outside did not give an answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PortError {
    /// The service throttled the call until the retries were used up. Nothing was changed.
    #[error("{operation}: throttled")]
    Throttled {
        /// The call.
        operation: String,
    },
    /// IAM refused the call. Nothing was changed.
    #[error("{operation}: access denied, grant {permission}")]
    Denied {
        /// The call.
        operation: String,
        /// The permission that is lacking.
        permission: String,
    },
    /// The thing is not there (any more).
    #[error("{operation}: {what} does not exist")]
    Gone {
        /// The call.
        operation: String,
        /// The thing.
        what: String,
    },
    /// A condition of the write did not hold: somebody else was faster. Nothing was changed.
    #[error("{operation}: {why}")]
    Conflict {
        /// The call.
        operation: String,
        /// What was found instead.
        why: String,
    },
    /// The answer was lost (time-out, broken connection, 5xx): it may or may not have taken effect.
    #[error("{operation}: no answer, the outcome is unknown ({why})")]
    Unknown {
        /// The call.
        operation: String,
        /// What was seen.
        why: String,
    },
    /// The service refused the call as invalid. Nothing was changed.
    #[error("{operation}: {why}")]
    Rejected {
        /// The call.
        operation: String,
        /// What the service said.
        why: String,
    },
}

impl PortError {
    /// The reason to note for a read that failed this way.
    pub fn missing(&self) -> Missing {
        match self {
            Self::Throttled { .. } => Missing::Throttled,
            Self::Denied { permission, .. } => Missing::Denied(permission.clone()),
            Self::Gone { .. } => Missing::Gone,
            other => Missing::Failed(other.to_string()),
        }
    }

    /// True when the same reading may succeed a moment later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unknown { .. })
    }

    /// True when the same call may succeed later and certainly did nothing now.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. })
    }
}

/// Short for the result of a port.
pub type PortResult<T> = Result<T, PortError>;

/// The time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment that no setting of the clock moves. A clock that nobody sets needs no other than this.
    fn steady(&self) -> SignedDuration {
        self.now().duration_since(Timestamp::UNIX_EPOCH)
    }

    /// Lets so many seconds pass, on the scale of [`Clock::steady`].
    async fn wait(&self, seconds: u32);
}
