//! Saturation: a fleet or service has too little CPU or memory for its load.
//!
//! CPU over 80 % or memory over 85 % in the mean of the window; or over the warning level in the mean and over the acting
//! level at the end of the window, which is what a rising load looks like.
//!
//! Never concludes from one busy member among idle ones (that is a sick instance), nor from memory that only grows with
//! age (that is a leak).

use super::{Context, Rule, finding, memory_leak, severity};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::{Resource, ResourceKind};
use crate::series::mean;
use crate::stats::robust::median;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "saturation",
    find,
    next_step: "what uses the CPU or memory, and whether the fleet's maximum leaves room for the load",
};

/// What can be short, and its three levels.
struct Scarce {
    what: &'static str,
    signal: &'static str,
    member_signal: Option<&'static str>,
    warn: f64,
    act: f64,
    critical: f64,
}

fn find(context: &Context<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for fleet in context.of_kind(ResourceKind::AutoScalingGroup) {
        found.extend(look(context, fleet, &cpu(context, "fleet_cpu_pct", Some("instance_cpu_pct"))));
        found.extend(look(context, fleet, &memory(context, "fleet_memory_pct", Some("instance_memory_pct"))));
    }
    for service in context.of_kind(ResourceKind::EcsService) {
        found.extend(look(context, service, &cpu(context, "service_cpu_pct", None)));
        found.extend(look(context, service, &memory(context, "service_memory_pct", None)));
    }
    found
}

fn cpu(context: &Context<'_>, signal: &'static str, member_signal: Option<&'static str>) -> Scarce {
    let policy = context.policy();
    let (warn, act, critical) = (policy.cpu_warn_pct, policy.cpu_act_pct, policy.cpu_critical_pct);
    Scarce { what: "CPU", signal, member_signal, warn, act, critical }
}

fn memory(context: &Context<'_>, signal: &'static str, member_signal: Option<&'static str>) -> Scarce {
    let policy = context.policy();
    let (warn, act, critical) = (policy.memory_warn_pct, policy.memory_act_pct, policy.memory_critical_pct);
    Scarce { what: "memory", signal, member_signal, warn, act, critical }
}

fn look(context: &Context<'_>, server: &Resource, scarce: &Scarce) -> Option<Finding> {
    let view = context.view;
    let level = view.known(scarce.signal, server)?;
    if level <= scarce.warn || few_members_explain(context, server, scarce) {
        return None;
    }
    if scarce.what == "memory" && !memory_leak::leaks(view, server).is_empty() {
        return None;
    }
    let end = end_of_window(context, server, scarce.signal).unwrap_or(level);
    let is_felt = context.is_felt(server);
    let acts = level > scarce.act || end > scarce.act;
    let shown = if level > scarce.act { level } else { level.max(end) };
    let summary = if acts {
        format!("{} of {} is at {shown:.0} %, over {:.0} %", scarce.what, server.name, scarce.act)
    } else {
        format!("{} of {} is at {level:.0} %, over the warning level {:.0} % and under {:.0} %", scarce.what, server.name, scarce.warn, scarce.act)
    };
    let bound = if acts { scarce.act } else { scarce.warn };
    let mut evidence = vec![Evidence::against(scarce.signal, shown, bound, "mean of the window against its bound")];
    evidence.extend(latency(context, server));
    let worst = if acts { severity(shown, scarce.critical, is_felt) } else { Severity::Low };
    let confidence = if is_felt { 0.9 } else { 0.7 };
    Some(finding(&RULE, server, worst, confidence, summary, evidence))
}

/// True when at least three members are measured and the median one is not short at all.
fn few_members_explain(context: &Context<'_>, server: &Resource, scarce: &Scarce) -> bool {
    let Some(signal) = scarce.member_signal else { return false };
    let members = context.view.members(signal, &server.id);
    let levels: Vec<f64> =
        members.iter().filter_map(|(_, series)| context.view.level_of(signal, series).known().copied()).collect();
    levels.len() >= 3 && median(&levels).is_some_and(|middle| middle <= scarce.warn)
}

/// Mean of the last two points of the window.
fn end_of_window(context: &Context<'_>, server: &Resource, signal: &str) -> Option<f64> {
    let series = context.view.series(signal, server).known().cloned()?;
    let last: Vec<f64> = context.view.window(&series).iter().rev().take(2).map(|(_, value)| *value).collect();
    mean(&last)
}

fn latency(context: &Context<'_>, server: &Resource) -> Vec<Evidence> {
    let fronts = super::links::fronts(context.view.snapshot, server);
    let known = fronts.iter().filter_map(|front| context.view.known("latency_p95_ms", front));
    known.map(|ms| Evidence::against("latency_p95_ms", ms, context.objectives.latency_p95_ms, "response time beside it")).collect()
}
