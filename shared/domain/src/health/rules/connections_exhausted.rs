//! Connections exhausted: over 80 % of what the database accepts are taken.
//!
//! Never concludes where the maximum is not known, nor that more servers would help: each brings connections of its own.

use super::{Context, Rule, finding, severity};
use crate::finding::{Evidence, Finding};
use crate::resource::ResourceKind;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "connections_exhausted",
    find,
    next_step: "pool sizes of the clients, sessions that idle in a transaction, or a proxy in front of the database",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let policy = context.policy();
    let is_felt = context.signals.iter().any(|signal| {
        signal.role == crate::signal::Role::Symptom
            && signal.score.known().is_some_and(|score| *score < policy.success_score)
    });
    context
        .of_kind(ResourceKind::Database)
        .filter_map(|database| {
            let share = context
                .view
                .known("db_connections_pct", database)
                .filter(|share| *share > policy.connections_act_pct)?;
            let taken = context.view.known("db_connections", database)?;
            let summary = format!(
                "{taken:.0} connections of {} are open, {share:.0} % of what it accepts, over {:.0} %",
                database.name, policy.connections_act_pct
            );
            let evidence =
                vec![Evidence::against("db_connections_pct", share, policy.connections_act_pct, "bound beside it")];
            Some(finding(
                &RULE,
                database,
                severity(share, policy.connections_critical_pct, is_felt),
                0.95,
                summary,
                evidence,
            ))
        })
        .collect()
}
