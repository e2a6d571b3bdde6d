//! Bad deployment: errors or response times jumped within a quarter of an hour after something was deployed.
//!
//! The onset is found in the series itself; deployments are those of ECS services and instance refreshes.
//!
//! Never concludes from an onset before the deployment, nor from a level that is still within the objective.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::health::onset::onset;
use crate::health::view::between;
use crate::resource::{Live, Resource, ResourceKind};
use jiff::Timestamp;

/// The rule.
pub(super) const RULE: Rule =
    Rule { id: "bad_deployment", find, next_step: "roll the deployment back; then what changed in it" };

/// How many times its objective a level must be.
const BEYOND_OBJECTIVE: f64 = 5.0;
/// A deployment shows in the metrics up to so many seconds before its own time stamp, because periods are whole minutes.
const EARLY_S: i64 = 60;

fn find(context: &Context<'_>) -> Vec<Finding> {
    let deployments: Vec<(&Resource, Timestamp)> = context
        .view
        .snapshot
        .resources
        .iter()
        .filter_map(|resource| Some((resource, deployed_at(resource)?)))
        .collect();
    let fronts = context.of_kind(ResourceKind::TargetGroup).flat_map(|front| {
        [
            (front, "error_rate_pct", context.objectives.error_rate_pct),
            (front, "latency_p95_ms", context.objectives.latency_p95_ms),
        ]
    });
    let mut found: Vec<Finding> = Vec::new();
    for (front, signal, objective) in fronts {
        if let Some(finding) = diagnose(context, front, signal, objective, &deployments)
            && !found.iter().any(|other| other.resource == finding.resource)
        {
            found.push(finding);
        }
    }
    found
}

fn deployed_at(resource: &Resource) -> Option<Timestamp> {
    match &resource.live {
        Live::EcsService(service) => service.last_deployment_at,
        Live::AutoScalingGroup(fleet) => fleet.last_refresh_at,
        _ => None,
    }
}

fn diagnose(
    context: &Context<'_>,
    front: &Resource,
    signal: &str,
    objective: f64,
    deployments: &[(&Resource, Timestamp)],
) -> Option<Finding> {
    let series = context.view.series(signal, front);
    let points = between(series.known()?, Timestamp::MIN, context.view.snapshot.taken_at);
    let bad = BEYOND_OBJECTIVE * objective;
    let jump = onset(&points, bad).filter(|onset| onset.after >= bad && onset.after > onset.before)?;
    let within = i64::from(context.policy().deployment_onset_s);
    let (deployed, at) =
        deployments.iter().find(|(_, at)| (-EARLY_S..=within).contains(&jump.at.duration_since(*at).as_secs()))?;
    let after_min = jump.at.duration_since(*at).as_secs().max(0) / 60;
    let summary = format!(
        "{signal} of {} jumped from {:.1} to {:.1} at {}, {after_min} min after a deployment of {}",
        front.name, jump.before, jump.after, jump.at, deployed.name
    );
    let evidence = vec![Evidence::against(signal, jump.after, jump.before, "before the onset beside it")];
    Some(finding(&RULE, deployed, Severity::High, 0.75, summary, evidence))
}
