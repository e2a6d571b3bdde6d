//! Guards: the last word before a change. Each refusal is typed and carries its numbers.
//!
//! A guard sees the change, the live state read a moment ago, and what the records say. It never looks anything up.
//! [`Cleared`] can only be made here, and only a cleared change can be applied. The order and the reasons are in
//! `docs/changes-and-guards.md`.

mod between;
mod facts;
mod limits;
mod off_hours;
mod refusal;
mod scope;
#[cfg(test)]
mod tests;
mod things;

use between::{incident, rolled_back, surge, takes_back, unjudged};
pub use facts::{Facts, KillSwitch};
pub use limits::Limits;
pub use refusal::Refusal;
use scope::scope;
pub(crate) use scope::{replace, restart};

use crate::approval::{Approval, Consent};
use crate::change::{Change, Reversal};
use crate::mode::Mode;
use crate::resource::Live;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A change that passed every guard. Only [`clear`] makes one.
#[derive(Debug)]
pub struct Cleared<'a> {
    change: &'a Change,
    live: &'a Live,
}

impl Cleared<'_> {
    /// The change.
    pub fn change(&self) -> &Change {
        self.change
    }

    /// The live state that the guards passed on: what is captured for undo.
    pub fn live(&self) -> &Live {
        self.live
    }
}

/// A guard: its name in records and documents, and what it says.
#[derive(Clone, Copy)]
pub struct Guard {
    /// Stable name.
    pub name: &'static str,
    /// Passes the change, or refuses it with its numbers.
    check: fn(&Change, &Facts, &Limits) -> Result<(), Refusal>,
}

/// Every guard, in the order in which they are asked: what a person has set comes first, then what the plan rests on,
/// then how much has been changed, then the resource itself.
pub const GUARDS: [Guard; 21] = [
    Guard { name: "kill_switch", check: kill_switch },
    Guard { name: "freeze", check: freeze },
    Guard { name: "change_calendar", check: change_calendar },
    Guard { name: "surge", check: surge },
    Guard { name: "protected", check: protected },
    Guard { name: "shared", check: shared },
    Guard { name: "mode", check: mode },
    Guard { name: "rolled_back", check: rolled_back },
    Guard { name: "stale", check: stale },
    Guard { name: "incomplete", check: incomplete },
    Guard { name: "incident", check: incident },
    Guard { name: "unjudged", check: unjudged },
    Guard { name: "takes_back", check: takes_back },
    Guard { name: "budget", check: budget },
    Guard { name: "resource_budget", check: resource_budget },
    Guard { name: "circuit_breaker", check: circuit_breaker },
    Guard { name: "repeated", check: repeated },
    Guard { name: "busy", check: unsettled },
    Guard { name: "cool_down", check: cool_down },
    Guard { name: "spend", check: spend },
    Guard { name: "resource", check: scope },
];

/// Passes a change, or says which guard refuses it and with which numbers. Guards that stop everything come first.
///
/// # Errors
/// The first [`Refusal`] in the order of [`GUARDS`].
pub fn clear<'a>(change: &'a Change, facts: &'a Facts, limits: &Limits) -> Result<Cleared<'a>, Refusal> {
    GUARDS.iter().try_for_each(|guard| (guard.check)(change, facts, limits))?;
    Ok(Cleared { change, live: &facts.live })
}

/// What one guard says of a change, for a preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The guard.
    pub guard: String,
    /// Its refusal; `None` when it lets the change pass.
    pub refusal: Option<Refusal>,
}

/// What every guard says of a change, in their order. Passing all of them here clears nothing.
pub fn review(change: &Change, facts: &Facts, limits: &Limits) -> Vec<Said> {
    let said =
        |guard: &Guard| Said { guard: guard.name.to_owned(), refusal: (guard.check)(change, facts, limits).err() };
    GUARDS.iter().map(said).collect()
}

fn kill_switch(_: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    match &facts.kill_switch {
        KillSwitch::Off => Ok(()),
        KillSwitch::On => Err(Refusal::KillSwitch),
        KillSwitch::Unreadable(why) => Err(Refusal::KillSwitchUnreadable { why: why.clone() }),
    }
}

fn freeze(_: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    facts.freeze.as_ref().map_or(Ok(()), |window| Err(Refusal::Frozen { window: window.clone() }))
}

fn change_calendar(_: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    facts.calendar_closed.as_ref().map_or(Ok(()), |why| Err(Refusal::CalendarClosed { why: why.clone() }))
}

fn protected(_: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    if facts.protected { Err(Refusal::Protected) } else { Ok(()) }
}

fn shared(_: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    facts.other_owner.as_ref().map_or(Ok(()), |with| Err(Refusal::Shared { with: with.clone() }))
}

/// Who decides. A person's consent lets a change pass where the mode asks for one; nothing lets it pass in observe.
fn mode(change: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    let spec = change.action.spec();
    let is_irreversible = spec.reversal == Reversal::Irreversible;
    match (facts.mode, &facts.consent) {
        (Mode::Observe, _) => Err(Refusal::Observing),
        (Mode::Auto, _) if !is_irreversible => Ok(()),
        // Autonomy is earned for what can be taken back; what can't be is asked for each time.
        (Mode::Approve, Consent::Given(Approval::Earned { .. })) if !is_irreversible => Ok(()),
        (_, Consent::Given(Approval::Given { .. })) => Ok(()),
        (_, Consent::Denied { by, .. }) => Err(Refusal::Denied { by: by.clone() }),
        (_, Consent::Awaiting { asked_at }) => Err(Refusal::AwaitingAnswer { asked_at: *asked_at }),
        (_, Consent::Unanswered { asked_at }) => Err(Refusal::Unanswered { asked_at: *asked_at }),
        (_, Consent::NotAsked | Consent::Given(Approval::Earned { .. })) if is_irreversible => {
            Err(Refusal::Irreversible)
        }
        (_, Consent::NotAsked | Consent::Given(_)) => Err(Refusal::NeedsApproval { risk: spec.risk }),
    }
}

fn stale(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    let age_s = facts.now.duration_since(facts.snapshot_at).as_secs();
    // A snapshot from the future is as little to be trusted as an old one: a clock has jumped.
    if age_s > i64::from(limits.snapshot_age_s_max) || age_s < -60 {
        return Err(Refusal::Stale { age_s, max_s: limits.snapshot_age_s_max });
    }
    Ok(())
}

fn incomplete(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    // Not a number is not enough either.
    if facts.completeness.is_nan() || facts.completeness < limits.completeness_min {
        return Err(Refusal::Incomplete {
            known_pct: facts.completeness * 100.0,
            min_pct: limits.completeness_min * 100.0,
        });
    }
    Ok(())
}

fn budget(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    let budgets = [
        ("execution", facts.changes_in_execution, limits.changes_per_execution_max),
        ("hour", facts.changes_last_hour, limits.changes_per_hour_max),
        ("day", facts.changes_last_day, limits.changes_per_day_max),
    ];
    for (per, used, max) in budgets {
        if used >= max {
            return Err(Refusal::Budget { per: per.to_owned(), used, max });
        }
    }
    Ok(())
}

fn resource_budget(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    let budgets = [
        ("hour", facts.resource_changes_last_hour, limits.changes_per_resource_per_hour_max),
        ("day", facts.resource_changes_last_day, limits.changes_per_resource_per_day_max),
    ];
    for (per, used, max) in budgets {
        if used >= max {
            return Err(Refusal::ResourceBudget { per: per.to_owned(), used, max });
        }
    }
    Ok(())
}

fn circuit_breaker(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    if facts.undos_last_day >= limits.undos_per_day_max {
        return Err(Refusal::CircuitOpen { undos: facts.undos_last_day, max: limits.undos_per_day_max });
    }
    Ok(())
}

fn repeated(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    if facts.repeats_last_day >= limits.repeats_per_day_max {
        return Err(Refusal::Repeated { times: facts.repeats_last_day, max: limits.repeats_per_day_max });
    }
    Ok(())
}

/// Two open changes on one resource could be neither measured apart nor undone apart.
fn unsettled(_: &Change, facts: &Facts, _: &Limits) -> Result<(), Refusal> {
    let busy = |open| Err(Refusal::Busy { what: format!("the unsettled change {open}") });
    facts.open_change.as_ref().map_or(Ok(()), busy)
}

fn cool_down(_: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    if let Some(at) = facts.resource_changed_at {
        let since = facts.now.duration_since(at);
        if since < SignedDuration::from_secs(i64::from(limits.cooldown_s)) {
            return Err(Refusal::CoolingDown { since_s: since.as_secs(), min_s: limits.cooldown_s });
        }
    }
    Ok(())
}

fn spend(change: &Change, facts: &Facts, limits: &Limits) -> Result<(), Refusal> {
    // What saves is never too dear, and an unknown price is no price.
    let added = change.cost_usd_cents_month.unwrap_or(0);
    if added <= 0 {
        return Ok(());
    }
    let (of_run, run_max) = (facts.spent_usd_cents_month.saturating_add(added), limits.spend_usd_cents_month_max);
    if of_run > run_max {
        return Err(Refusal::Spend { total_usd_cents_month: of_run, max_usd_cents_month: run_max });
    }
    let (of_app, app_max) =
        (facts.app_spent_usd_cents_month.saturating_add(added), limits.app_spend_usd_cents_month_max);
    if of_app > app_max {
        return Err(Refusal::AppSpend { total_usd_cents_month: of_app, max_usd_cents_month: app_max });
    }
    Ok(())
}
