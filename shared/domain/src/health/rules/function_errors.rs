//! Function errors: a Lambda function fails more often than its objective allows, clearly.
//!
//! Never concludes from a few invocations: with little traffic only the certain share counts.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::ResourceKind;

/// The rule.
pub(super) const RULE: Rule =
    Rule { id: "function_errors", find, next_step: "the function's log for the first error, and its last deployment" };

/// How many times its objective the rate must be: with the default 0.1 %, the specification's alarm at 1 %.
const BEYOND_OBJECTIVE: f64 = 10.0;

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound = BEYOND_OBJECTIVE * context.objectives.error_rate_pct;
    context
        .of_kind(ResourceKind::Function)
        .filter_map(|function| {
            let rate = context.view.known("function_error_rate_pct", function).filter(|rate| *rate > bound)?;
            let summary = format!("{rate:.1} % of the invocations of {} fail, over {bound:.1} %", function.name);
            let evidence = vec![Evidence::against("function_error_rate_pct", rate, bound, "bound beside it")];
            Some(finding(&RULE, function, Severity::High, 0.9, summary, evidence))
        })
        .collect()
}
