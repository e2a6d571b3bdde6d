//! verify: whether an index, or new statistics, have helped the statements that they were made for, without making others or users slower.
//!
//! The same statements are compared in a window before and one after, each weighed by how often it was asked **before**: what is asked more
//! or less often afterwards proves nothing. The interval is that of the difference of two means with the spread that the server has measured
//! of single executions (Welch). What would have been without the index is told by the statements that it can't reach (`control.rs`); where they
//! are too few, by the blocks that its queries look at, which no load changes. What the index costs is in the balance: every other statement on
//! its table counts, those that maintain it and those whose plans it may have changed.

mod balance;
mod control;

use super::plan::Target;
use super::policy::Policy;
use super::profile::Window;
use crate::change::{Change, Reversal, WhenInconclusive};
use crate::observed::Observed;
use crate::outcome::{Outcome, Verdict};
use crate::snapshot::{Measurement, Snapshot};
use balance::Balance;
use control::Control;
use stats::compare::{Difference, difference};

/// Response times of what users call.
const LATENCIES: [&str; 3] = ["latency_p95_ms", "api_latency_p95_ms", "function_duration_p95_ms"];
/// Half-width of a 95 % interval in standard errors.
const SIGMAS: f64 = 1.96;

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
    /// Whether the change still stands: else why not, or why that is not known.
    pub stands: Result<(), &'static str>,
    /// How often an index was scanned since it was built; `None` where that could not be read, and for other changes.
    pub scans: Option<f64>,
}

/// Judges a change.
pub fn verify(change: &Change, seen: &Measured<'_>, policy: &Policy) -> Outcome {
    let (verdict, numbers, why) = judge(seen, policy);
    outcome(change, verdict, numbers, why, seen.users_after)
}

/// Judges a change of which nothing can be compared: inconclusive for that reason. An index is taken back then, new statistics stay.
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
    if let Err(why) = seen.stands {
        return unsure(why.to_owned());
    }
    let (before, after) = match (seen.before, seen.after) {
        (Observed::Known(before), Observed::Known(after)) => (before, after),
        (Observed::Missing(why), _) => return unsure(format!("what the database did before is not known: {why}")),
        (_, Observed::Missing(why)) => return unsure(format!("what the database did afterwards is not known: {why}")),
    };
    let (readers, lacking) = Balance::of(&seen.target.readers, before, after, policy);
    let Some(readers) = readers else {
        return unsure(format!(
            "the queries that it was made for were asked fewer than {:.0} times, before or after",
            policy.calls_min
        ));
    };
    let target = seen.target;
    let neighbours: Vec<i64> = target.neighbours.iter().filter(|id| !target.readers.contains(id)).copied().collect();
    let (neighbours, _) = Balance::of(&neighbours, before, after, policy);
    let control = Control::of(&target.untouched, before, after, policy);
    let (credit, blame) = control.map_or((1.0, 1.0), |control| (control.credit(), control.blame()));
    let each = |ms: f64| ms / readers.calls;
    let (low, high) = readers.interval(credit);
    let numbers = Some((each(readers.before_ms), each(readers.after_ms), (each(low), each(high))));
    let told = told(&readers, (each(low), each(high)), control.as_ref());
    let is_faster = high < 0.0;
    let neighbours_suffer = neighbours.is_some_and(|neighbours| neighbours.interval(blame).0 > 0.0);
    if let Some(why) = users_suffer(seen, policy) {
        // All got slower, and what it can't reach too; what it can did hardly: then it is something else that users suffer from.
        let lose = |of: &Balance| of.shift(blame) >= policy.loss_pct_max / 100.0 * blame * of.before_ms;
        let neighbours_lose = neighbours_suffer && neighbours.as_ref().is_some_and(lose);
        let is_elsewhere = is_faster && !neighbours_lose && control.is_some_and(|control| control.got_slower());
        if !is_elsewhere {
            return (Verdict::Regressed, numbers, format!("{why}; {told}"));
        }
    }
    if let Some(neighbours) = neighbours.filter(|_| neighbours_suffer)
        && readers.and(neighbours).interval(blame).0 > 0.0
    {
        let why = format!(
            "other statements on the table got slower by {:.1} s in an hour, more than its queries gained; {told}",
            neighbours.shift(blame) / 1_000.0
        );
        return (Verdict::Regressed, numbers, why);
    }
    if readers.interval(blame).0 > 0.0 {
        return (Verdict::Regressed, numbers, format!("slower: {told}"));
    }
    let lost = neighbours.filter(|_| neighbours_suffer).map_or(0.0, |neighbours| neighbours.shift(blame));
    let net_pct = -100.0 * (readers.shift(credit) + lost) / readers.before_ms.max(1e-9);
    if is_faster && net_pct > 0.0 {
        let is_enough = net_pct >= policy.improvement_pct_min;
        let reached = if is_enough { None } else { target_reached(seen, policy) };
        if is_enough || reached.is_some() {
            if let Some(doubt) = doubt(seen, &readers, control.as_ref(), policy) {
                return (Verdict::Inconclusive, numbers, format!("{doubt}; {told}"));
            }
            let partly = match lacking {
                0 => String::new(),
                some => format!("; {some} of them were asked too rarely to tell"),
            };
            let reached = reached.map_or_else(String::new, |reached| format!("{reached}; "));
            return (Verdict::Verified, numbers, format!("{reached}{told}{partly}"));
        }
    }
    (Verdict::Inconclusive, numbers, format!("{told}; {:.0} % are asked for", policy.improvement_pct_min))
}

/// Why queries that got faster may have done so without the index.
fn doubt(seen: &Measured<'_>, readers: &Balance, control: Option<&Control>, policy: &Policy) -> Option<String> {
    if seen.scans == Some(0.0) {
        return Some("no query has used it".to_owned());
    }
    let saved_pct = readers.blocks_saved_pct();
    (control.is_none() && saved_pct < policy.improvement_pct_min).then(|| {
        format!(
            "too few statements on other tables to tell what the database did by itself, and its queries look at {saved_pct:.0} % fewer \
             blocks"
        )
    })
}

/// What the queries took and take, and what the rest of the database did meanwhile.
fn told(readers: &Balance, (low, high): (f64, f64), control: Option<&Control>) -> String {
    let each = |ms: f64| ms / readers.calls;
    let rest = control.map_or_else(String::new, |control| {
        format!(
            ", with {} statements on other tables moving by {:+.1} % ({:+.1} to {:+.1})",
            control.statements,
            100.0 * (control.ratio - 1.0),
            100.0 * (control.interval.0 - 1.0),
            100.0 * (control.interval.1 - 1.0)
        )
    });
    format!(
        "its queries took {:.2} ms and take {:.2} ms ({:+.1} %, 95 % interval of the difference {low:+.2} to {high:+.2} ms{rest})",
        each(readers.before_ms),
        each(readers.after_ms),
        100.0 * readers.shift(1.0) / readers.before_ms.max(1e-9),
    )
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

fn worded(of: &Measurement, found: &Difference) -> String {
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
        is_worse.then(|| format!("users suffer: {}", worded(of, &found)))
    })
}

/// What users wait for less than the target now, for certain less than before, when it was more: then it counts however small the gain of
/// the queries was.
fn target_reached(seen: &Measured<'_>, policy: &Policy) -> Option<String> {
    let target = policy.target_p95_ms;
    response_times(seen, policy).find_map(|(of, found)| {
        let is_reached = found.before > target && found.after <= target && found.high < 0.0;
        is_reached.then(|| format!("the target of {target:.0} ms is reached: {}", worded(of, &found)))
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
