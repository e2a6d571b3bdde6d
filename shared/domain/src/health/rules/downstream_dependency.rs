//! Downstream dependency: users wait or get errors while everything of our own is measured, idle and healthy. What is
//! slow lies outside.
//!
//! Never concludes while any own utilization is unknown (missing is not idle), while an instance is sick, a deployment
//! is near the onset, traffic floods in, or a target fails its health check.

use super::{Context, Rule, bad_deployment, finding, links, sick_instance, traffic_flood};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::{Resource, ResourceKind};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "downstream_dependency",
    find,
    next_step: "the services that the application calls: their status pages, time-outs and circuit breakers",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let fronts = context.of_kind(ResourceKind::TargetGroup).chain(context.of_kind(ResourceKind::Api));
    let suffering: Vec<&Resource> = fronts
        .filter(|front| context.symptom(&[*front]).is_some_and(|score| score < context.policy().restart_under_score))
        .collect();
    if suffering.is_empty() {
        return Vec::new();
    }
    let Some(idle) = own_resources_idle(context) else { return Vec::new() };
    let explained = [sick_instance::RULE, bad_deployment::RULE, traffic_flood::RULE];
    if explained.iter().any(|rule| !(rule.find)(context).is_empty()) {
        return Vec::new();
    }
    suffering.iter().filter_map(|front| diagnose(context, front, &idle)).collect()
}

fn diagnose(context: &Context<'_>, front: &Resource, idle: &[Evidence]) -> Option<Finding> {
    let view = context.view;
    if view.known("hosts_unhealthy", front).is_some_and(|hosts| hosts > 0.0) {
        return None;
    }
    if front.kind() == ResourceKind::TargetGroup && links::servers_of(view.snapshot, front).is_empty() {
        return None;
    }
    let (latency_signal, rate_signal) = match front.kind() {
        ResourceKind::Api => ("api_latency_p95_ms", "api_error_rate_pct"),
        _ => ("latency_p95_ms", "error_rate_pct"),
    };
    let (latency, errors) = (view.known(latency_signal, front), view.known(rate_signal, front));
    let says =
        [latency.map(|ms| format!("p95 is {ms:.0} ms")), errors.map(|pct| format!("{pct:.1} % of the requests fail"))];
    let summary = format!(
        "{} suffers ({}) while all of our own is idle and healthy: something that it calls is slow or fails",
        front.name,
        says.into_iter().flatten().collect::<Vec<String>>().join(", ")
    );
    let mut evidence = Vec::new();
    evidence.extend(
        latency
            .map(|ms| Evidence::against(latency_signal, ms, context.objectives.latency_p95_ms, "objective beside it")),
    );
    evidence.extend(
        errors.map(|pct| Evidence::against(rate_signal, pct, context.objectives.error_rate_pct, "objective beside it")),
    );
    evidence.extend(idle.iter().cloned());
    Some(finding(&RULE, front, Severity::High, 0.7, summary, evidence))
}

/// The utilization of everything of our own, when all of it is known and under its warning level.
fn own_resources_idle(context: &Context<'_>) -> Option<Vec<Evidence>> {
    let policy = context.policy();
    let mut evidence = Vec::new();
    let mut check =
        |signal: &str, resource: &Resource, bound: f64, is_needed: bool| match context.view.known(signal, resource) {
            Some(level) if level < bound => {
                evidence.push(Evidence::against(signal, level, bound, format!("{}: under its bound", resource.name)));
                true
            }
            Some(_) => false,
            None => !is_needed,
        };
    let mut servers = 0;
    for fleet in context.of_kind(ResourceKind::AutoScalingGroup) {
        servers += 1;
        let fine = check("fleet_cpu_pct", fleet, policy.cpu_warn_pct, true)
            && check("fleet_memory_pct", fleet, policy.memory_act_pct, false);
        if !fine {
            return None;
        }
    }
    for service in context.of_kind(ResourceKind::EcsService) {
        // A worker at its limit slows its queue, not the answers at the front door.
        let is_worker = context.of_kind(ResourceKind::Queue).any(|queue| {
            links::consumer_of(context.view.snapshot, queue).is_ok_and(|consumer| consumer.id == service.id)
        });
        servers += 1;
        if !is_worker && !check("service_cpu_pct", service, policy.cpu_warn_pct, true) {
            return None;
        }
    }
    for database in context.of_kind(ResourceKind::Database) {
        let fine = check("db_cpu_pct", database, policy.db_cpu_warn_pct, true)
            && check("db_connections_pct", database, policy.connections_warn_pct, false);
        if !fine {
            return None;
        }
    }
    for cache in context.of_kind(ResourceKind::Cache) {
        let rate = context.view.known("cache_hit_rate_pct", cache);
        if rate.is_some_and(|rate| rate < policy.hit_rate_act_pct)
            || !check("cache_engine_cpu_pct", cache, policy.cpu_warn_pct, false)
        {
            return None;
        }
    }
    (servers > 0 && context.view.snapshot.undiscovered.is_empty()).then_some(evidence)
}
