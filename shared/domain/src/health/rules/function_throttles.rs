//! Function throttles: Lambda refuses invocations because the concurrency is used up.
//!
//! Never concludes whose concurrency it is: the function's own reservation or the account's.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::ResourceKind;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "function_throttles",
    find,
    next_step: "reserved concurrency of the function and concurrency left in the account",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound = context.policy().throttles_act_per_min;
    context
        .of_kind(ResourceKind::Function)
        .filter_map(|function| {
            let throttles = context.view.known("function_throttles", function).filter(|count| *count >= bound)?;
            let mut evidence =
                vec![Evidence::against("function_throttles", throttles, bound, "a minute; bound beside it")];
            let at_once = context.view.known("function_concurrency", function);
            evidence.extend(
                at_once.map(|count| Evidence::level("function_concurrency", count, "executions at the same time")),
            );
            let summary = format!("{throttles:.1} invocations of {} are refused a minute", function.name);
            Some(finding(&RULE, function, Severity::High, 0.95, summary, evidence))
        })
        .collect()
}
