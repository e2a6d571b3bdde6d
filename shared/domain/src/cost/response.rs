//! What a smaller fleet does to response times, said before it is made smaller and held against what is seen after.
//!
//! With `n` members and a utilization ρ each, `m` members have ρ′ = ρ · n / m (utilization law). How much of the response
//! time is the servers' own, and how many processors they have, is not known; two bounds are. At best nothing of it is the
//! servers': it stays. At worst all of it is, on servers with one processor, where time in a queue grows fastest:
//! R′ = R · (1 − ρ) / (1 − ρ′) (M/M/1; more processors queue less at the same utilization, see Kleinrock, *Queueing
//! Systems*, vol. 1, 1975). The load of the other day may be a tenth smaller or larger, which widens both ends:
//!
//! ```text
//! low  = R · (1 − ρ) / (1 − 0.9 ρ)          high = R · (1 − ρ) / (1 − 1.1 ρ · n / m)
//! ```
//!
//! Example: 60 ms at 10 % CPU on 8 members become 59.3 to 69.2 ms on 4.

use crate::change::{Action, Change};
use crate::ids::ResourceId;
use crate::plan::Plan;
use crate::resource::Live;
use crate::series::Series;
use crate::snapshot::{Measurement, Snapshot};
use jiff::SignedDuration;
use stats::robust::median;
use std::fmt::Write as _;

/// How far the load of another day may lie from that of this one, as a share.
const LOAD_CHANGE: f64 = 0.1;
/// Basic monitoring publishes CPU every five minutes: a value holds for that long.
const CPU_HOLDS_S: i64 = 300;
const LATENCY: &str = "latency_p95_ms";
const CPU: &str = "fleet_cpu_pct";

/// What the response time (p95, in ms) of a target group is predicted to become: the median of the same hours.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseTime {
    /// The target group that the fleet feeds.
    pub door: ResourceId,
    /// The median now.
    pub before_ms: f64,
    /// The least that is expected.
    pub low_ms: f64,
    /// The most that is expected.
    pub high_ms: f64,
}

impl ResponseTime {
    /// True for the measurement that it speaks of.
    pub fn is_of(&self, measurement: &Measurement) -> bool {
        measurement.signal.as_str() == LATENCY && measurement.resource == self.door
    }
}

/// The prediction for each target group of the fleet that a change makes smaller, from a snapshot of the hours before it.
///
/// `load` is the load of the hours that are spoken of, as a share of that of the snapshot, where it is known: one outside of what
/// may be expected anyway moves its end. Empty where the change is of another kind, where nothing of what users feel or of the fleet's CPU is measured, and where
/// the smaller fleet could be overrun: there is no upper end then.
pub fn response_times(change: &Change, before: &Snapshot, load: Option<f64>) -> Vec<ResponseTime> {
    let Action::SetFleetCapacity { desired, .. } = &change.action else { return Vec::new() };
    let Some(Live::AutoScalingGroup(fleet)) = before.resource(&change.resource).map(|resource| &resource.live) else {
        return Vec::new();
    };
    if *desired == 0 || *desired >= fleet.desired {
        return Vec::new();
    }
    let loads = (1.0 - LOAD_CHANGE, 1.0 + LOAD_CHANGE);
    let loads = load.map_or(loads, |load| (load.min(loads.0), load.max(loads.1)));
    let growth = f64::from(fleet.desired) / f64::from(*desired);
    let Some(cpu) = before.measurement(CPU, &change.resource).and_then(|found| found.series.known()) else {
        return Vec::new();
    };
    let doors = before.of_signal(LATENCY).filter(|found| fleet.target_groups.contains(&found.resource));
    let predicted = doors.filter_map(|found| {
        let (low_ms, high_ms) = bounds(found.series.known()?, cpu, growth, loads)?;
        let values: Vec<f64> = found.series.known()?.values.iter().flatten().copied().collect();
        Some(ResponseTime { door: found.resource.clone(), before_ms: median(&values)?, low_ms, high_ms })
    });
    predicted.collect()
}

/// Says in the reason of each change of a plan what users will feel of it, where that can be said.
pub fn tell(plan: &mut Plan, before: &Snapshot) {
    for change in &mut plan.changes {
        for ResponseTime { door, before_ms, low_ms, high_ms } in response_times(change, before, None) {
            let _ = write!(
                change.reason,
                "; the response time p95 of {door}, now {before_ms:.0} ms, is expected at {low_ms:.0} to {high_ms:.0} ms"
            );
        }
    }
}

/// The medians of both bounds, minute by minute.
fn bounds(latency: &Series, cpu: &Series, growth: f64, loads: (f64, f64)) -> Option<(f64, f64)> {
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for (index, value) in latency.values.iter().enumerate() {
        let Some(time_ms) = *value else { continue };
        let at = latency.time_at(index);
        let end = at.checked_add(SignedDuration::from_secs(1)).ok()?;
        let held = cpu.between(at.checked_sub(SignedDuration::from_secs(CPU_HOLDS_S)).ok()?, end).last();
        let Some((_, pct)) = held else { continue };
        let busy = pct / 100.0;
        let busy_after = busy * growth * loads.1;
        if busy_after >= 1.0 {
            return None;
        }
        low.push(time_ms * (1.0 - busy) / (1.0 - busy * loads.0));
        high.push(time_ms * (1.0 - busy) / (1.0 - busy_after));
    }
    Some((median(&low)?, median(&high)?))
}

#[cfg(test)]
mod tests;
