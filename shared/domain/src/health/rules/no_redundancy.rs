//! No redundancy: what answers users has a single member, while the application promises an availability that one member
//! can't keep.
//!
//! 99.9 % leave 43 minutes a month. A member alone uses them up with its first replacement that takes longer, and every
//! restart of a fleet of one is refused for the same reason. An owner who does not mind says so by a lower
//! objective. Advice only: two members cost twice as much, and that is the owner's to decide.
//!
//! Never concludes from workers (a queue waits for its consumer), nor from a target group whose fleet or service is known:
//! that one is named. Has no influence on the score.

use super::{Context, Rule, finding, links};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::{Live, Resource, ResourceKind};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "no_redundancy",
    find,
    next_step: "a second member in another Availability Zone, or a lower availability_pct if one is enough",
};

/// Availability in per cent from which on one member is too few.
const AVAILABILITY_PCT: f64 = 99.9;

fn find(context: &Context<'_>) -> Vec<Finding> {
    if context.objectives.availability_pct < AVAILABILITY_PCT {
        return Vec::new();
    }
    context.view.snapshot.resources.iter().filter_map(|resource| single(context, resource)).collect()
}

fn single(context: &Context<'_>, resource: &Resource) -> Option<Finding> {
    let (signal, count) = match &resource.live {
        Live::AutoScalingGroup(fleet) => ("fleet_desired", f64::from(fleet.desired)),
        Live::EcsService(service) => ("service_desired", f64::from(service.desired)),
        Live::TargetGroup { .. } => ("hosts_healthy", hosts(context, resource)?),
        _ => return None,
    };
    let serves_users =
        resource.kind() == ResourceKind::TargetGroup || !links::fronts(context.view.snapshot, resource).is_empty();
    // Levels are means over minutes: 0.5 to 1.5 is one.
    if !serves_users || !(0.5..1.5).contains(&count) {
        return None;
    }
    let promised = context.objectives.availability_pct;
    let summary = format!("{} has a single member, and {promised} % availability is promised", resource.name);
    let evidence = vec![Evidence::against(signal, count, 2.0, "the fewest that survive the loss of one")];
    Some(finding(&RULE, resource, Severity::Low, 0.9, summary, evidence))
}

/// Targets of a group whose fleet or service is not known.
fn hosts(context: &Context<'_>, group: &Resource) -> Option<f64> {
    if !links::servers_of(context.view.snapshot, group).is_empty() {
        return None;
    }
    let unhealthy = context.view.known("hosts_unhealthy", group).unwrap_or(0.0);
    Some(context.view.known("hosts_healthy", group)? + unhealthy)
}
