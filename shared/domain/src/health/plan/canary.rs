//! Canary: a restart of many members is planned only after the same remedy was verified on one of them.
//!
//! Turns the restart of a whole fleet or service into the replacement of one member, or lets it pass as the rest after a
//! canary that helped. What did not help is barred by the past before it comes here. Two members or fewer need no
//! canary: the restart goes one by one anyway. The rule is in `docs/canary.md`.

use super::{Desk, Proposal, Tried};
use crate::change::{Action, Expectation};
use crate::guard;
use crate::ids::SignalId;
use crate::observed::Observed;
use crate::outcome::Verdict;
use crate::resource::{Fleet, Live, Resource, Service, Task};
use crate::rollout::Rollout;
use jiff::Timestamp;

#[cfg(test)]
mod tests;

/// Fleets and services up to this size are restarted without a canary.
const SMALL: usize = 2;
/// Seconds for which a verified canary speaks for the others: the time between two scheduled runs.
const COUNTS_S: i64 = 4 * 3_600;
/// What is usual is read from before the last quarter of an hour.
const USUAL_AGO_S: i64 = 900;

/// The first step of a proposal: itself where it touches one member only or a canary has spoken for it, else its canary.
///
/// # Errors
/// One sentence why there can be no canary now, and therefore no rest either.
pub(super) fn step(desk: &Desk<'_>, proposal: &Proposal) -> Result<Proposal, String> {
    if !matches!(proposal.action, Action::RefreshFleet { .. } | Action::RedeployService { .. }) {
        return Ok(proposal.clone());
    }
    if let Some(canary) = spoken_for(desk, proposal) {
        let rollout = Some(Rollout::Rest { canary: canary.id.clone() });
        let reason = format!("{}; one member went first and it helped: {}", proposal.reason, canary.why);
        return Ok(Proposal { rollout, reason, ..proposal.clone() });
    }
    let Some(server) = desk.snapshot.resource(&proposal.resource) else { return Ok(proposal.clone()) };
    let one = match &server.live {
        Live::AutoScalingGroup(fleet) => of_fleet(desk, proposal, server, fleet),
        Live::EcsService(service) => of_service(desk, proposal, server, service),
        _ => Ok(None),
    };
    match one {
        Ok(canary) => Ok(canary.unwrap_or_else(|| proposal.clone())),
        Err(reason) => Err(format!("one member is restarted first, and none can be now: {reason}")),
    }
}

/// The canary that a proposal is the rest of: verified for the same finding a while ago, not followed by its rest yet, and
/// nobody has restarted the whole since.
pub(super) fn spoken_for<'a>(desk: &Desk<'a>, proposal: &Proposal) -> Option<&'a Tried> {
    let kind = proposal.action.kind();
    let restarted = desk.snapshot.resource(&proposal.resource).and_then(|server| restarted_at(&server.live));
    let speaks = |tried: &&Tried| {
        matches!(&tried.rollout, Some(Rollout::Canary { then, .. }) if *then == kind)
            && tried.resource == proposal.resource
            && tried.because == proposal.because
            && tried.verdict == Some(Verdict::Verified)
            && desk.snapshot.taken_at.duration_since(tried.at).as_secs() < COUNTS_S
            && restarted.is_none_or(|at| at < tried.at)
            && !desk.tried.iter().any(|other| other.rollout.as_ref().is_some_and(|part| part.follows(&tried.id)))
    };
    desk.tried.iter().filter(speaks).max_by_key(|tried| tried.at)
}

fn restarted_at(live: &Live) -> Option<Timestamp> {
    match live {
        Live::AutoScalingGroup(fleet) => fleet.last_refresh_at,
        Live::EcsService(service) => service.last_deployment_at,
        _ => None,
    }
}

fn of_fleet(desk: &Desk<'_>, whole: &Proposal, server: &Resource, fleet: &Fleet) -> Result<Option<Proposal>, String> {
    if fleet.instances.len() <= SMALL {
        return Ok(None);
    }
    let signal = match whole.expected.signal.as_str() {
        "fleet_memory_pct" => "instance_memory_pct",
        "fleet_disk_pct" => "instance_disk_pct",
        _ => "instance_cpu_pct",
    };
    let free = fleet.instances.iter().filter(|member| member.is_serving() && !member.protected);
    let mut members: Vec<(&str, Option<f64>)> =
        free.map(|member| (member.id.as_str(), desk.member_level(signal, server, &member.id))).collect();
    // The worst first; of equals, and where nothing is measured, the first by id.
    members.sort_by(|a, b| b.1.unwrap_or(f64::MIN).total_cmp(&a.1.unwrap_or(f64::MIN)).then(a.0.cmp(b.0)));
    let Some((member, level)) = members.first().copied() else {
        return Err(format!("no healthy instance of {} is free of scale-in protection", server.name));
    };
    let action = Action::ReplaceInstance { group: server.name.clone(), instance: member.to_owned() };
    let is_judged_by_member = whole.expected.signal.as_str().starts_with("fleet_");
    let expected = match level.filter(|_| is_judged_by_member) {
        Some(before) => {
            let after = whole.expected.after.min(before);
            Expectation { signal: SignalId::from(signal), before, after, ..whole.expected.clone() }
        }
        None => share(desk, &whole.expected, fleet.instances.len()),
    };
    let says = level.map_or_else(String::new, |level| format!(" ({member}, {signal} at {level:.0} %)"));
    canary(desk, whole, server, action, expected, fleet.instances.len(), &says).map(Some)
}

fn of_service(
    desk: &Desk<'_>,
    whole: &Proposal,
    server: &Resource,
    service: &Service,
) -> Result<Option<Proposal>, String> {
    let tasks = match &service.tasks {
        Observed::Known(tasks) => tasks,
        Observed::Missing(_) if service.desired <= 2 => return Ok(None),
        Observed::Missing(why) => return Err(format!("which tasks of {} run is not known ({why})", server.name)),
    };
    if tasks.len() <= SMALL {
        return Ok(None);
    }
    // Tasks are not measured one by one; what grows with age is worst in the oldest.
    let oldest = |task: &&Task| (task.started_at, task.id.clone());
    let Some(task) = tasks.iter().filter(|task| task.is_running()).min_by_key(oldest) else {
        return Err(format!("no task of {} runs", server.name));
    };
    let action =
        Action::ReplaceTask { cluster: service.cluster.clone(), service: server.name.clone(), task: task.id.clone() };
    let lowest = "service_memory_min_pct";
    let expected = match desk.view.known(lowest, server) {
        Some(before) if whole.expected.signal.as_str() == "service_memory_pct" => {
            let after = whole.expected.after.min(before);
            Expectation { signal: SignalId::from(lowest), before, after, ..whole.expected.clone() }
        }
        _ => share(desk, &whole.expected, tasks.len()),
    };
    let says = task.started_at.map_or_else(String::new, |at| format!(" (the oldest, of {at:.0})"));
    canary(desk, whole, server, action, expected, tasks.len(), &says).map(Some)
}

/// The proposal for one member, if the guards on its resource would let it pass.
fn canary(
    desk: &Desk<'_>,
    whole: &Proposal,
    server: &Resource,
    action: Action,
    expected: Expectation,
    of: usize,
    says: &str,
) -> Result<Proposal, String> {
    guard::replace(&action, &server.live, desk.limits).map_err(|refusal| format!("\"{action}\": {refusal}"))?;
    let of = u32::try_from(of).unwrap_or(u32::MAX);
    Ok(Proposal {
        reason: format!("{}; one of {of} first{says}, the others follow if it helps", whole.reason),
        rollout: Some(Rollout::Canary { of, then: whole.action.kind() }),
        action,
        resource: whole.resource.clone(),
        because: whole.because.clone(),
        expected,
    })
}

/// What one of so many can do for a signal of all of them: its share. A percentile does not move by a share, the mean
/// does, so the mean response time stands in for the 95th percentile where it is measured.
fn share(desk: &Desk<'_>, whole: &Expectation, of: usize) -> Expectation {
    let of = f64::from(u32::try_from(of).unwrap_or(u32::MAX));
    let mean = "latency_mean_ms";
    let door = desk.snapshot.resource(&whole.resource);
    let (signal, before, after) = match door.and_then(|door| Some((door, desk.view.known(mean, door)?))) {
        Some((door, now)) if whole.signal.as_str() == "latency_p95_ms" => {
            let series = desk.view.series(mean, door);
            let usual = series.known().and_then(|series| desk.view.usual(series, USUAL_AGO_S));
            let good = now * whole.after / whole.before.max(f64::MIN_POSITIVE);
            (SignalId::from(mean), now, usual.unwrap_or(good).min(now))
        }
        _ => (whole.signal.clone(), whole.before, whole.after),
    };
    Expectation { signal, before, after: before - (before - after) / of, ..whole.clone() }
}

impl Desk<'_> {
    /// Level of a signal of one member, where it is known.
    pub(super) fn member_level(&self, signal: &str, server: &Resource, member: &str) -> Option<f64> {
        let series = self.view.one(signal, &server.id, Some(member))?.series.known()?;
        self.view.level_of(signal, series).known().copied()
    }
}
