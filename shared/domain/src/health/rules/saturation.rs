//! Saturation: a fleet or service has too little CPU or memory for its load.
//!
//! CPU over 80 % or memory over 85 % in the mean of the window; or over the warning level and rising so fast that the
//! acting level will be passed before the second measurement; or over the warning level for the whole window while an
//! alarm stands and no symptom explains that alarm.
//!
//! Never concludes from one busy member among idle ones (that is a sick instance), nor from memory that only grows with
//! age (that is a leak).

use super::{Context, Rule, finding, memory_leak, severity};
use crate::finding::{Evidence, Finding, Severity};
use crate::health::score::alarm_stands;
use crate::resource::{Resource, ResourceKind};
use crate::series::mean;
use crate::signal::Role;
use stats::robust::median;

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
    let heads_for =
        heading(context, server, scarce.signal).filter(|heads_for| level <= scarce.act && *heads_for > scarce.act);
    let is_felt = context.is_felt(server);
    let shown = heads_for.unwrap_or(level);
    let is_rung_for = shown <= scarce.act && rings(context, server, scarce);
    let acts = shown > scarce.act || is_rung_for;
    let (what, name, act) = (scarce.what, &server.name, scarce.act);
    let summary = match heads_for {
        Some(heads_for) => format!(
            "{what} of {name} is at {level:.0} % and rises: {heads_for:.0} % by the next measurement, over {act:.0} %"
        ),
        None if is_rung_for => {
            format!(
                "{what} of {name} is at {level:.0} %, over {:.0} % for the whole window, and an alarm stands",
                scarce.warn
            )
        }
        None if acts => format!("{what} of {name} is at {level:.0} %, over {act:.0} %"),
        None => format!(
            "{what} of {name} is at {level:.0} %, over the warning level {:.0} % and under {act:.0} %",
            scarce.warn
        ),
    };
    let bound = if acts && !is_rung_for { act } else { scarce.warn };
    let note = if heads_for.is_some() {
        "where it is heading, bound beside it"
    } else {
        "mean of the window, bound beside it"
    };
    let mut evidence = vec![Evidence::against(scarce.signal, shown, bound, note)];
    evidence.extend(latency(context, server));
    let worst = if acts { severity(shown, scarce.critical, is_felt) } else { Severity::Low };
    let confidence = if is_felt { 0.9 } else { 0.7 };
    Some(finding(&RULE, server, worst, confidence, summary, evidence))
}

/// True when an alarm stands, nothing that users feel explains it, and this has been over its warning level throughout.
fn rings(context: &Context<'_>, server: &Resource, scarce: &Scarce) -> bool {
    let well = context.policy().success_score;
    let symptoms = context.signals.iter().filter(|signal| signal.role == Role::Symptom && signal.is_expected());
    let all_well = symptoms.clone().all(|signal| signal.score.known().is_some_and(|score| *score >= well));
    let series = context.view.series(scarce.signal, server);
    let window = series.known().map(|series| context.view.window(series)).unwrap_or_default();
    let throughout = window.len() >= 2 && window.iter().all(|(_, value)| *value > scarce.warn);
    all_well && throughout && alarm_stands(context.view.snapshot)
}

/// True when at least three members are measured and the median one is not short at all.
fn few_members_explain(context: &Context<'_>, server: &Resource, scarce: &Scarce) -> bool {
    let Some(signal) = scarce.member_signal else { return false };
    let members = context.view.members(signal, &server.id);
    let levels: Vec<f64> =
        members.iter().filter_map(|(_, series)| context.view.level_of(signal, series).known().copied()).collect();
    levels.len() >= 3 && median(&levels).is_some_and(|middle| middle <= scarce.warn)
}

/// Rise within a window, in points, under which it may be the scatter of the load.
const RISE_MIN: f64 = 5.0;

/// Where a level that clearly rises within the window will be by the second measurement; at most full.
fn heading(context: &Context<'_>, server: &Resource, signal: &str) -> Option<f64> {
    let series = context.view.series(signal, server).known().cloned()?;
    let window = context.view.window(&series);
    let (early, late) = (window.get(..2)?, window.get(window.len().checked_sub(2)?..)?);
    let middle = |part: &[(jiff::Timestamp, f64)]| mean(&part.iter().map(|(_, value)| *value).collect::<Vec<f64>>());
    let rise = middle(late)? - middle(early)?;
    let apart_s = late.first()?.0.duration_since(early.first()?.0).as_secs();
    if rise < RISE_MIN || apart_s <= 0 {
        return None;
    }
    let per_s = rise / f64::from(i32::try_from(apart_s).ok()?);
    Some((middle(late)? + per_s * f64::from(context.policy().wait_s)).min(100.0))
}

fn latency(context: &Context<'_>, server: &Resource) -> Vec<Evidence> {
    let fronts = super::links::fronts(context.view.snapshot, server);
    let known = fronts.iter().filter_map(|front| context.view.known("latency_p95_ms", front));
    known
        .map(|ms| Evidence::against("latency_p95_ms", ms, context.objectives.latency_p95_ms, "response time beside it"))
        .collect()
}
