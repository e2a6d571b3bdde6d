//! Why a change was not made: one variant per guard, each with its numbers, and its sentence for a person.

use crate::arbitration::Incident;
use crate::change::day;
use crate::execution::Workflow;
use crate::ids::{AppId, ChangeId, ResourceId};
use crate::mode::Risk;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a change was not made. A value, not an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "guard")]
#[must_use]
pub enum Refusal {
    /// The mode only observes.
    Observing,
    /// The mode asks for an approval.
    NeedsApproval {
        /// Risk of the change.
        risk: Risk,
    },
    /// The change can't be undone and was not approved.
    Irreversible,
    /// A person was asked for it and said no.
    Denied {
        /// Who.
        by: String,
    },
    /// A person was asked for it and has not answered yet.
    AwaitingAnswer {
        /// When.
        asked_at: Timestamp,
    },
    /// A person was asked for it and did not answer in time, which means no.
    Unanswered {
        /// When.
        asked_at: Timestamp,
    },
    /// The kill switch is on.
    KillSwitch,
    /// The kill switch could not be read.
    KillSwitchUnreadable {
        /// Why.
        why: String,
    },
    /// A freeze window holds.
    Frozen {
        /// Its name.
        window: String,
    },
    /// A change calendar is closed, or can't be read.
    CalendarClosed {
        /// Which, and until when.
        why: String,
    },
    /// It would make something smaller, and a surge is announced.
    Surge {
        /// Its name, and when.
        surge: String,
    },
    /// The resource belongs to another application as well, whose changes are not known here.
    Shared {
        /// That application.
        with: AppId,
    },
    /// It would make something smaller, and an incident is open.
    Incident {
        /// What shows it.
        incident: Incident,
    },
    /// It would make something smaller, and a change of another cycle is still being verified.
    Unjudged {
        /// That change.
        change: ChangeId,
        /// Who made it.
        by: Workflow,
        /// Of which resource.
        resource: ResourceId,
    },
    /// It would take back what another cycle has made and verified a while ago.
    TakesBack {
        /// That change.
        change: ChangeId,
        /// Who made it.
        by: Workflow,
        /// Minutes since it was verified.
        since_min: i64,
        /// Hours needed.
        min_h: u32,
    },
    /// A person has had the same rolled back a while ago, and nobody has said yes to it since.
    RolledBack {
        /// What was rolled back.
        change: ChangeId,
        /// Minutes since.
        since_min: i64,
        /// Hours for which it needs a yes.
        min_h: u32,
    },
    /// The resource carries the protection tag.
    Protected,
    /// The snapshot is too old.
    Stale {
        /// Its age.
        age_s: i64,
        /// The limit.
        max_s: u32,
    },
    /// Too much of the snapshot is missing.
    Incomplete {
        /// Share known.
        known_pct: f64,
        /// Share needed.
        min_pct: f64,
    },
    /// The budget of changes is used up.
    Budget {
        /// `execution`, `hour` or `day`.
        per: String,
        /// Used.
        used: u32,
        /// Allowed.
        max: u32,
    },
    /// The budget of changes of this resource is used up.
    ResourceBudget {
        /// `hour` or `day`.
        per: String,
        /// Used.
        used: u32,
        /// Allowed.
        max: u32,
    },
    /// The resource was changed a moment ago.
    CoolingDown {
        /// Seconds since.
        since_s: i64,
        /// Seconds needed.
        min_s: u32,
    },
    /// The same remedy was applied again and again.
    Repeated {
        /// Times in the last day.
        times: u32,
        /// Allowed.
        max: u32,
    },
    /// Too many changes were undone: the circuit breaker is open.
    CircuitOpen {
        /// Undone in the last day.
        undos: u32,
        /// Allowed.
        max: u32,
    },
    /// Too large a share of the fleet would go out of service.
    BlastRadius {
        /// Members that would be out.
        out: u32,
        /// Size of the fleet.
        of: u32,
        /// Share allowed, in per cent.
        max_pct: f64,
    },
    /// No healthy member would be left.
    LastHealthy {
        /// Healthy members now.
        healthy: u32,
    },
    /// Outside the bounds that the owner set.
    OutOfBounds {
        /// Wanted.
        wanted: u32,
        /// Floor.
        min: u32,
        /// Ceiling.
        max: u32,
    },
    /// The bounds that the owner set could not be read.
    BoundsUnknown {
        /// Why.
        why: String,
    },
    /// Too large a step at once.
    StepTooLarge {
        /// From.
        from: u32,
        /// To.
        to: u32,
        /// Largest factor.
        factor_max: f64,
    },
    /// It would cost too much.
    Spend {
        /// Cost of the run with this change, in US cents a month.
        total_usd_cents_month: i64,
        /// Allowed.
        max_usd_cents_month: i64,
    },
    /// The application would cost too much more than 30 days ago.
    AppSpend {
        /// What the changes of 30 days would add with this one, in US cents a month.
        total_usd_cents_month: i64,
        /// Allowed.
        max_usd_cents_month: i64,
    },
    /// A transaction has been open for so long that a build would wait for it.
    LongTransaction {
        /// Its age in seconds.
        age_s: f64,
        /// Allowed.
        max_s: u32,
    },
    /// The table is too large to be read within one call.
    TableTooLarge {
        /// Its size in GiB.
        gib: f64,
        /// Allowed.
        max_gib: u32,
    },
    /// Something else is under way on the resource.
    Busy {
        /// What.
        what: String,
    },
    /// It is in use.
    InUse {
        /// By what.
        by: String,
    },
    /// Somebody else sets its size by the clock.
    OtherSchedule {
        /// The scheduled action.
        name: String,
    },
    /// Its owner still has time to keep it, or would have none.
    Grace {
        /// Until when.
        until: Timestamp,
    },
    /// It is not marked for deletion: it never was, or its owner has removed the mark.
    NotMarked,
    /// What would be deleted is not backed up.
    NoBackup {
        /// What is lacking.
        why: String,
    },
    /// It would have less than it has today, or than its type includes.
    LessThanToday {
        /// Of what.
        what: String,
        /// Wanted.
        wanted: u32,
        /// Needed.
        floor: u32,
    },
    /// The live state is not what the plan was made for, or already what it wants.
    NothingToDo {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Observing => f.write_str("the mode is observe: nothing is changed"),
            Self::NeedsApproval { risk } => write!(f, "the mode for {risk} risk is approve and nobody has approved it"),
            Self::Irreversible => f.write_str("it can't be undone and needs an approval"),
            Self::Denied { by } => write!(f, "it was asked for and {by} said no"),
            Self::AwaitingAnswer { asked_at } => {
                write!(f, "it was asked for at {asked_at:.0} and nobody has answered yet")
            }
            Self::Unanswered { asked_at } => {
                write!(f, "it was asked for at {asked_at:.0} and nobody answered in time, which means no")
            }
            Self::KillSwitch => f.write_str("the kill switch is on"),
            Self::KillSwitchUnreadable { why } => {
                write!(f, "the kill switch could not be read ({why}), so nothing is changed")
            }
            Self::Frozen { window } => write!(f, "the freeze window \"{window}\" holds"),
            Self::CalendarClosed { why } => f.write_str(why),
            Self::Surge { surge } => {
                write!(f, "a surge is announced ({surge}): nothing is made smaller before its end")
            }
            Self::Incident { incident } => write!(
                f,
                "an incident is open, {incident}: nothing is made smaller before a run has found the application well \
                 and its alarms are silent"
            ),
            Self::Unjudged { change, by, resource } => write!(
                f,
                "change {change} of the {by} cycle on {resource} is still being verified: nothing is made smaller \
                 before it is judged"
            ),
            Self::TakesBack { change, by, since_min, min_h } => write!(
                f,
                "it would take back change {change}, which the {by} cycle verified {since_min} min ago: that stands for \
                 {min_h} h, unless a person orders its rollback"
            ),
            Self::RolledBack { change, since_min, min_h } => write!(
                f,
                "a person had the same rolled back {since_min} min ago ({change}): within {min_h} h it needs a yes"
            ),
            Self::Shared { with } => write!(
                f,
                "the resource belongs to {with} as well, and two applications would change it behind each other's back: let one select it"
            ),
            Self::Protected => write!(f, "the resource is protected by its owner"),
            Self::Stale { age_s, max_s } => write!(f, "the snapshot is {age_s} s old, {max_s} s are allowed"),
            Self::Incomplete { known_pct, min_pct } => {
                write!(f, "only {known_pct:.0} % of the signals are known, {min_pct:.0} % are needed")
            }
            Self::Budget { per, used, max } => write!(f, "{used} of {max} changes per {per} are used"),
            Self::ResourceBudget { per, used, max } => {
                write!(f, "{used} of {max} changes of this resource per {per} are used")
            }
            Self::CoolingDown { since_s, min_s } => {
                write!(f, "the resource was changed {since_s} s ago, the cool-down is {min_s} s")
            }
            Self::Repeated { times, max } => {
                write!(
                    f,
                    "the same remedy was applied {times} times in a day, {max} are allowed: the cause is elsewhere"
                )
            }
            Self::CircuitOpen { undos, max } => {
                write!(
                    f,
                    "{undos} changes were undone in a day, {max} open the circuit breaker; it closes by itself as they \
                     grow old, or by a run started with \"circuit\": \"close\""
                )
            }
            Self::BlastRadius { out, of, max_pct } => {
                write!(f, "{out} of {of} members would be out of service, {max_pct:.0} % are allowed")
            }
            Self::LastHealthy { healthy } => write!(f, "of {healthy} healthy members none would be left"),
            Self::OutOfBounds { wanted, min, max } => {
                write!(f, "{wanted} is outside the owner's bounds {min} to {max}")
            }
            Self::BoundsUnknown { why } => {
                write!(f, "the owner's bounds could not be read ({why}), so the size stays")
            }
            Self::StepTooLarge { from, to, factor_max } => {
                write!(f, "from {from} to {to} is more than a factor of {factor_max} at once")
            }
            Self::Spend { total_usd_cents_month, max_usd_cents_month } => write!(
                f,
                "the run would add {} USD a month, {} are allowed",
                dollars(*total_usd_cents_month),
                dollars(*max_usd_cents_month)
            ),
            Self::AppSpend { total_usd_cents_month, max_usd_cents_month } => write!(
                f,
                "with the changes of the last 30 days the application would cost {} USD a month more, {} are allowed",
                dollars(*total_usd_cents_month),
                dollars(*max_usd_cents_month)
            ),
            Self::Busy { what } => write!(f, "{what} is under way"),
            Self::LongTransaction { age_s, max_s } => {
                write!(
                    f,
                    "a transaction has been open for {age_s:.0} s, the build would wait for it (at most {max_s} s)"
                )
            }
            Self::TableTooLarge { gib, max_gib } => write!(
                f,
                "the table has {gib:.1} GiB, at most {max_gib} GiB are indexed within one call: build it by hand, or as a task"
            ),
            Self::OtherSchedule { name } => write!(f, "its scheduled action {name} sets its size by the clock already"),
            Self::InUse { by } => write!(f, "it is in use by {by}"),
            Self::Grace { until } => write!(f, "its owner has time until {} to keep it", day(*until)),
            Self::NotMarked => {
                f.write_str("it is not marked for deletion, or its owner has removed the mark to keep it")
            }
            Self::NoBackup { why } => write!(f, "it is not backed up: {why}"),
            Self::LessThanToday { what, wanted, floor } => {
                write!(f, "{wanted} {what} are less than the {floor} that are needed")
            }
            Self::NothingToDo { why } => f.write_str(why),
        }
    }
}

impl Refusal {
    /// True where a person's consent is all that is lacking.
    pub fn is_for_want_of_consent(&self) -> bool {
        matches!(self, Self::NeedsApproval { .. } | Self::Irreversible | Self::RolledBack { .. })
    }
}

/// Cents as dollars with two places.
fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}
