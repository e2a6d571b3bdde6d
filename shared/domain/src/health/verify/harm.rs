//! What users feel beside the verifying signal: a change that lowers CPU and slows every answer did harm.
//!
//! Response time and error rate of what the changed resource answers for, or of every front door where that is not
//! known. A worsening within the budget harms nobody.

use super::bounds::{self, Without};
use super::interval::difference;
use super::{Case, load, windows};
use crate::change::{Better, Change};
use crate::health::analysis::worded;
use crate::health::links;
use crate::resource::{Resource, ResourceKind};
use crate::snapshot::Snapshot;

/// What users felt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Harm {
    /// Nothing got worse.
    None,
    /// Something got worse, but load could explain it, or it can't be measured any more.
    Possible(String),
    /// Something got worse, and load does not explain it.
    Done(String),
}

/// Looks at every symptom that could show harm; the worst answer counts.
pub(super) fn look(case: &Case<'_>) -> Harm {
    let mut worst = Harm::None;
    for door in doors(case.before.snapshot, case.change) {
        for signal in signals(door) {
            if case.change.expected.signal.as_str() == signal && case.change.expected.resource == door.id {
                continue;
            }
            match one(case, signal, door) {
                Harm::Done(what) => return Harm::Done(what),
                Harm::Possible(what) => worst = Harm::Possible(what),
                Harm::None => {}
            }
        }
    }
    worst
}

/// The front doors that users of the changed resource come in by.
pub(super) fn doors<'a>(snapshot: &'a Snapshot, change: &Change) -> Vec<&'a Resource> {
    let own = snapshot.resource(&change.resource).map(|server| links::fronts(snapshot, server)).unwrap_or_default();
    if !own.is_empty() {
        return own;
    }
    snapshot.resources.iter().filter(|r| matches!(r.kind(), ResourceKind::TargetGroup | ResourceKind::Api)).collect()
}

/// What they feel there.
pub(super) fn signals(door: &Resource) -> [&'static str; 2] {
    match door.kind() {
        ResourceKind::Api => ["api_latency_p95_ms", "api_error_rate_pct"],
        _ => ["latency_p95_ms", "error_rate_pct"],
    }
}

fn one(case: &Case<'_>, signal: &str, door: &Resource) -> Harm {
    let policy = case.policy;
    let was_measured = case.before.known(signal, door).is_some();
    let (before, after) = match windows::whole(case, signal, door) {
        Ok(samples) => samples,
        Err(_) if !was_measured => return Harm::None,
        Err(why) => return Harm::Possible(why),
    };
    let budget = if signal.contains("latency") { policy.harm_latency_ms } else { policy.harm_error_rate_pct };
    let worse_than = |without: Without| {
        let corrected: Vec<f64> = before.iter().map(|value| without.of(*value)).collect();
        let found = difference(&corrected, &after)?;
        let clearly =
            found.low > 0.0 && found.shift >= policy.harm_min_pct / 100.0 * found.before && found.after > budget;
        clearly.then_some(found)
    };
    let Some(plain) = worse_than(Without::SAME) else { return Harm::None };
    let says = format!(
        "{signal} of {} went from {} to {}",
        door.name,
        worded(signal, plain.before),
        worded(signal, plain.after)
    );
    match (bounds::of(case, signal, door, Better::Lower), load::bounds_of(case, signal, door)) {
        (Ok(bounds), _) if worse_than(bounds.regressed).is_some() => Harm::Done(says),
        (Ok(_), Ok(by_load)) if worse_than(by_load.regressed).is_none() => {
            Harm::Possible(format!("{says}, which the load could explain"))
        }
        (Ok(bounds), _) => Harm::Possible(format!("{says}, which is nothing new at this hour{}", bounds.says)),
        (Err(_), _) => Harm::Possible(says),
    }
}
