//! The diagnosis rules of the health cycle: one file each, one line each in [`RULES`].
//!
//! A rule looks at a snapshot and names a problem with its evidence. It proposes no change; what to do about a finding
//! is decided in [`super::plan`]. Bounds, reasons and what each rule never concludes from: `docs/health-rules.md`.

mod bad_deployment;
mod cold_cache;
mod connections_exhausted;
mod database_saturated;
mod downstream_dependency;
mod function_errors;
mod function_throttles;
mod hit_rate;
mod low_hit_rate;
mod memory_leak;
mod no_redundancy;
mod poisoned_cache;
mod queue_backlog;
mod replica_lag;
mod saturation;
mod sick_instance;
mod small_cache;
mod storage_filling;
mod table_throttles;
mod traffic_flood;

#[cfg(test)]
mod tests;

use super::links;
use super::plan::repeated::{NEXT_STEP, REPEATED};
use super::policy::Policy;
use super::score::SignalScore;
use super::view::View;
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::RuleId;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::Role;

pub use memory_leak::{Leak, leaks};
pub use queue_backlog::{Flow, flow};

/// A diagnosis rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Stable name, as in records and messages.
    pub id: &'static str,
    /// Looks for it.
    pub find: fn(&Context<'_>) -> Vec<Finding>,
    /// What a person should look at when the maintainer could not mend it.
    pub next_step: &'static str,
}

/// Every rule, causes before what they cause.
pub const RULES: &[Rule] = &[
    bad_deployment::RULE,
    poisoned_cache::RULE,
    cold_cache::RULE,
    small_cache::RULE,
    low_hit_rate::RULE,
    sick_instance::RULE,
    memory_leak::RULE,
    queue_backlog::RULE,
    database_saturated::RULE,
    connections_exhausted::RULE,
    replica_lag::RULE,
    storage_filling::RULE,
    traffic_flood::RULE,
    saturation::RULE,
    function_errors::RULE,
    function_throttles::RULE,
    table_throttles::RULE,
    downstream_dependency::RULE,
    no_redundancy::RULE,
];

/// What a rule looks at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The snapshot.
    pub view: &'a View<'a>,
    /// What the application promises.
    pub objectives: &'a Objectives,
    /// Scores of the judged signals.
    pub signals: &'a [SignalScore],
}

/// Findings of all rules: worst first, among equals in the order of the table.
pub fn findings(context: &Context<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = RULES.iter().flat_map(|rule| (rule.find)(context)).collect();
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found
}

/// What a person should look at next, for a finding of this rule.
pub fn next_step(rule: &RuleId) -> &'static str {
    if rule.as_str() == REPEATED {
        return NEXT_STEP;
    }
    RULES
        .iter()
        .find(|known| known.id == rule.as_str())
        .map_or("the signals with the lowest scores in the last snapshot", |known| known.next_step)
}

impl<'a> Context<'a> {
    fn policy(&self) -> &'a Policy {
        self.view.policy
    }

    fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &'a Resource> {
        self.view.snapshot.of_kind(kind)
    }

    /// Lowest score of the symptoms on these resources.
    fn symptom(&self, resources: &[&Resource]) -> Option<f64> {
        let on = |signal: &&SignalScore| resources.iter().any(|resource| resource.id == signal.resource);
        let symptoms = self.signals.iter().filter(|signal| signal.role == Role::Symptom).filter(on);
        symptoms.filter_map(|signal| signal.score.known().copied()).reduce(f64::min)
    }

    /// Users feel it: a symptom of what this fleet or service answers for is not well.
    fn is_felt(&self, server: &Resource) -> bool {
        let fronts = links::fronts(self.view.snapshot, server);
        self.symptom(&fronts).is_some_and(|score| score < self.policy().success_score)
    }
}

/// How bad a level is: urgent beyond `critical`, and one step worse where users feel it.
fn severity(level: f64, critical: f64, is_felt: bool) -> Severity {
    match (level >= critical, is_felt) {
        (true, true) => Severity::Critical,
        (true, false) | (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    }
}

/// A finding on a resource as a whole.
fn finding(
    rule: &Rule,
    resource: &Resource,
    severity: Severity,
    confidence: f64,
    summary: String,
    evidence: Vec<Evidence>,
) -> Finding {
    Finding {
        rule: RuleId::from(rule.id),
        resource: resource.id.clone(),
        member: None,
        severity,
        confidence,
        summary,
        evidence,
    }
}
