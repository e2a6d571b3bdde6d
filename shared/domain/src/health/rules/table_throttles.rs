//! Table throttles: DynamoDB refuses reads or writes of a table.
//!
//! Never concludes whether the capacity is too small or one key too hot.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::ResourceKind;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "table_throttles",
    find,
    next_step: "capacity mode of the table and its hottest keys (CloudWatch Contributor Insights)",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound = context.policy().throttles_act_per_min;
    let mut found = Vec::new();
    for table in context.of_kind(ResourceKind::Table) {
        let of = |signal| context.view.known(signal, table).unwrap_or(0.0);
        let (reads, writes) = (of("table_read_throttles"), of("table_write_throttles"));
        if reads + writes < bound {
            continue;
        }
        let summary = format!("{reads:.1} reads and {writes:.1} writes of {} are refused a minute", table.name);
        let evidence = vec![
            Evidence::against("table_read_throttles", reads, bound, "a minute; bound beside it"),
            Evidence::against("table_write_throttles", writes, bound, "a minute; bound beside it"),
        ];
        found.push(finding(&RULE, table, Severity::High, 0.95, summary, evidence));
    }
    found
}
