//! verify: whether an index has helped the statements that it was built for, without making others or users slower.
//!
//! The same statements are compared in a window before and one after, each weighed by how often it was asked **before**: what is asked more
//! or less often afterwards proves nothing. The interval is that of the difference of two means with the spread that the server has measured
//! of single executions (Welch). What the index costs is in the balance: time of the statements that write to its table counts against it.

use super::index::IndexState;
use super::plan::Target;
use super::policy::Policy;
use super::profile::Window;
use crate::change::{Change, Reversal, WhenInconclusive};
use crate::observed::Observed;
use crate::outcome::{Outcome, Verdict};
use crate::snapshot::{Measurement, Snapshot};
use stats::compare::{Difference, difference};

/// Response times of what users call.
const LATENCIES: [&str; 3] = ["latency_p95_ms", "api_latency_p95_ms", "function_duration_p95_ms"];
/// Half-width of a 95 % interval in standard errors.
const SIGMAS: f64 = 1.96;
const HOUR_S: f64 = 3_600.0;

/// All that is known before and after a change.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// What was to be measured.
    pub target: &'a Target,
    /// The window before.
    pub before: &'a Observed<Window>,
    /// The window after.
    pub after: &'a Observed<Window>,
    /// What users felt before.
    pub users_before: &'a Snapshot,
    /// What they feel after.
    pub users_after: &'a Snapshot,
    /// Whether the index is there; `None` where that could not be read.
    pub state: Option<IndexState>,
}

/// Time of some statements, before and after, at the rate at which they were asked before.
#[derive(Clone, Copy, Debug)]
struct Balance {
    before_ms: f64,
    after_ms: f64,
    variance: f64,
    calls: f64,
}

impl Balance {
    fn shift(&self) -> f64 {
        self.after_ms - self.before_ms
    }

    fn interval(&self) -> (f64, f64) {
        let half = SIGMAS * self.variance.sqrt();
        (self.shift() - half, self.shift() + half)
    }
}

/// Statements that could be compared, in milliseconds an hour, and how many could not.
fn balance(ids: &[i64], before: &Window, after: &Window, policy: &Policy) -> (Option<Balance>, usize) {
    let mut sum = Balance { before_ms: 0.0, after_ms: 0.0, variance: 0.0, calls: 0.0 };
    let mut lacking = 0;
    for id in ids {
        let Some(was) = before.statement(*id) else { continue };
        let Some(is) = after.statement(*id).filter(|is| is.calls >= policy.calls_min) else {
            lacking += 1;
            continue;
        };
        if was.calls < policy.calls_min {
            lacking += 1;
            continue;
        }
        let rate = was.calls / before.seconds.max(1.0) * HOUR_S;
        sum.before_ms += rate * was.mean_ms;
        sum.after_ms += rate * is.mean_ms;
        sum.variance += rate * rate * (was.sd_ms * was.sd_ms / was.calls + is.sd_ms * is.sd_ms / is.calls);
        sum.calls += rate;
    }
    ((sum.calls > 0.0).then_some(sum), lacking)
}

/// Judges an index.
pub fn verify(change: &Change, seen: &Measured<'_>, policy: &Policy) -> Outcome {
    let (verdict, numbers, why) = judge(seen, policy);
    outcome(change, verdict, numbers, why, seen.users_after)
}

/// Judges an index of which nothing can be compared: inconclusive for that reason, and taken back.
pub fn without_measurement(change: &Change, after: &Snapshot, why: &str) -> Outcome {
    outcome(change, Verdict::Inconclusive, None, why.to_owned(), after)
}

/// Means of one execution before and after, with the interval of the difference.
type Numbers = Option<(f64, f64, (f64, f64))>;

fn outcome(change: &Change, verdict: Verdict, numbers: Numbers, why: String, after: &Snapshot) -> Outcome {
    let spec = change.action.spec();
    let keep = match verdict {
        Verdict::Verified => true,
        Verdict::Regressed => spec.reversal != Reversal::Undoable,
        Verdict::Inconclusive => {
            spec.when_inconclusive == WhenInconclusive::Keep || spec.reversal != Reversal::Undoable
        }
    };
    let improvement = |(before, after, _): (f64, f64, (f64, f64))| 100.0 * (before - after) / before.max(1e-9);
    Outcome {
        change: change.id.clone(),
        signal: change.expected.signal.clone(),
        resource: change.expected.resource.clone(),
        verdict,
        before: numbers.map(|(before, ..)| before),
        after: numbers.map(|(_, after, _)| after),
        interval: numbers.map(|(.., interval)| interval),
        improvement_pct: numbers.map(improvement),
        keep,
        why,
        measured_at: after.taken_at,
    }
}

fn judge(seen: &Measured<'_>, policy: &Policy) -> (Verdict, Numbers, String) {
    let unsure = |why: String| (Verdict::Inconclusive, None, why);
    match seen.state {
        Some(IndexState::Valid) => {}
        Some(IndexState::Absent) => return unsure("the index is not there any more".to_owned()),
        Some(IndexState::Invalid) => return unsure("the build was interrupted, no query uses what it left".to_owned()),
        None => return unsure("whether the index is there could not be read".to_owned()),
    }
    let (before, after) = match (seen.before, seen.after) {
        (Observed::Known(before), Observed::Known(after)) => (before, after),
        (Observed::Missing(why), _) => return unsure(format!("what the database did before is not known: {why}")),
        (_, Observed::Missing(why)) => return unsure(format!("what the database did afterwards is not known: {why}")),
    };
    let (readers, lacking) = balance(&seen.target.readers, before, after, policy);
    let Some(readers) = readers else {
        return unsure(format!(
            "the queries that it was built for were asked fewer than {:.0} times, before or after",
            policy.calls_min
        ));
    };
    let writers: Vec<i64> =
        seen.target.writers.iter().filter(|id| !seen.target.readers.contains(id)).copied().collect();
    let (writers, _) = balance(&writers, before, after, policy);
    let each = |ms: f64| ms / readers.calls;
    let (low, high) = readers.interval();
    let numbers = Some((each(readers.before_ms), each(readers.after_ms), (each(low), each(high))));
    let gain_pct = -100.0 * readers.shift() / readers.before_ms.max(1e-9);
    let told = format!(
        "its queries took {:.2} ms and take {:.2} ms ({:+.1} %, 95 % interval of the difference {:+.2} to {:+.2} ms)",
        each(readers.before_ms),
        each(readers.after_ms),
        -gain_pct,
        each(low),
        each(high)
    );
    if let Some(why) = users_suffer(seen, policy) {
        return (Verdict::Regressed, numbers, format!("{why}; {told}"));
    }
    if let Some(writers) = &writers {
        let all = Balance {
            before_ms: readers.before_ms + writers.before_ms,
            after_ms: readers.after_ms + writers.after_ms,
            variance: readers.variance + writers.variance,
            calls: readers.calls + writers.calls,
        };
        if all.interval().0 > 0.0 {
            let why = format!(
                "writes to the table got slower by {:.1} s in an hour, more than its queries gained; {told}",
                writers.shift() / 1_000.0
            );
            return (Verdict::Regressed, numbers, why);
        }
    }
    if low > 0.0 {
        return (Verdict::Regressed, numbers, format!("slower: {told}"));
    }
    let lost = writers.filter(|writers| writers.interval().0 > 0.0).map_or(0.0, |writers| writers.shift());
    let net_pct = -100.0 * (readers.shift() + lost) / readers.before_ms.max(1e-9);
    if high < 0.0 && net_pct > 0.0 {
        let partly =
            if lacking > 0 { format!("; {lacking} of them were asked too rarely to tell") } else { String::new() };
        if net_pct >= policy.improvement_pct_min {
            return (Verdict::Verified, numbers, format!("{told}{partly}"));
        }
        if let Some(reached) = target_reached(seen, policy) {
            return (Verdict::Verified, numbers, format!("{reached}; {told}{partly}"));
        }
    }
    (Verdict::Inconclusive, numbers, format!("{told}; {:.0} % are asked for", policy.improvement_pct_min))
}

/// Response times of what users call, before and after.
fn response_times<'a>(
    seen: &'a Measured<'_>,
    policy: &'a Policy,
) -> impl Iterator<Item = (&'a Measurement, Difference)> + 'a {
    let of = seen.users_before.measurements.iter();
    of.filter(|m| m.member.is_none() && LATENCIES.contains(&m.signal.as_str())).filter_map(|of| {
        let values = |snapshot| values(snapshot, of, policy.window_s);
        Some((of, difference(&values(seen.users_before)?, &values(seen.users_after)?)?))
    })
}

fn told(of: &Measurement, found: &Difference) -> String {
    format!(
        "{} of {} went from {:.0} to {:.0} ms (95 % interval of the difference {:+.0} to {:+.0})",
        of.signal, of.resource, found.before, found.after, found.low, found.high
    )
}

/// Why users are served worse than before, for certain.
fn users_suffer(seen: &Measured<'_>, policy: &Policy) -> Option<String> {
    response_times(seen, policy).find_map(|(of, found)| {
        let loss_pct = 100.0 * found.shift / found.before;
        let is_worse = found.before > 0.0 && loss_pct >= policy.loss_pct_max && found.low > 0.0;
        is_worse.then(|| format!("users suffer: {}", told(of, &found)))
    })
}

/// What users wait for less than the target now, for certain less than before, when it was more: then it counts however small the gain of
/// the queries was.
fn target_reached(seen: &Measured<'_>, policy: &Policy) -> Option<String> {
    let target = policy.target_p95_ms;
    response_times(seen, policy).find_map(|(of, found)| {
        let is_reached = found.before > target && found.after <= target && found.high < 0.0;
        is_reached.then(|| format!("the target of {target:.0} ms is reached: {}", told(of, &found)))
    })
}

/// The values of a signal in the last seconds of a snapshot.
fn values(snapshot: &Snapshot, of: &Measurement, window_s: u32) -> Option<Vec<f64>> {
    let measurement = snapshot.measurement(of.signal.as_str(), &of.resource)?;
    let values = measurement.series.known()?.last(snapshot.taken_at, window_s);
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests;
