//! watch: whether users have suffered since a phase. Not whether it saved: that the bill says, days later.
//!
//! What the last hours before the phase were like is compared with the same hours one watch later, a day by default: the same time
//! of day is its own counterfactual. A service suffers when its response times are worse by the bound of the policy, for certain,
//! or when fewer requests succeed than it says. It is harmless when the interval excludes such a loss. Load that has gone away proves
//! nothing: what would hurt at the old load is not seen at a smaller one.

use super::policy::Policy;
use crate::change::{Change, Reversal, WhenInconclusive};
use crate::ids::{ResourceId, SignalId};
use crate::outcome::{Outcome, Verdict};
use crate::snapshot::{Measurement, Snapshot};
use stats::compare::{Difference, difference};
use stats::robust::median;

/// Response times of what users call.
const LATENCIES: [&str; 3] = ["latency_p95_ms", "api_latency_p95_ms", "function_duration_p95_ms"];
/// Requests and failures of what users call, by signal: of the same resource.
const REQUESTS: [(&str, &str); 3] =
    [("requests", "errors_5xx"), ("api_requests", "api_errors_5xx"), ("function_invocations", "function_errors")];
/// Names of the signals that count what users call.
pub fn request_signals() -> impl Iterator<Item = &'static str> {
    REQUESTS.iter().map(|(requests, _)| *requests)
}

/// Load under this share of the one before proves nothing.
const LOAD_SHARE_MIN: f64 = 0.8;

/// What the watch came to for all changes of a phase.
struct Seen {
    verdict: Verdict,
    of: Option<(SignalId, ResourceId)>,
    before: Option<f64>,
    after: Option<f64>,
    interval: Option<(f64, f64)>,
    why: String,
}

/// Judges one change of a phase from the snapshot before the phase and one after the watch. All changes of a phase are watched
/// together: where users suffer, all of them are suspected.
pub fn watch(change: &Change, before: &Snapshot, after: &Snapshot, policy: &Policy) -> Outcome {
    let seen = look(before, after, policy);
    let loss_pct = match (seen.before, seen.after) {
        (Some(before), Some(after)) if before.abs() > f64::EPSILON => Some(100.0 * (before - after) / before.abs()),
        _ => None,
    };
    // What was compared; the saving itself is on the bill, not in a snapshot.
    let expected = || (change.expected.signal.clone(), change.expected.resource.clone());
    let (signal, resource) = seen.of.clone().unwrap_or_else(expected);
    let spec = change.action.spec();
    let keep = match seen.verdict {
        Verdict::Verified => true,
        Verdict::Regressed => spec.reversal != Reversal::Undoable,
        Verdict::Inconclusive => {
            spec.when_inconclusive == WhenInconclusive::Keep || spec.reversal != Reversal::Undoable
        }
    };
    Outcome {
        change: change.id.clone(),
        signal,
        resource,
        verdict: seen.verdict,
        before: seen.before,
        after: seen.after,
        interval: seen.interval,
        improvement_pct: loss_pct,
        keep,
        why: seen.why,
        measured_at: after.taken_at,
    }
}

/// Judges a change of which nothing is known from before it: inconclusive for that reason, and kept or undone by the rule of its kind.
pub fn watch_without_before(change: &Change, after: &Snapshot, reason: &str) -> Outcome {
    let spec = change.action.spec();
    Outcome {
        change: change.id.clone(),
        signal: change.expected.signal.clone(),
        resource: change.expected.resource.clone(),
        verdict: Verdict::Inconclusive,
        before: None,
        after: None,
        interval: None,
        improvement_pct: None,
        keep: spec.when_inconclusive == WhenInconclusive::Keep || spec.reversal != Reversal::Undoable,
        why: reason.to_owned(),
        measured_at: after.taken_at,
    }
}

fn look(before: &Snapshot, after: &Snapshot, policy: &Policy) -> Seen {
    let plain = |verdict, why: String| Seen { verdict, of: None, before: None, after: None, interval: None, why };
    if let Some(why) = unavailable(before, after, policy) {
        return plain(Verdict::Regressed, why);
    }
    let bound_pct = policy.performance_loss_pct_max;
    // The worst of what users call speaks for all of it.
    let mut worst: Option<(f64, &Measurement, Difference)> = None;
    let mut unread = Vec::new();
    for measurement in
        before.measurements.iter().filter(|m| m.member.is_none() && LATENCIES.contains(&m.signal.as_str()))
    {
        let values = |snapshot: &Snapshot| values(snapshot, measurement);
        let (was, is) = (values(before), values(after));
        let Some(found) = was.zip(is).and_then(|(was, is)| difference(&was, &is)).filter(|found| found.before > 0.0)
        else {
            unread.push(measurement.resource.as_str());
            continue;
        };
        let loss_pct = 100.0 * found.shift / found.before;
        if worst.as_ref().is_none_or(|(most, ..)| loss_pct > *most) {
            worst = Some((loss_pct, measurement, found));
        }
    }
    let Some((loss_pct, of, found)) = worst else {
        return plain(Verdict::Inconclusive, "what users feel is not measured, before or after".to_owned());
    };
    let low_pct = 100.0 * found.low / found.before;
    let high_pct = 100.0 * found.high / found.before;
    let numbers = format!(
        "{} of {} went from {:.0} to {:.0} ms at the same time of day ({loss_pct:+.1} %, 95 % interval {low_pct:+.1} to {high_pct:+.1})",
        of.signal, of.resource, found.before, found.after
    );
    let seen = |verdict, why| Seen {
        verdict,
        of: Some((of.signal.clone(), of.resource.clone())),
        before: Some(found.before),
        after: Some(found.after),
        interval: Some((found.low, found.high)),
        why,
    };
    if loss_pct >= bound_pct && low_pct > 0.0 {
        return seen(Verdict::Regressed, format!("users suffer: {numbers}, {bound_pct} % are allowed"));
    }
    if !unread.is_empty() {
        return seen(Verdict::Inconclusive, format!("{numbers}, but {} could not be compared", unread.join(", ")));
    }
    if let Some(share) = load_share(before, after).filter(|share| *share < LOAD_SHARE_MIN) {
        let why = format!("{numbers}, but under {:.0} % of the load before, which proves nothing", share * 100.0);
        return seen(Verdict::Inconclusive, why);
    }
    if high_pct < bound_pct {
        return seen(Verdict::Verified, format!("nobody suffers: {numbers}, {bound_pct} % are allowed"));
    }
    seen(Verdict::Inconclusive, format!("{numbers}: a loss of {bound_pct} % can't be excluded"))
}

/// Why fewer requests succeed than they should, where they did before.
fn unavailable(before: &Snapshot, after: &Snapshot, policy: &Policy) -> Option<String> {
    REQUESTS.iter().find_map(|(requests, errors)| {
        before.of_signal(requests).find_map(|of| {
            let share = |snapshot: &Snapshot| {
                let total: f64 = values(snapshot, of)?.iter().sum();
                let failed = snapshot.measurement(errors, &of.resource)?;
                let failed: f64 = values(snapshot, failed)?.iter().sum();
                (total > 0.0).then(|| 100.0 * (1.0 - failed / total))
            };
            let (was, is) = (share(before)?, share(after)?);
            let least = policy.availability_pct_min;
            (is < least && was >= least).then(|| {
                format!(
                    "users suffer: {is:.2} % of the requests to {} succeed, {was:.2} % did; {least} % are needed",
                    of.resource
                )
            })
        })
    })
}

/// Load after, as a share of the load before: of all requests that both snapshots know.
fn load_share(before: &Snapshot, after: &Snapshot) -> Option<f64> {
    let mut loads = (0.0, 0.0);
    for (signal, _) in REQUESTS {
        for of in before.of_signal(signal) {
            let (Some(was), Some(is)) = (values(before, of), values(after, of)) else { continue };
            let (Some(was), Some(is)) = (median(&was), median(&is)) else { continue };
            loads = (loads.0 + was, loads.1 + is);
        }
    }
    (loads.0 > 0.0).then(|| loads.1 / loads.0)
}

/// All known values of the same measurement in a snapshot; none where it is missing or empty.
fn values(snapshot: &Snapshot, like: &Measurement) -> Option<Vec<f64>> {
    let found = snapshot.measurement(like.signal.as_str(), &like.resource)?;
    let values: Vec<f64> = found.series.known()?.values.iter().flatten().copied().collect();
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests;
