//! Sick instance: one member of a fleet differs from its peers, or fails its status check.
//!
//! A member is compared with the median of the others: its robust z-score (0.6745 · difference / MAD) and the difference
//! itself must both be over their bounds, for CPU or memory. It needs three members, and ten minutes of life.
//!
//! Never concludes from two members (there is no telling which of them is the sick one), from a newcomer that warms up,
//! nor from a member that is only less busy than its peers.

use super::{Context, Rule, links};
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::RuleId;
use crate::resource::{Fleet, Live, Resource, ResourceKind};
use crate::series::Series;
use stats::robust::{mad, median, percentile_of_sorted};
use std::collections::BTreeMap;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "sick_instance",
    find,
    next_step: "the system log of the instance and what differs on it from its peers",
};

/// Smallest scatter assumed among peers, in points: three servers at the very same level are not infinitely precise.
const SCATTER_MIN: f64 = 1.0;
/// Makes the MAD of normal values a standard deviation.
const Z_PER_MAD: f64 = 0.6745;
/// Peers that a comparison needs.
const PEERS_MIN: usize = 2;

fn find(context: &Context<'_>) -> Vec<Finding> {
    context.of_kind(ResourceKind::AutoScalingGroup).flat_map(|fleet| of_fleet(context, fleet)).collect()
}

/// Levels of one signal over the members of a fleet that are no newcomers.
struct Peers {
    signal: &'static str,
    what: &'static str,
    by_member: BTreeMap<String, f64>,
    sorted: Vec<f64>,
}

fn of_fleet(context: &Context<'_>, resource: &Resource) -> Vec<Finding> {
    let Live::AutoScalingGroup(fleet) = &resource.live else { return Vec::new() };
    let peers = [("instance_cpu_pct", "CPU"), ("instance_memory_pct", "memory")]
        .map(|(signal, what)| peers(context, resource, signal, what));
    let members = fleet.instances.iter().filter(|member| member.in_service);
    members.filter_map(|member| diagnose(context, resource, fleet, &member.id, &peers)).collect()
}

fn peers(context: &Context<'_>, resource: &Resource, signal: &'static str, what: &'static str) -> Peers {
    let grown =
        context.view.members(signal, &resource.id).into_iter().filter(|(_, series)| !is_newcomer(context, series));
    let by_member: BTreeMap<String, f64> = grown
        .filter_map(|(id, series)| Some((id.to_owned(), *context.view.level_of(signal, series).known()?)))
        .collect();
    let mut sorted: Vec<f64> = by_member.values().copied().collect();
    sorted.sort_by(f64::total_cmp);
    Peers { signal, what, by_member, sorted }
}

fn diagnose(
    context: &Context<'_>,
    resource: &Resource,
    fleet: &Fleet,
    member: &str,
    peers: &[Peers],
) -> Option<Finding> {
    let failed = failed_checks(context, resource, member);
    let mut evidence = Vec::new();
    let mut says = Vec::new();
    if let Some(failed) = failed {
        evidence.push(Evidence::against("instance_status_failed", failed, 0.0, "share of failed status checks"));
        says.push("fails its status check".to_owned());
    }
    for peers in peers {
        if let Some((own, usual, z)) = stands_out(context, peers, member) {
            evidence.push(Evidence::against(
                peers.signal,
                own,
                usual,
                format!("median of its peers beside it, z = {z:.0}"),
            ));
            says.push(format!("{} is at {own:.0} % while its peers are at {usual:.0} %", peers.what));
        }
    }
    if evidence.is_empty() {
        return None;
    }
    let unhealthy = links::fronts(context.view.snapshot, resource)
        .iter()
        .filter_map(|front| context.view.known("hosts_unhealthy", front))
        .fold(0.0, f64::max);
    if unhealthy > 0.0 {
        evidence.push(Evidence::against("hosts_unhealthy", unhealthy, 0.0, "targets that fail their health check"));
    }
    let is_felt = context.is_felt(resource);
    let severity = if is_felt || failed.is_some() { Severity::High } else { Severity::Medium };
    Some(Finding {
        rule: RuleId::from(RULE.id),
        resource: resource.id.clone(),
        member: Some(member.to_owned()),
        severity,
        confidence: if failed.is_some() || is_felt { 0.95 } else { 0.8 },
        summary: format!("{member}, one of {} in {}: {}", fleet.instances.len(), resource.name, says.join("; ")),
        evidence,
    })
}

fn failed_checks(context: &Context<'_>, resource: &Resource, member: &str) -> Option<f64> {
    let signal = "instance_status_failed";
    let series = context.view.one(signal, &resource.id, Some(member))?.series.known()?;
    context.view.level_of(signal, series).known().copied().filter(|failed| *failed > 0.0)
}

/// Level of the member, median of its peers, z-score; `None` when it does not stand out.
fn stands_out(context: &Context<'_>, peers: &Peers, member: &str) -> Option<(f64, f64, f64)> {
    let policy = context.policy();
    let own = *peers.by_member.get(member)?;
    // Whoever is not clearly above the median of all is not above that of the others either: most are done here.
    if peers.sorted.len() <= PEERS_MIN
        || own - percentile_of_sorted(&peers.sorted, 50.0)? <= 0.5 * policy.outlier_points
    {
        return None;
    }
    let mut others = peers.sorted.clone();
    let place = others.binary_search_by(|level| level.total_cmp(&own)).ok()?;
    others.remove(place);
    let usual = median(&others)?;
    let z = Z_PER_MAD * (own - usual) / mad(&others)?.max(SCATTER_MIN);
    (z > policy.outlier_z && own - usual > policy.outlier_points).then_some((own, usual, z))
}

/// True when the first value of a member is younger than the grace of a newcomer. AWS does not say when an instance was
/// launched, its first value does.
fn is_newcomer(context: &Context<'_>, series: &Series) -> bool {
    let now = context.view.snapshot.taken_at;
    let first = series.values.iter().position(Option::is_some).map(|index| series.time_at(index));
    first.is_none_or(|first| now.duration_since(first).as_secs() < i64::from(context.policy().newcomer_s))
}
