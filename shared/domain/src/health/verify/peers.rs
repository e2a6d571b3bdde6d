//! One member against the others, minute by minute: they carry the same load, so nothing else has to be corrected.
//!
//! Which member is "the one": of a canary the replaced member before and its successor after; of any other change the
//! worst member, before and after. Tasks of a service are not measured one by one, but the service publishes the lowest
//! of them beside the average: with n tasks, the others are at (n · average − lowest) / (n − 1).

use super::Case;
use super::interval::difference;
use super::windows::{Samples, enough};
use crate::change::{Action, Better};
use crate::health::analysis::worded;
use crate::health::links;
use crate::health::view::{View, aligned, between};
use crate::resource::{Live, Resource};
use crate::rollout::Rollout;
use crate::series::mean;
use jiff::Timestamp;
use stats::robust::median;
use std::collections::BTreeMap;

/// A minute, the level of the one, and that of the others.
type Minute = (Timestamp, f64, f64);

/// Lowest memory of the tasks of a service.
const LOWEST: &str = "service_memory_min_pct";

/// True where the verifying signal is that of one member, and the others are measured as well.
pub(super) fn are_compared(case: &Case<'_>) -> bool {
    let expected = &case.change.expected;
    expected.signal.as_str() == LOWEST || !case.before.members(expected.signal.as_str(), &expected.resource).is_empty()
}

/// The distances between the one and the others in both windows.
///
/// # Errors
/// One sentence when one of the windows holds too few.
pub(super) fn samples(case: &Case<'_>, signal: &str, on: &Resource) -> Result<Samples, String> {
    let windows = &case.windows;
    let before = before(case, signal, on, windows.before_from, windows.before_to);
    let after = after(case, signal, on, windows.after_from, windows.after_to);
    enough(case, signal, before.len(), "before")?;
    enough(case, signal, after.len(), "after")?;
    let level = |all: &[Minute], of: fn(&Minute) -> f64| mean(&all.iter().map(of).collect::<Vec<f64>>()).unwrap_or(0.0);
    let gaps = |all: &[Minute]| all.iter().map(|(_, one, others)| one - others).collect();
    let is_canary = case.change.rollout.as_ref().is_some_and(Rollout::is_canary);
    Ok(Samples {
        before: gaps(&before),
        after: gaps(&after),
        level_before: level(&before, |minute| minute.1),
        level_after: level(&after, |minute| minute.1),
        beside: is_canary.then(|| level(&after, |minute| minute.2)),
    })
}

/// What explains a worsening that users feel beside a canary: the members that it has not touched got worse of the very
/// thing that it is tried against. `None` where they did not, or where a target fails its health check that did not before:
/// that may be the newcomer.
pub(super) fn go_on(case: &Case<'_>) -> Option<String> {
    let is_canary = case.change.rollout.as_ref().is_some_and(Rollout::is_canary);
    if !is_canary || !are_compared(case) || fails_its_checks(case) {
        return None;
    }
    let expected = &case.change.expected;
    let (signal, windows) = (expected.signal.as_str(), &case.windows);
    let on = case.after.snapshot.resource(&expected.resource)?;
    let others = |minutes: Vec<Minute>| -> Vec<f64> { minutes.into_iter().map(|minute| minute.2).collect() };
    let found = difference(
        &others(before(case, signal, on, windows.before_from, windows.before_to)),
        &others(after(case, signal, on, windows.after_from, windows.after_to)),
    )?;
    let got_worse = match expected.better {
        Better::Lower => found.low > 0.0,
        Better::Higher => found.high < 0.0,
    };
    let level = |level| worded(signal, level);
    got_worse.then(|| format!("the untouched members went on from {} to {}", level(found.before), level(found.after)))
}

/// More targets fail their health check than before.
fn fails_its_checks(case: &Case<'_>) -> bool {
    let Some(server) = case.after.snapshot.resource(&case.change.resource) else { return true };
    let failing = |view: &View<'_>| {
        let doors = links::fronts(view.snapshot, server).into_iter();
        doors.filter_map(|door| view.known("hosts_unhealthy", door)).fold(0.0, f64::max)
    };
    failing(&case.after) > failing(&case.before)
}

/// The minutes before the change.
pub(super) fn before(case: &Case<'_>, signal: &str, on: &Resource, from: Timestamp, to: Timestamp) -> Vec<Minute> {
    match touched(case) {
        _ if signal == LOWEST => lowest(&case.before, on, from, to),
        Some(member) => distance(&case.before, signal, on, (from, to), |id| id == member, |_| true),
        None => worst(&case.before, signal, on, from, to),
    }
}

/// The minutes after it: newcomers against those who were there before.
fn after(case: &Case<'_>, signal: &str, on: &Resource, from: Timestamp, to: Timestamp) -> Vec<Minute> {
    let was_there = |id: &str| has_member(case.before.snapshot.resource(&on.id), id);
    match touched(case) {
        _ if signal == LOWEST => lowest(&case.after, on, from, to),
        Some(member) => {
            let untouched = |id: &str| was_there(id) && id != member;
            distance(&case.after, signal, on, (from, to), |id| !was_there(id), untouched)
        }
        None => worst(&case.after, signal, on, from, to),
    }
}

/// The member that a canary replaces.
fn touched<'a>(case: &Case<'a>) -> Option<&'a str> {
    match (&case.change.rollout, &case.change.action) {
        (Some(Rollout::Canary { .. }), Action::ReplaceInstance { instance, .. }) => Some(instance),
        _ => None,
    }
}

fn has_member(fleet: Option<&Resource>, id: &str) -> bool {
    match fleet.map(|fleet| &fleet.live) {
        Some(Live::AutoScalingGroup(fleet)) => fleet.instances.iter().any(|member| member.id == id),
        _ => false,
    }
}

/// In each minute the mean of some members, and the median of others that are not among them.
fn distance(
    view: &View<'_>,
    signal: &str,
    on: &Resource,
    (from, to): (Timestamp, Timestamp),
    is_one: impl Fn(&str) -> bool,
    is_other: impl Fn(&str) -> bool,
) -> Vec<Minute> {
    let mut minutes: BTreeMap<Timestamp, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for (id, series) in view.members(signal, &on.id) {
        for (at, value) in between(series, from, to) {
            let (ones, others) = minutes.entry(at).or_default();
            if is_one(id) {
                ones.push(value);
            } else if is_other(id) {
                others.push(value);
            }
        }
    }
    minutes.into_iter().filter_map(|(at, (ones, others))| Some((at, mean(&ones)?, median(&others)?))).collect()
}

/// In each minute the worst member, and the median of the others.
fn worst(view: &View<'_>, signal: &str, on: &Resource, from: Timestamp, to: Timestamp) -> Vec<Minute> {
    let mut minutes: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
    for (_, series) in view.members(signal, &on.id) {
        for (at, value) in between(series, from, to) {
            minutes.entry(at).or_default().push(value);
        }
    }
    let worst_and_others = |(at, mut levels): (Timestamp, Vec<f64>)| {
        levels.sort_by(f64::total_cmp);
        let worst = levels.pop()?;
        Some((at, worst, median(&levels)?))
    };
    minutes.into_iter().filter_map(worst_and_others).collect()
}

/// In each minute the lowest task of a service, and what the others are at.
///
/// Worked example: three tasks at 74 % on average, the lowest at 46 %: the others are at (3 · 74 − 46) / 2 = 88 %.
fn lowest(view: &View<'_>, on: &Resource, from: Timestamp, to: Timestamp) -> Vec<Minute> {
    let tasks = match view.snapshot.resource(&on.id).map(|resource| &resource.live) {
        Some(Live::EcsService(service)) if service.running > 1 => f64::from(service.running),
        _ => return Vec::new(),
    };
    let (lowest, average) = (view.series(LOWEST, on), view.series("service_memory_pct", on));
    let (Some(lowest), Some(average)) = (lowest.known(), average.known()) else { return Vec::new() };
    aligned(lowest, average)
        .into_iter()
        .filter(|(at, ..)| (from..to).contains(at))
        .map(|(at, lowest, average)| (at, lowest, (tasks * average - lowest) / (tasks - 1.0)))
        .collect()
}
