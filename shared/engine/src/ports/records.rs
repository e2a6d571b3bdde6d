//! What the maintainer writes down: journal, leases, episodes, records of runs, documents.

use super::PortResult;
use async_trait::async_trait;
use domain::approval::Approval;
use domain::arbitration::{Direction, Made, Stands};
use domain::change::{Change, Reversal};
use domain::cost::savings::ChangeSaving;
use domain::execution::{ExecutionRecord, Workflow};
use domain::ids::{AppId, ChangeId, ExecutionId};
use domain::outcome::Outcome;
use domain::resource::Resource;
use domain::watch::{Roll, Watched};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The write-ahead journal, table `changes`.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Writes an intent, if there is none under this id. Gives back the entry that stands there now.
    ///
    /// In the same conditional write the lease is checked (see [`Leases`]), [`PortError::Conflict`] when it is not held under
    /// the entry's fence, and the version of the plan, which is the iteration: the lease keeps the newest one that has
    /// renewed it or announced a change under this fence, and an older one is turned away, however long ago it last looked.
    async fn intend(&self, entry: &Entry) -> PortResult<Intent>;
    /// Moves an entry from one state to another and replaces the entry; [`PortError::Conflict`] when it is no longer in `from`.
    async fn advance(&self, from: EntryState, entry: &Entry) -> PortResult<()>;
    /// All entries of an application since a moment, oldest first; every page read.
    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Entry>>;
}

/// Answer to an intent.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Written now.
    Written,
    /// An entry of this id was there already (a repeated step); as it stands.
    Present(Box<Entry>),
    /// Not written: a later iteration of this run is under way.
    Overtaken {
        /// That iteration.
        newest: u32,
    },
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Application, the partition key.
    pub app: AppId,
    /// The change, with its id, the sort key.
    pub change: Change,
    /// Run that made it.
    pub execution: ExecutionId,
    /// What that run does.
    #[serde(default)]
    pub workflow: Workflow,
    /// Iteration of that run.
    pub iteration: u32,
    /// Where it stands.
    pub state: EntryState,
    /// The resource right before the change: what undo restores.
    pub prior: Resource,
    /// Fencing token of the lease under which it was written.
    pub fence: u64,
    /// When the intent was written.
    pub intended_at: Timestamp,
    /// When the service had accepted it.
    pub applied_at: Option<Timestamp>,
    /// When somebody first waited for the end of its call, by their clock. From then on it is no longer made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// When it was undone, kept, or found never to have happened.
    pub settled_at: Option<Timestamp>,
    /// Its verification.
    pub outcome: Option<Outcome>,
    /// Why it was made although its mode asks for an approval; `None` where none was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// One sentence on how it came to this state.
    pub note: String,
    /// The later run that settled or judged it, where the run that made it had died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over_by: Option<ExecutionId>,
    /// A person has ordered its undo.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rolled_back: bool,
}

impl Entry {
    /// Its id.
    pub fn id(&self) -> &ChangeId {
        &self.change.id
    }

    /// True when it stands, or may stand, and there is a way back.
    pub fn may_be_undone(&self) -> bool {
        let stands = self.state.is_open() || self.state == EntryState::Kept;
        stands && self.change.action.spec().reversal == Reversal::Undoable
    }

    /// As arbitration looks at it; `None` for one that no longer stands and that nobody has ordered back.
    pub fn made(&self) -> Option<Made> {
        let made_at = self.applied_at.unwrap_or(self.intended_at);
        let (stands, at) = match self.state {
            state if state.is_open() => (Stands::Unjudged, made_at),
            EntryState::Kept => (Stands::Kept, self.settled_at.unwrap_or(made_at)),
            EntryState::Undone if self.rolled_back => (Stands::RolledBack, self.settled_at.unwrap_or(made_at)),
            _ => return None,
        };
        Some(Made {
            id: self.id().clone(),
            by: self.workflow,
            kind: self.change.action.kind(),
            resource: self.change.resource.clone(),
            direction: Direction::of(&self.change.action, &self.prior.live),
            stands,
            at,
        })
    }

    /// True when a run is to answer for it: the run that made it, or the one that took it over.
    pub fn concerns(&self, execution: &ExecutionId) -> bool {
        self.execution == *execution || self.taken_over_by.as_ref() == Some(execution)
    }

    /// The same as a run leaves it: where that is not the run that made it, the entry says so.
    #[must_use]
    pub fn left_by(self, execution: &ExecutionId) -> Self {
        let taken_over_by = if self.execution == *execution { None } else { Some(execution.clone()) };
        Self { taken_over_by, ..self }
    }
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// The intent is durable; the change may or may not have happened.
    Intended,
    /// It has happened and is to be verified.
    Applied,
    /// It never happened: the service refused it, or a settled crash came before it.
    NotApplied,
    /// Verified, or kept by the written rule.
    Kept,
    /// The undo is durable; it may or may not have happened.
    UndoIntended,
    /// The prior value is restored.
    Undone,
    /// Somebody else has changed the value since: not undone, people were told.
    Superseded,
}

impl EntryState {
    /// True when the next run must still do something about it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Intended | Self::Applied | Self::UndoIntended)
    }
}

/// Leases: one writer per application and cycle, table `leases`.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes the lease if it is free, expired, or already this holder's. Conditional write.
    async fn acquire(&self, key: &str, holder: &ExecutionId, now: Timestamp, ttl_s: u32) -> PortResult<LeaseAnswer>;
    /// Extends the lease of this holder and fence for an iteration of its run, and keeps that iteration, unless a later one
    /// is kept under this fence. [`PortError::Conflict`] when the lease was lost.
    async fn renew(&self, key: &str, lease: &Lease, iteration: u32, now: Timestamp, ttl_s: u32) -> PortResult<Renewal>;
    /// Takes the lease from a holder that is known to be dead, if it is still exactly that lease; else as `acquire`. What
    /// the dead holder may still have under way is fenced off.
    async fn take_over(
        &self,
        key: &str,
        dead: &Lease,
        holder: &ExecutionId,
        now: Timestamp,
        ttl_s: u32,
    ) -> PortResult<LeaseAnswer>;
    /// Gives the lease back. Without effect when it is another's.
    async fn release(&self, key: &str, holder: &ExecutionId) -> PortResult<()>;
    /// The lease as it stands, also an expired one; `None` when nobody holds it.
    async fn holder(&self, key: &str) -> PortResult<Option<Lease>>;
}

/// A lease that is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Who holds it.
    pub holder: ExecutionId,
    /// Fencing token: grows by one with every new holder.
    pub fence: u64,
    /// Until when.
    pub expires_at: Timestamp,
    /// Builds that have taken or renewed it for this holder: more than one when it was deployed in the middle of a run. For
    /// people; nothing is decided by it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub builds: BTreeSet<String>,
}

/// Answer to a request for a lease.
#[derive(Clone, Debug, PartialEq)]
pub enum LeaseAnswer {
    /// Held by us now.
    Held(Lease),
    /// Held by another run.
    Busy(Lease),
}

/// Answer to the renewal of a lease.
#[derive(Clone, Debug, PartialEq)]
pub enum Renewal {
    /// Extended.
    Held(Lease),
    /// Not extended: a later iteration of this run is under way.
    Overtaken {
        /// That iteration.
        newest: u32,
    },
}

/// Alarm episodes: many alarms, one run. Table `leases`, key `episode#…` and `transition#…`.
#[async_trait]
pub trait Episodes: Send + Sync {
    /// Adds alarms, each with the moment at which it arrived, to the open episode of (application, cycle), opening one if
    /// there is none. An alarm that is there already keeps the later moment. Gives the episode as it stands then.
    async fn join(
        &self,
        key: &str,
        alarms: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        window_s: u32,
    ) -> PortResult<Episode>;
    /// Notes that the run of this episode has been started.
    async fn mark_started(&self, key: &str, episode_id: &str) -> PortResult<()>;
    /// The open episode, if any.
    async fn open(&self, key: &str) -> PortResult<Option<Episode>>;
    /// Closes the episode if it is still this one.
    async fn close(&self, key: &str, episode_id: &str) -> PortResult<()>;
    /// Puts the next episode, or none, in place of one that is still as it was read. False when it is not: an alarm has
    /// joined it since, or it is closed.
    async fn replace(&self, key: &str, read: &Episode, next: Option<&Episode>) -> PortResult<bool>;
    /// Notes that this alarm transition has arrived, and says when it did so first and whether it was handled since.
    async fn arrive(&self, transition: &str, now: Timestamp) -> PortResult<Arrival>;
    /// Notes that this alarm transition has been handled; kept for seven days.
    async fn remember(&self, transition: &str, now: Timestamp) -> PortResult<()>;
}

/// What is known of an alarm transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it arrived first.
    pub at: Timestamp,
    /// Its application's run has been seen to.
    pub handled: bool,
}

/// A group of alarms of one application that one run answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// Its id; part of the execution name.
    pub id: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// Names of its alarms, each with the moment at which it arrived last.
    pub alarms: BTreeMap<String, Timestamp>,
    /// Its run has been started.
    pub started: bool,
}

impl Episode {
    /// An episode that opens now.
    pub fn opened(at: Timestamp, alarms: BTreeMap<String, Timestamp>) -> Self {
        Self { id: at.strftime("%Y%m%dT%H%M%S%3f").to_string(), opened_at: at, alarms, started: false }
    }

    /// Names of its alarms, sorted.
    pub fn names(&self) -> Vec<String> {
        self.alarms.keys().cloned().collect()
    }
}

/// The watch over the watchman, table `leases`, keys `watch#…`: which applications are looked at regularly, and when they
/// last were.
#[async_trait]
pub trait Watch: Send + Sync {
    /// The roll as it stands.
    async fn roll(&self) -> PortResult<Roll>;
    /// Writes the roll of a round that begins. Applications are only added.
    async fn call(&self, roll: &Roll) -> PortResult<()>;
    /// What is known of an application; it is known from now on if it was not before.
    async fn known(&self, app: &AppId, now: Timestamp) -> PortResult<Watched>;
    /// A run on the application has ended well.
    async fn looked(&self, app: &AppId, at: Timestamp) -> PortResult<()>;
    /// People were told that the application is silent.
    async fn told(&self, app: &AppId, at: Timestamp) -> PortResult<()>;
    /// Takes an application off the roll.
    async fn forget(&self, app: &AppId) -> PortResult<()>;
}

/// Records of runs, tables `workflow_executions` and `optimization_results`.
#[async_trait]
pub trait Executions: Send + Sync {
    /// Writes the record of a new run; leaves the one that is there alone (a repeated step) and gives that back.
    async fn open(&self, record: &ExecutionRecord) -> PortResult<ExecutionRecord>;
    /// Reads a record.
    async fn read(&self, id: &ExecutionId) -> PortResult<Option<ExecutionRecord>>;
    /// Records of an application that nobody has closed, newest first, among its newest 25. May lag by a second or two.
    async fn unclosed(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>>;
    /// The newest 25 records of an application, newest first. May lag by a second or two.
    async fn newest(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>>;
    /// Replaces a record.
    async fn save(&self, record: &ExecutionRecord) -> PortResult<()>;
    /// Writes the result of a verified, regressed or inconclusive change. Repeating it changes nothing.
    async fn result(&self, execution: &ExecutionId, iteration: u32, outcome: &Outcome) -> PortResult<()>;
}

/// What changes have saved, beside their verification in table `optimization_results`.
#[async_trait]
pub trait SavingsBook: Send + Sync {
    /// Notes what a change has saved, as known at this moment. An amount that the bill has shown stays where it no longer says
    /// anything, and goes where the change was taken back.
    async fn note(&self, app: &AppId, saving: &ChangeSaving, at: Timestamp) -> PortResult<()>;
}

/// Artifacts: snapshots, analyses, memories of detectors, reports. S3.
#[async_trait]
pub trait Artifacts: Send + Sync {
    /// Writes a JSON document.
    async fn put(&self, key: &str, body: Vec<u8>) -> PortResult<()>;
    /// Reads it; `None` when there is none.
    async fn get(&self, key: &str) -> PortResult<Option<Vec<u8>>>;
}

/// The circuit breaker of an application, as far as a person has closed it. Table `leases`, key `circuit#…`.
#[async_trait]
pub trait Circuit: Send + Sync {
    /// A person has closed it at this moment: what was undone before no longer counts.
    async fn close(&self, app: &AppId, at: Timestamp) -> PortResult<()>;
    /// When it was closed last, as far back as it matters.
    async fn closed_at(&self, app: &AppId) -> PortResult<Option<Timestamp>>;
}
