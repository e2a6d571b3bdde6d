//! Guards between cycles, and between the maintainer and who has had a change of it rolled back. The rules are in
//! [`crate::arbitration`].

use super::{Facts, Limits, Refusal};
use crate::approval::{Approval, Consent};
use crate::arbitration::{Direction, Restraints};
use crate::change::Change;

pub(super) fn surge(change: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    restrained(change, facts, Restraints::surge)
}

pub(super) fn incident(change: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    restrained(change, facts, Restraints::incident)
}

pub(super) fn unjudged(change: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    restrained(change, facts, Restraints::unjudged)
}

/// What holds only for a change that makes something smaller.
fn restrained(change: &Change, facts: &Facts, by: fn(&Restraints) -> Result<(), Refusal>) -> Result<(), Refusal> {
    if Direction::of(&change.action, &facts.live) == Direction::Reduces { by(&facts.restraints) } else { Ok(()) }
}

/// What another cycle has verified stands for a while. Growth is never held up by it.
pub(super) fn takes_back(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    facts.takes_back.as_ref().map_or(Ok(()), |made| {
        Err(Refusal::TakesBack {
            change: made.id.clone(),
            by: made.by,
            since_min: facts.minutes_since(made.at),
            min_h: limits.reversal_bars_h,
        })
    })
}

/// Whoever has had a change rolled back is asked before it is made again.
pub(super) fn rolled_back(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    let Some(made) = &facts.rolled_back else { return Ok(()) };
    match &facts.consent {
        Consent::Given(Approval::Given { .. }) => Ok(()),
        Consent::Denied { by, .. } => Err(Refusal::Denied { by: by.clone() }),
        Consent::Awaiting { asked_at } => Err(Refusal::AwaitingAnswer { asked_at: *asked_at }),
        Consent::Unanswered { asked_at } => Err(Refusal::Unanswered { asked_at: *asked_at }),
        Consent::NotAsked | Consent::Given(Approval::Earned { .. }) => Err(Refusal::RolledBack {
            change: made.id.clone(),
            since_min: facts.minutes_since(made.at),
            min_h: limits.reversal_bars_h,
        }),
    }
}
