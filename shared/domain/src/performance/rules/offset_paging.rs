//! A slow query that pages with OFFSET: the server reads and throws away all that is skipped.

use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    seen.work
        .iter()
        .filter(|work| work.used.mean_ms > policy.slow_query_ms)
        .filter(|work| work.shape.scopes.first().is_some_and(|scope| scope.has_offset))
        .map(|work| Told {
            about: format!("statement/{}", work.used.id),
            severity: Severity::Low,
            confidence: 0.7,
            summary: format!(
                "statement {} takes {:.0} ms and pages with OFFSET: every page is slower than the one before. Begin where the last page ended \
                 (WHERE key > last ORDER BY key LIMIT n)",
                work.used.id, work.used.mean_ms
            ),
            evidence: vec![Evidence::against("db_statement_mean_ms", work.used.mean_ms, policy.slow_query_ms, "on average")],
        })
        .collect()
}
