//! What the load alone could have done: by which factors the level before is corrected.
//!
//! Three laws. Utilization is proportional to load (U = X · S). Response times and error rates grow like 1/(1 − ρ), so
//! the factor lies between 1 and (1 − ρ)/(1 − ρ·r), with r the load after by the load before and ρ the utilization
//! before. A backlog is a balance of flows. Everything else does not depend on the load.
//!
//! Where the load is not known, response and utilization can't be credited to a change at all.

use super::Case;
use super::bounds::{Bounds, Without};
use super::windows::{comparable, values};
use crate::health::links;
use crate::health::view::{Points, between};
use crate::resource::{Resource, ResourceKind};
use crate::snapshot::Snapshot;
use jiff::Timestamp;
use stats::robust::median;
use std::collections::BTreeMap;

/// How a signal depends on load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Law {
    Utilization,
    Response,
    Independent,
}

/// Most utilization that is assumed for a load that rose: near 1 the law would excuse anything.
const UTILIZATION_MAX: f64 = 0.90;
/// Most utilization that is assumed for a load that fell, and what is assumed where none is known: close to saturation
/// little less load helps a lot, and none of that is the change's merit.
const UTILIZATION_FULL: f64 = 0.97;
/// Utilization at which the law is cut off.
const UTILIZATION_LIMIT: f64 = 0.95;
/// How far a load is only known, as a share: it scatters from minute to minute.
const LOAD_SCATTER: f64 = 0.02;
/// Largest factor that load is believed to explain.
const FACTOR_MAX: f64 = 5.0;

/// What load alone could have made of a signal.
///
/// # Errors
/// One sentence when the signal depends on load and the load is not known.
pub(super) fn bounds_of(case: &Case<'_>, signal: &str, on: &Resource) -> Result<Bounds, String> {
    let law = law(signal);
    if law == Law::Independent {
        return Ok(Bounds::none());
    }
    let ratio =
        ratio(case, on).ok_or_else(|| format!("{signal} depends on the load, which is not known before and after"))?;
    let is_steady = (ratio - 1.0).abs() <= case.policy.load_steady_pct / 100.0;
    let says = if is_steady { String::new() } else { format!(", corrected for {ratio:.2} times the load") };
    let (verified, regressed) = match law {
        Law::Utilization if is_steady => (ratio.min(1.0), 1.0),
        Law::Utilization => (ratio, ratio),
        _ => {
            let rho = utilization(case, on);
            // What waits for a lock or a pool shows in no utilization, and gets much faster with a little less load.
            let credited = if ratio < 1.0 && !is_steady { UTILIZATION_FULL } else { rho };
            // Near saturation the scatter of the load alone moves response times, so a little less is always allowed for.
            (response_factor(credited, ratio.min(1.0) - LOAD_SCATTER), response_factor(rho, ratio).max(1.0))
        }
    };
    // A load that hardly moved explains no harm; what little it may have helped is still never credited to the change.
    let regressed = if is_steady { 1.0 } else { regressed };
    Ok(Bounds { verified: Without::times(verified), regressed: Without::times(regressed), says })
}

/// What a load could do that is known as little as "like that of other weeks": a tenth less of it at best, a tenth more at
/// worst (`load_steady_pct`). Factors on a level of which less is better; `None` for a signal that the load does not move.
pub(super) fn as_in_other_weeks(case: &Case<'_>, signal: &str, on: &Resource) -> Option<(f64, f64)> {
    let tenth = case.policy.load_steady_pct / 100.0;
    match law(signal) {
        Law::Independent => None,
        Law::Utilization => Some((1.0 - tenth, 1.0 + tenth)),
        Law::Response => Some((
            response_factor(UTILIZATION_FULL, 1.0 - tenth - LOAD_SCATTER),
            response_factor(utilization(case, on), 1.0 + tenth),
        )),
    }
}

/// True for signals that move with the load, a backlog among them.
pub(super) fn moves(signal: &str) -> bool {
    law(signal) != Law::Independent || signal == "queue_depth"
}

fn law(signal: &str) -> Law {
    if signal.ends_with("_cpu_pct") {
        Law::Utilization
    } else if signal.contains("latency")
        || signal.contains("error_rate")
        || matches!(signal, "queue_oldest_s" | "custom")
    {
        Law::Response
    } else {
        Law::Independent
    }
}

/// Growth of the response time with the load, by the waiting time of a queue.
///
/// Worked example: at ρ = 0.8 a load of 0.75 leaves (1 − 0.8)/(1 − 0.6) = 0.5 of the response time.
fn response_factor(utilization: f64, ratio: f64) -> f64 {
    let most = if ratio < 1.0 { UTILIZATION_FULL } else { UTILIZATION_MAX };
    let rho = utilization.clamp(0.0, most);
    let after = if ratio < 1.0 { rho * ratio } else { (rho * ratio).min(UTILIZATION_LIMIT) };
    ((1.0 - rho) / (1.0 - after)).min(FACTOR_MAX)
}

/// Load after by load before; `None` where it is not known in both windows or was nothing.
pub(super) fn ratio(case: &Case<'_>, on: &Resource) -> Option<f64> {
    let windows = &case.windows;
    let drains = |signal: &str, source: &Resource| {
        // A queue itself is loaded by what comes, its consumers by what there is to do.
        if signal == "queue_sent" && source.id != on.id { draining(case, source) } else { None }
    };
    let early = |signal: &str, source: &Resource| {
        let signal = if drains(signal, source).is_some() { "queue_deleted" } else { signal };
        let series = case.before.series(signal, source);
        Some(values(&comparable(case, between(series.known()?, windows.before_from, windows.before_to))))
    };
    let late = |signal: &str, source: &Resource| {
        if let Some(finished) = drains(signal, source) {
            return Some(finished);
        }
        let series = case.after.series(signal, source);
        Some(values(&between(series.known()?, windows.after_from, windows.after_to)))
    };
    ratio_of(&sources(case.before.snapshot, on), early, late)
}

/// The same of two readings of the sources.
pub(super) fn ratio_of<'a>(
    sources: &[(&'a Resource, &'static str)],
    early: impl Fn(&str, &'a Resource) -> Option<Vec<f64>>,
    late: impl Fn(&str, &'a Resource) -> Option<Vec<f64>>,
) -> Option<f64> {
    let (mut before, mut after) = (0.0, 0.0);
    for (source, signal) in sources {
        before += median(&early(signal, source)?)?;
        after += median(&late(signal, source)?)?;
    }
    (!sources.is_empty() && before > 0.0).then(|| after / before)
}

/// Where the load of a resource is counted.
pub(super) fn sources<'a>(snapshot: &'a Snapshot, on: &Resource) -> Vec<(&'a Resource, &'static str)> {
    let counted = |resource: &'a Resource| match resource.kind() {
        ResourceKind::TargetGroup => Some((resource, "requests")),
        ResourceKind::LoadBalancer => Some((resource, "lb_requests")),
        ResourceKind::Api => Some((resource, "api_requests")),
        ResourceKind::Function => Some((resource, "function_invocations")),
        ResourceKind::Queue => Some((resource, "queue_sent")),
        _ => None,
    };
    if let Some(own) = snapshot.resource(&on.id).and_then(counted) {
        return vec![own];
    }
    let queues: Vec<&Resource> = snapshot
        .of_kind(ResourceKind::Queue)
        .filter(|queue| links::consumer_of(snapshot, queue).is_ok_and(|consumer| consumer.id == on.id))
        .collect();
    if !queues.is_empty() {
        return queues.into_iter().filter_map(counted).collect();
    }
    let fronts = links::fronts(snapshot, on);
    if !fronts.is_empty() {
        return fronts.into_iter().filter_map(counted).collect();
    }
    // A database, a cache or a metric of its own is loaded by all that comes in.
    let doors = snapshot.resources.iter().filter(|r| matches!(r.kind(), ResourceKind::TargetGroup | ResourceKind::Api));
    doors.filter_map(counted).collect()
}

/// Utilization of the servers behind a resource before the change, as a share.
fn utilization(case: &Case<'_>, on: &Resource) -> f64 {
    let snapshot = case.before.snapshot;
    let behind = links::servers_of(snapshot, on);
    let servers: Vec<&Resource> = if behind.is_empty() { vec![on] } else { behind };
    let level = |server: &&Resource| {
        ["fleet_cpu_pct", "service_cpu_pct"].iter().find_map(|signal| case.before.known(signal, server))
    };
    servers.iter().filter_map(level).reduce(f64::max).map_or(UTILIZATION_FULL, |cpu| cpu / 100.0)
}

/// What the backlog would be without the change: the depth before, plus what came, minus what the old consumers would
/// have finished. One value for each minute after the change.
///
/// Worked example: 2,000 waited, 1,800 a minute were finished; 2,160 a minute came for ten minutes: without the change
/// 2,000 + 10 · (2,160 − 1,800) = 5,600 would wait.
pub(super) fn backlog(case: &Case<'_>, queue: &Resource, after: &Points) -> Option<Vec<f64>> {
    let by_minute = without_change(case, queue)?.minutes;
    let without: Vec<f64> = after.iter().filter_map(|(at, _)| by_minute.get(at).map(|minute| minute.waiting)).collect();
    (without.len() == after.len()).then_some(without)
}

/// A queue as it would be with the consumers of before the change.
struct WithoutChange {
    /// What waited at the last look before it.
    depth: f64,
    /// What a minute before it finished.
    finished: f64,
    /// The minutes since.
    minutes: BTreeMap<Timestamp, Minute>,
}

/// A minute of it.
struct Minute {
    /// Messages that wait at its end.
    waiting: f64,
    /// Messages that were finished in it.
    finished: f64,
}

fn without_change(case: &Case<'_>, queue: &Resource) -> Option<WithoutChange> {
    let windows = &case.windows;
    let before = |signal: &str| {
        let series = case.before.series(signal, queue);
        Some(comparable(case, between(series.known()?, windows.before_from, windows.before_to)))
    };
    let depth = before("queue_depth")?.last()?.1;
    let finished = median(&values(&before("queue_deleted")?))?;
    let sent = case.after.series("queue_sent", queue);
    let mut waiting = depth;
    let mut minutes = BTreeMap::new();
    for (at, sent) in between(sent.known()?, windows.before_to, windows.after_to) {
        let had = waiting + sent;
        waiting = (had - finished).max(0.0);
        minutes.insert(at, Minute { waiting, finished: had - waiting });
    }
    Some(WithoutChange { depth, finished, minutes })
}

/// What the consumers of a backlog would finish in the minutes after the change if they were those of before it. `None` without a
/// backlog, that is less than a minute's work: then they finish what comes.
///
/// Worked example: 20,000 wait, 1,800 a minute are finished, and only 1,000 still come: the old consumers would be as busy as before,
/// though the load has halved.
fn draining(case: &Case<'_>, queue: &Resource) -> Option<Vec<f64>> {
    let without = without_change(case, queue)?;
    let after = without.minutes.range(case.windows.after_from..=case.windows.after_to);
    let finished: Vec<f64> = after.map(|(_, minute)| minute.finished).collect();
    (without.depth >= without.finished && without.finished > 0.0 && !finished.is_empty()).then_some(finished)
}
