//! watch: whether users have suffered since a phase. Not whether it saved: that the bill says, days later.
//!
//! What the last hours before the phase were like is compared with the same hours one watch later, a day by default: the same time
//! of day is its own counterfactual. A service suffers when its response times are worse by the bound of the policy, for certain,
//! or when fewer requests succeed than it says. It is harmless when the interval excludes such a loss. Load that has gone away proves
//! nothing: what would hurt at the old load is not seen at a smaller one. Where a response time was predicted (`response.rs`), one
//! that is above it for certain takes the change back however small the loss: what was believed of the application is wrong.

use super::policy::Policy;
use super::response::{ResponseTime, response_times};
use crate::change::{Change, Reversal, WhenInconclusive};
use crate::ids::{ResourceId, SignalId};
use crate::outcome::{Outcome, Verdict};
use crate::snapshot::{Measurement, Snapshot};
use stats::compare::{Difference, difference};
use stats::robust::median;
use std::fmt::{self, Display, Formatter};

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
    let seen = look(change, before, after, policy);
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

/// A response time before and after.
struct Compared<'a> {
    of: &'a Measurement,
    found: Difference,
    /// What the smaller fleet was expected to make of it.
    expected: Option<&'a ResponseTime>,
}

impl Compared<'_> {
    fn loss_pct(&self) -> f64 {
        100.0 * self.found.shift / self.found.before
    }

    fn interval_pct(&self) -> (f64, f64) {
        (100.0 * self.found.low / self.found.before, 100.0 * self.found.high / self.found.before)
    }

    /// For certain above what was expected.
    fn exceeds(&self) -> bool {
        self.expected.is_some_and(|expected| self.found.before + self.found.low > expected.high_ms)
    }

    fn seen(&self, verdict: Verdict, why: String) -> Seen {
        Seen {
            verdict,
            of: Some((self.of.signal.clone(), self.of.resource.clone())),
            before: Some(self.found.before),
            after: Some(self.found.after),
            interval: Some((self.found.low, self.found.high)),
            why,
        }
    }
}

impl Display for Compared<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let (Difference { before, after, .. }, (low, high)) = (self.found, self.interval_pct());
        write!(
            out,
            "{} of {} went from {before:.0} to {after:.0} ms at the same time of day ({:+.1} %, 95 % interval {low:+.1} to {high:+.1}",
            self.of.signal,
            self.of.resource,
            self.loss_pct(),
        )?;
        let Some(ResponseTime { low_ms, high_ms, .. }) = self.expected else { return out.write_str(")") };
        write!(out, "; {low_ms:.0} to {high_ms:.0} ms were expected)")
    }
}

fn look(change: &Change, before: &Snapshot, after: &Snapshot, policy: &Policy) -> Seen {
    let plain = |verdict, why: String| Seen { verdict, of: None, before: None, after: None, interval: None, why };
    if let Some(why) = unavailable(before, after, policy) {
        return plain(Verdict::Regressed, why);
    }
    let bound_pct = policy.performance_loss_pct_max;
    let share = load_share(before, after);
    let expected = response_times(change, before, share);
    let mut compared = Vec::new();
    let mut unread = Vec::new();
    for of in before.measurements.iter().filter(|m| m.member.is_none() && LATENCIES.contains(&m.signal.as_str())) {
        let (was, is) = (values(before, of), values(after, of));
        match was.zip(is).and_then(|(was, is)| difference(&was, &is)).filter(|found| found.before > 0.0) {
            Some(found) => {
                compared.push(Compared { of, found, expected: expected.iter().find(|expected| expected.is_of(of)) });
            }
            None => unread.push(of.resource.as_str()),
        }
    }
    // The worst of what users call speaks for all of it.
    let Some(worst) = compared.iter().max_by(|a, b| a.loss_pct().total_cmp(&b.loss_pct())) else {
        return plain(Verdict::Inconclusive, "what users feel is not measured, before or after".to_owned());
    };
    let (low_pct, high_pct) = worst.interval_pct();
    if worst.loss_pct() >= bound_pct && low_pct > 0.0 {
        return worst.seen(Verdict::Regressed, format!("users suffer: {worst}, {bound_pct} % are allowed"));
    }
    if let Some(slower) = compared.iter().find(|compared| compared.exceeds()) {
        return slower.seen(Verdict::Regressed, format!("slower than a smaller fleet explains: {slower}"));
    }
    if !unread.is_empty() {
        let why = format!("{worst}, but {} could not be compared", unread.join(", "));
        return worst.seen(Verdict::Inconclusive, why);
    }
    if let Some(share) = share.filter(|share| *share < LOAD_SHARE_MIN) {
        let why = format!("{worst}, but under {:.0} % of the load before, which proves nothing", share * 100.0);
        return worst.seen(Verdict::Inconclusive, why);
    }
    if high_pct < bound_pct {
        return worst.seen(Verdict::Verified, format!("nobody suffers: {worst}, {bound_pct} % are allowed"));
    }
    worst.seen(Verdict::Inconclusive, format!("{worst}: a loss of {bound_pct} % can't be excluded"))
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
