//! What a step that writes is given: ports, the run, the rules in force, and how long it may take.

use crate::ports::{Actuator, Alarms, Clock, Entry, Executions, Journal, Lease, Leases, PortError, Switch};
use crate::run::Run;
use crate::step::StepError;
use domain::approval::Consent;
use domain::change::Change;
use domain::guard::Limits;
use domain::ids::{AppId, ChangeId};
use domain::mode::Mode;
use domain::resource::{Live, Resource};
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// The ports that a step needs to change an application. Reading it in bulk is another step's work.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// The time.
    pub clock: &'a dyn Clock,
    /// The application.
    pub actuator: &'a dyn Actuator,
    /// The write-ahead journal.
    pub journal: &'a dyn Journal,
    /// The leases.
    pub leases: &'a dyn Leases,
    /// The kill switch.
    pub switch: &'a dyn Switch,
    /// Records of runs: how the last ones on the application ended.
    pub executions: &'a dyn Executions,
    /// Alarms of the application.
    pub alarms: &'a dyn Alarms,
}

/// The mode that is configured for a change, by application, risk and kind. A run's own mode makes it more careful.
pub type ModeOf<'a> = &'a (dyn Fn(&Change) -> Mode + Send + Sync);

/// The name of the freeze window that holds at a moment, if one does.
pub type FreezeAt<'a> = &'a (dyn Fn(Timestamp) -> Option<String> + Send + Sync);

/// The surge that is announced at a moment, in words, if one is.
pub type SurgeAt<'a> = &'a (dyn Fn(Timestamp) -> Option<String> + Send + Sync);

/// Another application to which a resource belongs as well, if there is one.
pub type OtherOwnerOf<'a> = &'a (dyn Fn(&Resource) -> Option<AppId> + Send + Sync);

/// What people have said to a change, given the live state of its resource.
pub type ConsentTo<'a> = &'a (dyn Fn(&Change, &Live) -> Consent + Send + Sync);

/// What the owner of the application allows.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Limits of the application.
    pub limits: &'a Limits,
    /// Mode for each change.
    pub mode: ModeOf<'a>,
    /// What people have said to it.
    pub consent: ConsentTo<'a>,
    /// Approved and verified changes after which a kind is made without asking; 0 for never.
    pub earn_after: u32,
    /// Freeze windows.
    pub freeze: FreezeAt<'a>,
    /// Surges that are announced.
    pub surge: SurgeAt<'a>,
    /// Who else has a resource.
    pub other_owner: OtherOwnerOf<'a>,
    /// Why a change calendar forbids changes, if one does.
    pub calendar_closed: Option<&'a str>,
    /// When a person last closed the circuit breaker: what was undone before no longer counts.
    pub circuit_closed_at: Option<Timestamp>,
    /// Time that a write may take.
    pub timing: Timing,
}

/// Time that a write may take. The three together say when a write of a dead process can no longer land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Seconds within which an intent must be followed by its call, or the call is not made at all.
    pub apply_within_s: u32,
    /// Longest time from calling a service to its taking effect, retries included: the time-out of the client.
    pub call_max_s: u32,
    /// Time that one change may take; with less left before the deadline, the next one is not begun.
    pub reserve_s: u32,
    /// Seconds by which the clocks of two processes may differ; none where all of them are on one machine.
    pub skew_s: u32,
}

/// Seconds by which a clock may be off, either way. AWS turns a call away that is signed by one that is further off, for most
/// services one that is five minutes off (`ARCHITECTURE.md`, "Time").
pub const CLOCK_OFF_MAX_S: u32 = 600;

/// What writes under a lease must be over that long before the lease ends, or a clock that is ahead ends it too soon.
const _: () = assert!(crate::run::LEASE_TTL_S > 2 * CLOCK_OFF_MAX_S + 300);

impl Default for Timing {
    fn default() -> Self {
        Self { apply_within_s: 30, call_max_s: 60, reserve_s: 60, skew_s: 2 * CLOCK_OFF_MAX_S }
    }
}

impl Timing {
    /// Age in seconds from which an intent without an answer can no longer be on its way.
    pub fn in_flight_s(&self) -> u32 {
        self.apply_within_s.saturating_add(self.call_max_s)
    }
}

/// A moment, by the clock and by what nobody can set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// By the clock.
    pub at: Timestamp,
    /// Since some fixed moment of this process.
    pub steady: SignedDuration,
}

/// Everything that one invocation of a writing step works with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The ports.
    pub ports: Ports<'a>,
    /// The run, with its lease.
    pub run: &'a Run,
    /// What is allowed.
    pub rules: Rules<'a>,
    /// When the platform will end this invocation, on the scale of the clock port.
    pub deadline: Timestamp,
}

impl Context<'_> {
    /// Now.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Now, to measure from.
    pub(crate) fn moment(&self) -> Moment {
        Moment { at: self.now(), steady: self.ports.clock.steady() }
    }

    /// The mode in force for a change: the configured one, or the one that the run was told when that is more careful.
    pub(crate) fn mode(&self, change: &Change) -> Mode {
        let configured = (self.rules.mode)(change);
        self.run.mode.map_or(configured, |asked| asked.min(configured))
    }

    /// True when too little time is left to begin another change.
    pub(crate) fn is_out_of_time(&self) -> bool {
        later(self.now(), self.rules.timing.reserve_s) > self.deadline
    }

    /// Seconds until an intent is so old that by no clock its call can still be on its way; `None` when it is.
    pub(crate) fn long_past_in_s(&self, entry: &Entry) -> Option<u32> {
        let safe_s = self.rules.timing.in_flight_s().saturating_add(self.rules.timing.skew_s);
        let left_s = later(entry.intended_at, safe_s).duration_since(self.now()).as_secs();
        (left_s > 0).then(|| u32::try_from(left_s).unwrap_or(u32::MAX))
    }

    /// Whether this invocation can wait for so long and then still do its work.
    pub(crate) fn can_wait_s(&self, seconds: u32) -> bool {
        later(self.now(), seconds.saturating_add(self.rules.timing.reserve_s)) <= self.deadline
    }

    /// Seconds until an intent without an answer can no longer be on its way; `None` when that is so now.
    pub(crate) fn in_flight_for_s(&self, entry: &Entry) -> Option<u32> {
        let safe_at = later(entry.intended_at, self.rules.timing.in_flight_s());
        let left_s = safe_at.duration_since(self.now()).as_secs();
        // Never longer than the whole window, even if the intent carries a time from a clock that ran ahead.
        (left_s > 0).then(|| u32::try_from(left_s).unwrap_or(u32::MAX).min(self.rules.timing.in_flight_s()))
    }

    /// The last look before a call that writes: what speaks against making it now.
    ///
    /// The service can't check our lease, so the call must be over before anybody else may act, by whatever clock.
    pub(crate) fn too_late(&self, lease: &Lease, announced: Option<Moment>) -> Option<String> {
        let (now, timing) = (self.now(), self.rules.timing);
        let passed = announced.map(|announced| self.ports.clock.steady() - announced.steady);
        let within = SignedDuration::from_secs(i64::from(timing.apply_within_s));
        let is_late = |announced: Moment| now > later(announced.at, timing.apply_within_s);
        if announced.is_some_and(is_late) || passed.is_some_and(|passed| passed > within) {
            return Some(format!("the call was not made within {} s of its intent", timing.apply_within_s));
        }
        if announced.is_some_and(|announced| now < announced.at) {
            return Some("the clock was set back after the intent".to_owned());
        }
        if later(now, timing.call_max_s.saturating_add(timing.skew_s)) > lease.expires_at {
            return Some("the lease would end before the call".to_owned());
        }
        (now >= self.deadline).then(|| "the time of this step is over".to_owned())
    }
}

/// A moment some seconds later; the end of time rather than an overflow.
pub(crate) fn later(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MAX)
}

/// A moment some seconds earlier; the beginning of time rather than an overflow.
pub(crate) fn earlier(at: Timestamp, seconds: u32) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(i64::from(seconds))).unwrap_or(Timestamp::MIN)
}

/// Why a writing step stopped as a whole. A refused or failed change is not an error but a line of its report.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActError {
    /// Another run holds the application now.
    #[error("the lease {key} was lost: {why}")]
    LeaseLost {
        /// Key of the lease.
        key: String,
        /// What was found instead.
        why: String,
    },
    /// The lease could not be renewed, so nobody knows who holds it.
    #[error("the lease {key} could not be renewed")]
    Lease {
        /// Key of the lease.
        key: String,
        /// What the store said.
        source: PortError,
    },
    /// Another delivery of this step may be making this very change at the moment.
    #[error("change {change} may still be on its way, ask again in {retry_after_s} s")]
    InFlight {
        /// The change.
        change: ChangeId,
        /// Seconds after which it can be settled.
        retry_after_s: u32,
    },
    /// This delivery belongs to an iteration that is over: a repetition that came far too late.
    #[error("iteration {iteration} is over: the run is at iteration {newest}")]
    Overtaken {
        /// The iteration of this delivery.
        iteration: u32,
        /// The newest iteration that was under way.
        newest: u32,
    },
    /// The journal could not be read or written. Without it nothing may be changed.
    #[error("the journal could not be used to {doing}")]
    Journal {
        /// What was tried.
        doing: String,
        /// What the store said.
        source: PortError,
    },
}

impl From<ActError> for StepError {
    fn from(error: ActError) -> Self {
        let text = error.to_string();
        match error {
            ActError::LeaseLost { .. } => Self::Conflict(text),
            ActError::InFlight { .. } => Self::Transient(text),
            ActError::Overtaken { .. } => Self::Stale(text),
            ActError::Lease { source, .. } | ActError::Journal { source, .. } => {
                let text = format!("{text}: {source}");
                match Self::from(source) {
                    Self::Transient(_) => Self::Transient(text),
                    Self::Stale(_) => Self::Stale(text),
                    Self::Conflict(_) => Self::Conflict(text),
                    Self::Config(_) => Self::Config(text),
                    Self::Bug(_) => Self::Bug(text),
                }
            }
        }
    }
}
