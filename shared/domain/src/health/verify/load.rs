//! What the load alone could have done: by which factors the level before is corrected.
//!
//! Three laws. Utilization is proportional to load (U = X · S). Response times and error rates grow like 1/(1 − ρ), so
//! the factor lies between 1 and (1 − ρ)/(1 − ρ·r), with r the load after by the load before and ρ the utilization
//! before. A backlog is a balance of flows. Everything else does not depend on the load.
//!
//! Where the load is not known, response and utilization can't be credited to a change at all.

use super::Case;
use super::windows::{self, comparable, values};
use crate::health::links;
use crate::health::view::{Points, between};
use crate::resource::{Resource, ResourceKind};
use stats::robust::median;

/// Factors on the level before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    /// The level that a change has to beat to be verified.
    pub(super) verified: f64,
    /// The level beyond which it has regressed.
    pub(super) regressed: f64,
    /// What was corrected, in words, beginning with a comma; empty when nothing was.
    pub(super) says: String,
}

impl Bounds {
    fn none() -> Self {
        Self { verified: 1.0, regressed: 1.0, says: String::new() }
    }
}

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

/// The factors for the verifying signal of a change.
///
/// # Errors
/// One sentence when the signal depends on load and the load is not known.
pub(super) fn bounds(case: &Case<'_>) -> Result<Bounds, String> {
    let expected = &case.change.expected;
    if !case.before.members(expected.signal.as_str(), &expected.resource).is_empty() {
        return Ok(Bounds::none());
    }
    bounds_of(case, expected.signal.as_str(), windows::resource(case, &expected.resource)?)
}

/// The factors for any signal.
///
/// # Errors
/// As [`bounds`].
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
    Ok(Bounds { verified, regressed: if is_steady { 1.0 } else { regressed }, says })
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
fn ratio(case: &Case<'_>, on: &Resource) -> Option<f64> {
    let (mut before, mut after) = (0.0, 0.0);
    let mut is_known = false;
    for (source, signal) in sources(case, on) {
        let windows = &case.windows;
        let early = case
            .before
            .series(signal, source)
            .known()
            .map(|series| between(series, windows.before_from, windows.before_to));
        let late = case
            .after
            .series(signal, source)
            .known()
            .map(|series| between(series, windows.after_from, windows.after_to));
        before += median(&values(&comparable(case, early?)))?;
        after += median(&values(&late?))?;
        is_known = true;
    }
    (is_known && before > 0.0).then(|| after / before)
}

/// Where the load of a resource is counted.
fn sources<'a>(case: &Case<'a>, on: &Resource) -> Vec<(&'a Resource, &'static str)> {
    let snapshot = case.before.snapshot;
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
    let windows = &case.windows;
    let before = |signal: &str| {
        let series = case.before.series(signal, queue);
        Some(comparable(case, between(series.known()?, windows.before_from, windows.before_to)))
    };
    let depth = before("queue_depth")?.last()?.1;
    let finished = median(&values(&before("queue_deleted")?))?;
    let sent = case.after.series("queue_sent", queue);
    let came = between(sent.known()?, windows.before_to, windows.after_to);
    let mut waiting = depth;
    let mut by_minute = std::collections::BTreeMap::new();
    for (at, sent) in came {
        waiting = (waiting + sent - finished).max(0.0);
        by_minute.insert(at, waiting);
    }
    let without: Vec<f64> = after.iter().filter_map(|(at, _)| by_minute.get(at).copied()).collect();
    (without.len() == after.len()).then_some(without)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_grows_faster_than_load() {
        assert!((response_factor(0.8, 0.75) - 0.5).abs() < 1e-9);
        assert!((response_factor(0.5, 1.5) - 2.0).abs() < 1e-9);
        assert!((response_factor(0.99, 2.0) - 2.0).abs() < 1e-9, "cut off, so that load can't explain just anything");
        assert!(response_factor(0.1, 0.1) > 0.9);
        assert!(response_factor(1.0, 0.9) < 0.25, "a little less load relieves a full server a lot");
    }
}
