//! The remedy of each rule's finding: one line per rule in [`TABLE`].
//!
//! A remedy reads the snapshot and answers with one change or with the reason why there is none. It looks neither at
//! the past nor at other findings; that is weighed afterwards.

use super::{Desk, Proposal, Remedy, restart, size};
use crate::change::{Action, Better, Expectation};
use crate::finding::{Finding, Severity};
use crate::guard;
use crate::health::links;
use crate::health::rules::{flow, leaks, next_step};
use crate::ids::{ResourceId, SignalId};
use crate::plan::OUT_OF_REACH;
use crate::resource::{Live, Resource, ResourceKind};
use stats::robust::percentile;

type Answer = fn(&Desk<'_>, &Finding, &Resource) -> Remedy;

/// Rule and remedy. A rule that is not listed has none in reach of this cycle.
const TABLE: &[(&str, Answer)] = &[
    ("poisoned_cache", clear_cache),
    ("low_hit_rate", clear_low_cache),
    ("cold_cache", wait),
    ("sick_instance", replace),
    ("memory_leak", restart_leaking),
    ("queue_backlog", add_consumers),
    ("saturation", scale_out),
    ("storage_filling", fresh_disks),
];

/// What is usual is read from before the last quarter of an hour.
const USUAL_AGO_S: i64 = 900;

/// The remedy of a finding.
pub(super) fn of(desk: &Desk<'_>, finding: &Finding) -> Remedy {
    let Some(resource) = desk.snapshot.resource(&finding.resource) else {
        return Remedy::Pass("none".to_owned(), "the resource is not in the snapshot".to_owned());
    };
    match TABLE.iter().find(|(rule, _)| *rule == finding.rule.as_str()) {
        Some((_, answer)) => answer(desk, finding, resource),
        None => Remedy::Pass(OUT_OF_REACH.to_owned(), format!("for a person to look at: {}", next_step(&finding.rule))),
    }
}

fn scale_out(desk: &Desk<'_>, finding: &Finding, server: &Resource) -> Remedy {
    let policy = desk.policy;
    let Some(evidence) = finding.evidence.first() else { return nothing_known() };
    let is_memory = evidence.signal.as_str().ends_with("_memory_pct");
    let (act, target) = if is_memory {
        (policy.memory_act_pct, policy.memory_target_pct)
    } else {
        (policy.cpu_act_pct, policy.cpu_target_pct)
    };
    let remedy = format!("scale {} out", server.name);
    let level = evidence.value;
    if finding.severity == Severity::Low {
        return Remedy::Pass(remedy, format!("{level:.0} %: it is scaled out above {act:.0} %"));
    }
    let cpu_is_over = !is_memory && level > act;
    if let Some((database, cpu)) = desk.database_is_full().filter(|_| !cpu_is_over && serves_users(desk, server)) {
        return Remedy::Pass(
            remedy,
            format!(
                "the bottleneck is the database {database} with {cpu:.0} % CPU; more servers would bring it more load"
            ),
        );
    }
    let room = match size::room(&server.live, policy.service_count_max) {
        Ok(room) => room,
        Err(reason) => return Remedy::Pass(remedy, reason),
    };
    let wanted = f64::from(room.serving) * level / target;
    match size::grown(room, wanted, desk.limits) {
        Err(reason) => Remedy::Pass(remedy, reason),
        Ok(desired) => {
            let share = f64::from(room.serving) / f64::from(desired);
            // Half of the memory is taken to be there without any request, so only the other half is shared out.
            let after = if is_memory { level * (0.5 + 0.5 * share) } else { level * share };
            let reason =
                format!("{}; {} serve, {desired} bring it to about {after:.0} %", finding.summary, room.serving);
            let reason = size::with_note_on_tracking(desk.snapshot, server, reason);
            propose(
                finding,
                resize(server, desired),
                server,
                reason,
                expect(evidence.signal.clone(), server, Better::Lower, level, after),
            )
        }
    }
}

fn add_consumers(desk: &Desk<'_>, finding: &Finding, queue: &Resource) -> Remedy {
    let remedy = format!("add consumers of {}", queue.name);
    let Some(flow) = flow(&desk.view, queue) else { return nothing_known() };
    if finding.severity == Severity::Low {
        return Remedy::Pass(remedy, format!("{}: waiting is enough", finding.summary));
    }
    let consumer = match links::consumer_of(desk.snapshot, queue) {
        Ok(consumer) => consumer,
        Err(reason) => return Remedy::Pass(remedy, reason),
    };
    let room = match size::room(&consumer.live, desk.policy.service_count_max) {
        Ok(room) => room,
        Err(reason) => return Remedy::Pass(remedy, reason),
    };
    if flow.deleted_per_min <= 0.0 || room.serving == 0 {
        let reason = format!("{} consumers finish nothing at all, so more of them would not help", room.serving);
        return Remedy::Pass(remedy, reason);
    }
    let each = flow.deleted_per_min / f64::from(room.serving);
    let to_keep_up = flow.sent_per_min / (each * desk.policy.consumer_target_pct / 100.0);
    let to_drain = (flow.sent_per_min + flow.depth / (desk.policy.backlog_drain_s / 60.0)) / each;
    match size::grown(room, to_keep_up.max(to_drain), desk.limits) {
        Err(reason) => Remedy::Pass(remedy, reason),
        Ok(desired) => {
            let drained = (f64::from(desired) * each - flow.sent_per_min) * f64::from(desk.policy.wait_s) / 60.0;
            let after = (flow.depth - drained).max(0.0);
            let reason = format!(
                "{}; {} consumers finish {each:.0} a minute each, {desired} keep up",
                finding.summary, room.serving
            );
            let reason = size::with_note_on_tracking(desk.snapshot, consumer, reason);
            let expected = expect(SignalId::from("queue_depth"), queue, Better::Lower, flow.depth, after);
            propose(finding, resize(consumer, desired), consumer, reason, expected)
        }
    }
}

fn replace(_: &Desk<'_>, finding: &Finding, fleet: &Resource) -> Remedy {
    let (Some(member), Some(evidence)) = (&finding.member, finding.evidence.first()) else { return nothing_known() };
    let action = Action::ReplaceInstance { group: fleet.name.clone(), instance: member.clone() };
    let Live::AutoScalingGroup(live) = &fleet.live else { return nothing_known() };
    if live.refresh_in_progress {
        return Remedy::Pass(action.to_string(), "an instance refresh is under way".to_owned());
    }
    if live.healthy() < 2 {
        return Remedy::Pass(action.to_string(), format!("only {} healthy instances are left", live.healthy()));
    }
    let after = evidence.reference.unwrap_or(0.0);
    let expected = expect(evidence.signal.clone(), fleet, Better::Lower, evidence.value, after);
    propose(finding, action, fleet, finding.summary.clone(), expected)
}

fn restart_leaking(desk: &Desk<'_>, finding: &Finding, server: &Resource) -> Remedy {
    let remedy = format!("restart {}", server.name);
    let leaks = leaks(&desk.view, server);
    let Some(level) = leaks.iter().map(|leak| leak.level_pct).reduce(f64::max) else { return nothing_known() };
    let (act, bound) = (desk.policy.memory_act_pct, desk.policy.restart_under_score);
    let low = desk.analysis.score.known().filter(|score| **score < bound);
    if level <= act && low.is_none() {
        let score = desk.analysis.score.known().map_or_else(|| "not known".to_owned(), |score| format!("{score:.1}"));
        return Remedy::Pass(
            remedy,
            format!("memory is at {level:.0} % and the score is {score}: restarted over {act:.0} % or under {bound}"),
        );
    }
    let signal = match server.kind() {
        ResourceKind::EcsService => "service_memory_pct",
        _ => "fleet_memory_pct",
    };
    let members: Vec<&str> = leaks.iter().filter_map(|leak| leak.member.as_deref()).collect();
    restarted(desk, finding, server, signal, level, &members)
}

fn fresh_disks(desk: &Desk<'_>, finding: &Finding, server: &Resource) -> Remedy {
    if server.kind() != ResourceKind::AutoScalingGroup {
        return Remedy::Pass(OUT_OF_REACH.to_owned(), format!("for a person to look at: {}", next_step(&finding.rule)));
    }
    let act = desk.policy.disk_act_pct;
    match desk.view.known("fleet_disk_pct", server).filter(|level| *level > act) {
        Some(level) => {
            let members = desk.view.members("instance_disk_pct", &server.id);
            let is_over = |series| {
                desk.view.level_of("instance_disk_pct", series).known().is_some_and(|level: &f64| *level > act)
            };
            let over: Vec<&str> =
                members.into_iter().filter(|(_, series)| is_over(series)).map(|(member, _)| member).collect();
            restarted(desk, finding, server, "fleet_disk_pct", level, &over)
        }
        None => Remedy::Pass(
            format!("restart {}", server.name),
            format!("fresh instances with empty disks over {act:.0} %; {}", finding.summary),
        ),
    }
}

/// A restart that brings a growing utilization back to where it began: the lowest level of the history. Of these members,
/// where they are known; a single one is replaced.
fn restarted(
    desk: &Desk<'_>,
    finding: &Finding,
    server: &Resource,
    signal: &str,
    level: f64,
    members: &[&str],
) -> Remedy {
    if let ([only], Live::AutoScalingGroup(fleet)) = (members, &server.live)
        && fleet.instances.len() > 1
    {
        let own = signal.replace("fleet_", "instance_");
        return replace_only(desk, finding, server, &own, only, fresh(desk, server, signal, level));
    }
    match restart::action(server, desk.limits) {
        Err(reason) => Remedy::Pass(format!("restart {}", server.name), reason),
        Ok(action) => {
            let fresh = fresh(desk, server, signal, level);
            let expected = expect(SignalId::from(signal), server, Better::Lower, level, fresh);
            propose(finding, action, server, finding.summary.clone(), expected)
        }
    }
}

/// The level of a fresh member: the lowest of the history, at most the present one.
fn fresh(desk: &Desk<'_>, server: &Resource, signal: &str, level: f64) -> f64 {
    let series = desk.view.series(signal, server);
    let values: Vec<f64> =
        series.known().map_or_else(Vec::new, |series| series.values.iter().flatten().copied().collect());
    percentile(&values, 5.0).unwrap_or(level).min(level)
}

/// The only member of a fleet with the symptom is replaced; the others are well, so nothing follows.
fn replace_only(
    desk: &Desk<'_>,
    finding: &Finding,
    fleet: &Resource,
    signal: &str,
    member: &str,
    after: f64,
) -> Remedy {
    let action = Action::ReplaceInstance { group: fleet.name.clone(), instance: member.to_owned() };
    if let Err(refusal) = guard::replace(&action, &fleet.live, desk.limits) {
        return Remedy::Pass(action.to_string(), format!("{}: {refusal}", fleet.name));
    }
    let Some(level) = desk.member_level(signal, fleet, member) else { return nothing_known() };
    let reason = format!("{}; {member} is the only one", finding.summary);
    propose(
        finding,
        action,
        fleet,
        reason,
        expect(SignalId::from(signal), fleet, Better::Lower, level, after.min(level)),
    )
}

fn clear_cache(desk: &Desk<'_>, finding: &Finding, cache: &Resource) -> Remedy {
    let Some(evidence) = finding.evidence.first() else { return nothing_known() };
    let action = match &cache.live {
        Live::Cache(live) if live.engine == "memcached" => {
            return Remedy::Pass(format!("clear {}", cache.name), "only Redis and Valkey can be cleared".to_owned());
        }
        Live::Cache(_) => Action::FlushCache { cache: cache.name.clone() },
        Live::Distribution => Action::InvalidateCdn { distribution: cache.name.clone() },
        _ => return nothing_known(),
    };
    // The rate of a distribution is measured on the custom metric that carries its id.
    let measured_on = match &cache.live {
        Live::Distribution => {
            desk.snapshot.of_kind(ResourceKind::Custom).find(|metric| carries(metric, cache)).unwrap_or(cache)
        }
        _ => cache,
    };
    let usual = desk
        .view
        .series(evidence.signal.as_str(), measured_on)
        .known()
        .and_then(|series| desk.view.usual(series, USUAL_AGO_S));
    let after = usual.unwrap_or(desk.policy.hit_rate_act_pct).max(evidence.value);
    let expected = expect(evidence.signal.clone(), measured_on, Better::Higher, evidence.value, after);
    propose(finding, action, cache, finding.summary.clone(), expected)
}

fn carries(metric: &Resource, edge: &Resource) -> bool {
    matches!(&metric.live, Live::Custom(custom) if custom.dimensions.get("DistributionId").is_some_and(|id| *id == edge.name))
}

/// A rate that has always been low may be nobody's fault: the cache is cleared only where users suffer.
fn clear_low_cache(desk: &Desk<'_>, finding: &Finding, cache: &Resource) -> Remedy {
    let bound = desk.policy.success_score;
    match desk.analysis.score.known() {
        Some(score) if *score < bound => clear_cache(desk, finding, cache),
        Some(score) => Remedy::Pass(
            format!("clear {}", cache.name),
            format!("score {score:.1}: nobody suffers, and clearing would move load to the source"),
        ),
        None => Remedy::Pass(format!("clear {}", cache.name), "whether anybody suffers is not known".to_owned()),
    }
}

fn wait(_: &Desk<'_>, finding: &Finding, cache: &Resource) -> Remedy {
    Remedy::Pass(format!("clear {}", cache.name), format!("{}: waiting is enough", finding.summary))
}

fn serves_users(desk: &Desk<'_>, server: &Resource) -> bool {
    !links::fronts(desk.snapshot, server).is_empty()
}

fn resize(server: &Resource, desired: u32) -> Action {
    match &server.live {
        Live::EcsService(service) => {
            Action::SetServiceCount { cluster: service.cluster.clone(), service: server.name.clone(), desired }
        }
        _ => Action::SetFleetCapacity { group: server.name.clone(), desired },
    }
}

fn expect(signal: SignalId, on: &Resource, better: Better, before: f64, after: f64) -> Expectation {
    Expectation { signal, resource: on.id.clone(), better, before, after }
}

fn propose(finding: &Finding, action: Action, on: &Resource, reason: String, expected: Expectation) -> Remedy {
    let resource: ResourceId = on.id.clone();
    Remedy::Do(Proposal { action, resource, because: finding.rule.clone(), reason, expected, rollout: None })
}

fn nothing_known() -> Remedy {
    Remedy::Pass("none".to_owned(), "what the finding rests on is no longer in the snapshot".to_owned())
}
