//! Storage filling: a disk or a database's storage is nearly full, or will be within a day at the present slope. Over the
//! warning level it is mentioned.
//!
//! Never concludes from a slope that is not significant, nor from storage that grows by itself (Aurora).

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::health::trends::slope;
use crate::health::view::between;
use crate::resource::{Resource, ResourceKind};
use jiff::Timestamp;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "storage_filling",
    find,
    next_step: "what grows: logs without rotation, temporary files, tables without retention; then more storage",
};

/// Least growth in points an hour that is projected: below it the next scheduled runs will see it in time.
const GROWTH_MIN: f64 = 0.2;

fn find(context: &Context<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for fleet in context.of_kind(ResourceKind::AutoScalingGroup) {
        found.extend(diagnose(context, fleet, "fleet_disk_pct", |used| used));
    }
    for database in context.of_kind(ResourceKind::Database) {
        found.extend(diagnose(context, database, "db_free_storage_pct", |free| 100.0 - free));
    }
    found
}

fn diagnose(context: &Context<'_>, resource: &Resource, signal: &str, used: fn(f64) -> f64) -> Option<Finding> {
    let (view, policy) = (context.view, context.policy());
    let level = view.known(signal, resource).map(used)?;
    let series = view.series(signal, resource);
    let points = between(series.known()?, Timestamp::MIN, view.snapshot.taken_at);
    let used_points = points.into_iter().map(|(at, value)| (at, used(value))).collect();
    let grows = slope(&used_points).filter(|slope| slope.p_value <= policy.trend_p_max && slope.per_hour >= GROWTH_MIN);
    let full_in_h = grows.map(|slope| (100.0 - level).max(0.0) / slope.per_hour);
    let soon = full_in_h.filter(|hours| *hours <= policy.disk_full_within_h);
    if level <= policy.disk_warn_pct && soon.is_none() {
        return None;
    }
    let outlook = match full_in_h {
        Some(hours) => format!("full in {hours:.1} h"),
        None => "not growing at the moment".to_owned(),
    };
    let summary = format!("storage of {} is {level:.0} % full: {outlook}", resource.name);
    let mut evidence =
        vec![Evidence::against(signal, view.known(signal, resource)?, used(policy.disk_act_pct), "bound beside it")];
    evidence.extend(
        grows.map(|slope| Evidence::level(signal, slope.per_hour, format!("points an hour, p = {:.4}", slope.p_value))),
    );
    let urgent = level >= policy.disk_critical_pct || soon.is_some_and(|hours| hours < 2.0);
    let severity = match (urgent, level > policy.disk_act_pct || soon.is_some()) {
        (true, _) => Severity::Critical,
        (false, true) => Severity::High,
        (false, false) => Severity::Low,
    };
    Some(finding(&RULE, resource, severity, 0.9, summary, evidence))
}
