//! A slow query that compares a function of a column: no index on the column itself helps it.

use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::shape::{Condition, Wrapper};

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let slow = seen.work.iter().filter(|work| work.used.mean_ms > policy.slow_query_ms);
    slow.filter_map(|work| {
        let column = work.shape.scopes.iter().flat_map(|scope| &scope.conditions).find_map(|c| match c {
            Condition::Compare { column, wrapped: Some(Wrapper::Other), .. } => Some(column),
            _ => None,
        })?;
        Some(Told {
            about: format!("statement/{}", work.used.id),
            severity: Severity::Low,
            confidence: 0.6,
            summary: format!(
                "statement {} takes {:.0} ms and compares a function or cast of the column \"{}\": an index on the column can't help. Compare \
                 the column itself (a range in place of a function of time), or index the expression",
                work.used.id,
                work.used.mean_ms,
                crate::text::line(&column.name)
            ),
            evidence: vec![Evidence::against("db_statement_mean_ms", work.used.mean_ms, policy.slow_query_ms, "on average")],
        })
    })
    .collect()
}
