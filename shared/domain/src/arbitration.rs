//! Arbitration between cycles: when nothing may be made smaller, and what one cycle may not take back from another.
//!
//! Growth and restarts are never held up here: whatever relieves an application comes first. Pure functions of what was read;
//! the guards and the undoing on order ask them. The reasons are in `docs/changes-and-guards.md`.

mod incident;
#[cfg(test)]
mod tests;

pub use incident::{Incident, Signs, incident};

use crate::change::{Action, ChangeKind, Way};
use crate::execution::Workflow;
use crate::guard::Refusal;
use crate::ids::{ChangeId, ResourceId};
use crate::resource::Live;
use crate::settle::{Setting, value, wanted};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Ordering;

/// Which way a change moves what it modifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More of it: never held up.
    Grows,
    /// Less of it.
    Reduces,
    /// The same state comes back, nothing that serves anybody changes, or the live state has no such value.
    Neutral,
}

impl Direction {
    /// Of a change, from the live state.
    pub fn of(action: &Action, live: &Live) -> Self {
        match action.spec().direction {
            Way::ByValue => Self::from_to(value(action, live), wanted(action)),
            Way::Neutral => Self::Neutral,
            Way::Reduces => Self::Reduces,
        }
    }

    /// Of its undo, from what it has set to the state captured before it.
    pub fn of_undo(action: &Action, prior: &Live) -> Self {
        match action.spec().direction {
            Way::ByValue => Self::from_to(wanted(action), value(action, prior)),
            Way::Neutral => Self::Neutral,
            Way::Reduces => Self::Grows,
        }
    }

    fn from_to(from: Option<Setting>, to: Option<Setting>) -> Self {
        let count = |setting: Option<Setting>| setting.and_then(|setting| setting.count());
        match count(from).zip(count(to)).map(|(from, to)| to.cmp(&from)) {
            Some(Ordering::Greater) => Self::Grows,
            Some(Ordering::Less) => Self::Reduces,
            Some(Ordering::Equal) | None => Self::Neutral,
        }
    }
}

/// An earlier change of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its id.
    pub id: ChangeId,
    /// Who made it.
    pub by: Workflow,
    /// Its kind: what it modifies of the resource.
    pub kind: ChangeKind,
    /// The resource.
    pub resource: ResourceId,
    /// Which way it went.
    pub direction: Direction,
    /// Where it stands.
    pub stands: Stands,
    /// Since when it stands so.
    pub at: Timestamp,
}

/// Where an earlier change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Made, or perhaps made, and not judged yet.
    Unjudged,
    /// Judged and kept.
    Kept,
    /// A person has had it taken back.
    RolledBack,
}

/// What speaks against making something of an application smaller now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Restraints {
    /// The surge that is announced, in words.
    pub surge: Option<String>,
    /// The incident that is open.
    pub incident: Option<Incident>,
    /// A change of another workflow that is not judged yet.
    pub unjudged: Option<Made>,
}

impl Restraints {
    /// A surge that is announced forbids it.
    ///
    /// # Errors
    /// The [`Refusal`].
    pub fn surge(&self) -> Result<(), Refusal> {
        self.surge.as_ref().map_or(Ok(()), |surge| Err(Refusal::Surge { surge: surge.clone() }))
    }

    /// An open incident forbids it.
    ///
    /// # Errors
    /// The [`Refusal`].
    pub fn incident(&self) -> Result<(), Refusal> {
        self.incident.as_ref().map_or(Ok(()), |incident| Err(Refusal::Incident { incident: incident.clone() }))
    }

    /// A change of another workflow that is still being verified forbids it, on whichever resource: what is taken away
    /// meanwhile would spoil the measurement, and be measured as its effect.
    ///
    /// # Errors
    /// The [`Refusal`].
    pub fn unjudged(&self) -> Result<(), Refusal> {
        let refusal =
            |made: &Made| Refusal::Unjudged { change: made.id.clone(), by: made.by, resource: made.resource.clone() };
        self.unjudged.as_ref().map_or(Ok(()), |made| Err(refusal(made)))
    }

    /// All three, in the order of the guards.
    ///
    /// # Errors
    /// The first [`Refusal`].
    pub fn all(&self) -> Result<(), Refusal> {
        self.surge().and_then(|()| self.incident()).and_then(|()| self.unjudged())
    }
}

/// A change of another workflow that is not judged yet, the oldest.
pub fn unjudged(by: Workflow, made: &[Made]) -> Option<&Made> {
    made.iter().filter(|made| made.by != by && made.stands == Stands::Unjudged).min_by_key(|made| made.at)
}

/// What is asked of the past: a change that a workflow wants to make.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who wants it.
    pub by: Workflow,
    /// Its kind.
    pub kind: ChangeKind,
    /// The resource.
    pub resource: &'a ResourceId,
    /// Which way it goes.
    pub direction: Direction,
}

/// The growth of another workflow that this reduction would take back, if it was verified within these hours: the newest.
///
/// Only reductions are held up. With that, two workflows can't undo each other in turn: between the growth of one and the
/// reduction of the other lie at least these hours, however often they take turns.
pub fn takes_back<'a>(wanted: Wanted<'_>, made: &'a [Made], hours: u32, now: Timestamp) -> Option<&'a Made> {
    if wanted.direction != Direction::Reduces {
        return None;
    }
    let is_it =
        |made: &&Made| made.by != wanted.by && made.stands == Stands::Kept && made.direction == Direction::Grows;
    newest(wanted, made, hours, now, is_it)
}

/// The same change, or more of the same, that a person has had rolled back within these hours: the newest.
pub fn rolled_back<'a>(wanted: Wanted<'_>, made: &'a [Made], hours: u32, now: Timestamp) -> Option<&'a Made> {
    if wanted.direction == Direction::Neutral {
        return None;
    }
    let is_it = |made: &&Made| made.stands == Stands::RolledBack && made.direction == wanted.direction;
    newest(wanted, made, hours, now, is_it)
}

fn newest<'a>(
    wanted: Wanted<'_>,
    made: &'a [Made],
    hours: u32,
    now: Timestamp,
    is_it: impl Fn(&&'a Made) -> bool,
) -> Option<&'a Made> {
    let bound = now.checked_sub(SignedDuration::from_hours(i64::from(hours))).unwrap_or(Timestamp::MIN);
    made.iter()
        .filter(|made| {
            modified(made.kind) == modified(wanted.kind) && made.resource == *wanted.resource && made.at > bound
        })
        .filter(is_it)
        .max_by_key(|made| made.at)
}

/// What a kind of change modifies, by the kind that modifies it alone: off hours set the size of a fleet.
fn modified(kind: ChangeKind) -> ChangeKind {
    if kind == ChangeKind::SetFleetSchedule { ChangeKind::SetFleetCapacity } else { kind }
}
