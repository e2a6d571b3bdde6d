//! A query without LIMIT that returns very many rows to whoever asks for it, again and again: no page shows them, and they only become more.

use super::words::count;
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::shape::{Shape, Verb};

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    seen.work
        .iter()
        // What is asked for once a night takes what it takes.
        .filter(|work| work.used.calls >= policy.calls_min && work.used.mean_ms > policy.slow_query_ms)
        .filter(|work| work.used.rows > policy.rows_returned_max && is_open(&work.shape))
        .map(|work| Told {
            about: format!("statement/{}", work.used.id),
            severity: Severity::Low,
            confidence: 0.8,
            summary: format!(
                "statement {} has no LIMIT and returns {} rows each time ({:.0} times in the window, {:.0} ms each). Ask for a page of them (ORDER \
                 BY key LIMIT n, the next from where it ended), or let the server add them up",
                work.used.id,
                count(work.used.rows),
                work.used.calls,
                work.used.mean_ms
            ),
            evidence: vec![Evidence::against(
                "db_rows_per_call",
                work.used.rows,
                policy.rows_returned_max,
                "rows are returned each time",
            )],
        })
        .collect()
}

/// A query that nothing ends. Of one that is put together of several (UNION) the LIMIT of the whole is not known.
fn is_open(shape: &Shape) -> bool {
    let mut outermost = shape.scopes.iter().filter(|scope| scope.parent.is_none());
    shape.verb == Verb::Select && outermost.next().is_some_and(|scope| !scope.has_limit) && outermost.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, lookup, rule_on};
    use crate::performance::advisor::Work;
    use crate::performance::profile::Used;

    fn returning(rows: f64, calls: f64) -> Work {
        let work = lookup("total", calls, 150.0);
        Work { used: Used { rows, ..work.used }, ..work }
    }

    #[test]
    fn many_rows_each_time_are_named_and_those_of_a_page_a_nightly_job_or_a_union_are_not() {
        let told = |work: Work| rule_on("unbounded_result", &catalog(), &[work]);
        assert!(told(returning(10_000.0, 50.0)).is_empty());
        let found = told(returning(10_001.0, 50.0));
        assert!(found[0].summary.contains("has no LIMIT and returns 10001 rows"), "{found:?}");
        assert!(told(returning(1e6, 1.0)).is_empty(), "a nightly job");
        let mut page = returning(20_000.0, 50.0);
        page.shape.scopes[0].has_limit = true;
        assert!(told(page).is_empty());
        let mut union = returning(20_000.0, 50.0);
        union.shape.scopes.push(union.shape.scopes[0].clone());
        assert!(told(union).is_empty());
    }
}
