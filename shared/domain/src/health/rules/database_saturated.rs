//! Database saturated: its CPU is over 90 %, or clients crowd it: its connections have multiplied at an onset while
//! response times suffer, which is what waiting for locks looks like.
//!
//! Says what the bottleneck is. Never concludes that more web servers would help or harm: that is weighed in the plan
//! and, where it is tried, measured.

use super::{Context, Rule, finding, severity};
use crate::finding::{Evidence, Finding, Severity};
use crate::health::onset::onset;
use crate::health::view::between;
use crate::resource::{Resource, ResourceKind};
use jiff::Timestamp;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "database_saturated",
    find,
    next_step: "the slowest queries, sessions that wait for locks, and whether the database's size fits its load",
};

/// Connections that have multiplied by this factor are a crowd.
const CROWD_FACTOR: f64 = 2.0;

fn find(context: &Context<'_>) -> Vec<Finding> {
    context
        .of_kind(ResourceKind::Database)
        .filter_map(|db| busy(context, db).or_else(|| crowded(context, db)))
        .collect()
}

fn busy(context: &Context<'_>, database: &Resource) -> Option<Finding> {
    let policy = context.policy();
    let cpu = context.view.known("db_cpu_pct", database).filter(|cpu| *cpu > policy.db_cpu_act_pct)?;
    let summary =
        format!("CPU of the database {} is at {cpu:.0} %, over {:.0} %", database.name, policy.db_cpu_act_pct);
    let evidence = vec![Evidence::against("db_cpu_pct", cpu, policy.db_cpu_act_pct, "bound beside it")];
    let felt = slow(context).is_some();
    Some(finding(&RULE, database, severity(cpu, policy.db_cpu_critical_pct, felt), 0.9, summary, evidence))
}

fn crowded(context: &Context<'_>, database: &Resource) -> Option<Finding> {
    let latency = slow(context)?;
    let series = context.view.series("db_connections", database);
    let points = between(series.known()?, Timestamp::MIN, context.view.snapshot.taken_at);
    let usual = context.view.usual(series.known()?, 900)?;
    let found = onset(&points, usual.max(1.0)).filter(|onset| onset.after >= CROWD_FACTOR * onset.before)?;
    let summary = format!(
        "connections of {} went from {:.0} to {:.0} at {}, and response times with them: clients wait for the database",
        database.name, found.before, found.after, found.at
    );
    let evidence = vec![
        Evidence::against("db_connections", found.after, found.before, "before the onset beside it"),
        Evidence::against("latency_p95_ms", latency, context.objectives.latency_p95_ms, "objective beside it"),
    ];
    Some(finding(&RULE, database, Severity::High, 0.6, summary, evidence))
}

/// The worst response time of the application when it is clearly beyond its objective.
fn slow(context: &Context<'_>) -> Option<f64> {
    let known =
        context.of_kind(ResourceKind::TargetGroup).filter_map(|front| context.view.known("latency_p95_ms", front));
    let worst = known.reduce(f64::max)?;
    (worst > 2.0 * context.objectives.latency_p95_ms).then_some(worst)
}
