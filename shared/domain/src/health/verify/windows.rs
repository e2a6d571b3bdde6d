//! The two windows of a comparison and the values in them. Cuts and collects; corrects and judges nothing.

use super::{Case, peers};
use crate::change::Change;
use crate::health::onset::onset;
use crate::health::policy::Policy;
use crate::health::view::{Points, View, between, earlier};
use crate::observed::Observed;
use crate::resource::{Live, Resource};
use crate::series::mean;
use crate::snapshot::Snapshot;
use jiff::{SignedDuration, Timestamp};
use stats::robust::median;
use std::collections::BTreeMap;

/// When is before and when is after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Windows {
    /// Start of the minutes before.
    pub(super) before_from: Timestamp,
    /// Their end: the snapshot that the plan rests on, or the change itself if that came first.
    pub(super) before_to: Timestamp,
    /// When the change was made.
    pub(super) applied_at: Timestamp,
    /// Start of the minutes after: the change has settled.
    pub(super) after_from: Timestamp,
    /// Their end: the second snapshot.
    pub(super) after_to: Timestamp,
}

/// The values of the verifying signal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Samples {
    /// What is compared: the values before.
    pub(super) before: Vec<f64>,
    /// What is compared: the values after.
    pub(super) after: Vec<f64>,
    /// Mean level before, in the signal's unit.
    pub(super) level_before: f64,
    /// Mean level after.
    pub(super) level_after: f64,
    /// Mean level of the untouched members after, where a canary was compared with them: then the values are distances.
    pub(super) beside: Option<f64>,
}

impl Samples {
    /// The level that an effect is a share of: that of the member where distances are compared, else the one given.
    pub(super) fn of_level(&self, level: f64) -> f64 {
        if self.beside.is_some() { self.level_before } else { level }
    }
}

impl Windows {
    /// The windows of a change.
    pub(super) fn of(
        change: &Change,
        before: &Snapshot,
        after: &Snapshot,
        applied_at: Timestamp,
        policy: &Policy,
    ) -> Self {
        let before_to = before.taken_at.min(applied_at);
        let settled = SignedDuration::from_secs(i64::from(change.action.spec().settle_s));
        Self {
            before_from: earlier(before_to, i64::from(policy.verify_before_s)),
            before_to,
            applied_at,
            after_from: applied_at.checked_add(settled).unwrap_or(Timestamp::MAX),
            after_to: after.taken_at,
        }
    }

    /// One sentence when there is no time after the change to look at.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.after_to <= self.after_from {
            let since_s = self.after_to.duration_since(self.applied_at).as_secs();
            let settle_s = self.after_from.duration_since(self.applied_at).as_secs();
            return Err(format!("measured {since_s} s after the change, which takes {settle_s} s to settle"));
        }
        Ok(())
    }
}

/// Start of the minutes before, without those from before the incident: where the verifying signal has an onset inside the
/// window, the change is compared with what it was made against and not with the good times before.
pub(super) fn since_onset(case: &Case<'_>) -> Timestamp {
    let Windows { before_from, before_to, .. } = case.windows;
    let expected = &case.change.expected;
    let signal = expected.signal.as_str();
    let Some(on) = case.before.snapshot.resource(&expected.resource) else { return before_from };
    let from = earlier(before_to, HISTORY_S);
    let history: Points = if peers::are_compared(&case.before, case.change) {
        peers::before(case, signal, on, from, before_to)
            .into_iter()
            .map(|(at, worst, peers)| (at, worst - peers))
            .collect()
    } else {
        case.before.series(signal, on).known().map(|series| between(series, from, before_to)).unwrap_or_default()
    };
    let largest = history.iter().map(|(_, value)| value.abs()).fold(0.0, f64::max);
    onset(&history, ONSET_SHARE * largest).map_or(before_from, |onset| onset.at.max(before_from))
}

/// History in which an onset is looked for, in seconds.
const HISTORY_S: i64 = 3_600;
/// Size of an onset as a share of the largest level.
const ONSET_SHARE: f64 = 0.2;

/// The values of the verifying signal in both windows.
///
/// # Errors
/// One sentence when one of the windows holds too few.
pub(super) fn samples(case: &Case<'_>) -> Result<Samples, String> {
    let expected = &case.change.expected;
    let signal = expected.signal.as_str();
    let on = resource(case, &expected.resource)?;
    if peers::are_compared(&case.before, case.change) {
        return peers::samples(case, signal, on);
    }
    let (before, after) = whole(case, signal, on)?;
    let (level_before, level_after) = (mean(&before).unwrap_or(0.0), mean(&after).unwrap_or(0.0));
    Ok(Samples { before, after, level_before, level_after, beside: None })
}

/// Values of a signal of a whole resource in both windows.
///
/// # Errors
/// As [`samples`].
pub(super) fn whole(case: &Case<'_>, signal: &str, on: &Resource) -> Result<(Vec<f64>, Vec<f64>), String> {
    let windows = &case.windows;
    let before = comparable(case, points(&case.before, signal, on, windows.before_from, windows.before_to, "before")?);
    let after = points(&case.after, signal, on, windows.after_from, windows.after_to, "after")?;
    let (before, after) = (values(&before), values(&after));
    enough(case, signal, before.len(), "before")?;
    enough(case, signal, after.len(), "after")?;
    Ok((before, after))
}

/// The level of the verifying signal in the minutes between the plan's snapshot and the change, which nothing was done in; where
/// it is measured on a whole resource, and the change came late enough that there are enough of them.
pub(super) fn meanwhile(case: &Case<'_>) -> Option<f64> {
    let expected = &case.change.expected;
    if peers::are_compared(&case.before, case.change) {
        return None;
    }
    let series = case.after.series(expected.signal.as_str(), resource(case, &expected.resource).ok()?);
    let points = between(series.known()?, case.windows.before_to, case.windows.applied_at);
    let is_enough = u32::try_from(points.len()).is_ok_and(|count| count >= case.policy.verify_points_min);
    is_enough.then(|| median(&values(&points)))?
}

fn points(
    view: &View<'_>,
    signal: &str,
    on: &Resource,
    from: Timestamp,
    to: Timestamp,
    when: &str,
) -> Result<Points, String> {
    match view.series(signal, on) {
        Observed::Known(series) => Ok(between(&series, from, to)),
        Observed::Missing(reason) => Err(format!("{signal} {when} the change is not known: {reason}")),
    }
}

pub(super) fn values(points: &Points) -> Vec<f64> {
    points.iter().map(|(_, value)| *value).collect()
}

pub(super) fn enough(case: &Case<'_>, signal: &str, count: usize, when: &str) -> Result<(), String> {
    let needed = case.policy.verify_points_min;
    if u32::try_from(count).is_ok_and(|count| count < needed) {
        return Err(format!("{signal} has {count} comparable values {when} the change, {needed} are needed"));
    }
    Ok(())
}

/// Minutes before count only while every fleet and service had the size that it had at the snapshot: right after another
/// change was made or undone, the minutes before tell of a world that is no more.
pub(super) fn comparable(case: &Case<'_>, points: Points) -> Points {
    let view = &case.before;
    let mut sizes = Vec::new();
    for resource in &view.snapshot.resources {
        let (signal, desired) = match &resource.live {
            Live::AutoScalingGroup(fleet) => ("fleet_desired", fleet.desired),
            Live::EcsService(service) => ("service_desired", service.desired),
            _ => continue,
        };
        if let Some(series) = view.series(signal, resource).known() {
            let by_time: BTreeMap<Timestamp, f64> = view.since(series, i64::from(u32::MAX), 0).into_iter().collect();
            sizes.push((by_time, f64::from(desired)));
        }
    }
    let same = |at: &Timestamp| {
        sizes.iter().all(|(by_time, desired)| by_time.get(at).is_none_or(|size| (size - desired).abs() < 0.5))
    };
    points.into_iter().filter(|(at, _)| same(at)).collect()
}

/// A resource of either snapshot.
pub(super) fn resource<'a>(case: &Case<'a>, id: &crate::ids::ResourceId) -> Result<&'a Resource, String> {
    let found = case.after.snapshot.resource(id).or_else(|| case.before.snapshot.resource(id));
    found.ok_or_else(|| format!("{id} is in none of the snapshots"))
}
