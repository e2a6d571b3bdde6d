//! A statement that looks up a single row by its key, so often that it takes much of the database's time although each is quick: what an
//! application asks in a loop (N+1), or could remember. The counters do not show who asks; both are cured in the application.

use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::advisor::Work;
use crate::performance::catalog::{Catalog, Table};
use crate::performance::policy::Policy;
use crate::performance::shape::{Comparison, Condition, Verb};

/// Milliseconds of a lookup that is quick.
const QUICK_MS: f64 = 1.0;
/// Rows that a lookup returns at most, on average.
const ROWS_MAX: f64 = 1.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let all_ms: f64 = seen.work.iter().map(|work| work.used.total_ms()).sum();
    let told = seen.work.iter().filter_map(|work| {
        let used = &work.used;
        let (rate, share) = (used.calls / seen.window_s.max(1.0), 100.0 * used.total_ms() / all_ms.max(1e-9));
        let is_much = rate > policy.lookups_per_s_max && share > policy.heavy_query_pct;
        let is_small = used.mean_ms < QUICK_MS && used.rows <= ROWS_MAX;
        let table = looked_up(work, seen.catalog).filter(|_| is_much && is_small)?;
        Some(Told {
            about: format!("statement/{}", used.id),
            severity: Severity::Low,
            confidence: 0.6,
            summary: format!(
                "statement {} looks up one row of {} by its key {rate:.0} times a second, {share:.0} % of the time of all statements. Ask for all \
                 that a page needs at once (WHERE key = ANY($1)), or remember the answers",
                used.id,
                crate::text::line(&format!("{}.{}", table.schema, table.name))
            ),
            evidence: vec![
                Evidence::against("db_statement_calls_s", rate, policy.lookups_per_s_max, "times a second"),
                Evidence::against("db_statement_share_pct", share, policy.heavy_query_pct, "of the time of all statements"),
                Evidence::level("db_statement_mean_ms", used.mean_ms, "on average"),
            ],
        })
    });
    told.collect()
}

/// The table of which it looks up a row: all columns of a key are compared with a value.
fn looked_up<'a>(work: &Work, catalog: &'a Catalog) -> Option<&'a Table> {
    let ([scope], Verb::Select) = (work.shape.scopes.as_slice(), work.shape.verb) else { return None };
    let [relation] = scope.relations.as_slice() else { return None };
    let table = catalog.table(relation.schema.as_deref(), &relation.name)?;
    let is_given = |name: &String| {
        scope.conditions.iter().any(|condition| {
            matches!(condition, Condition::Compare { column, how: Comparison::Equal, wrapped: None } if column.name == *name)
        })
    };
    let is_key =
        |keys: &[Option<String>]| !keys.is_empty() && keys.iter().all(|key| key.as_ref().is_some_and(is_given));
    table
        .indexes
        .iter()
        .any(|index| index.is_constraint && index.is_valid && !index.is_partial && is_key(&index.keys))
        .then_some(table)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, lookup, rule_on};

    #[test]
    fn a_lookup_is_told_when_it_is_frequent_quick_and_much_of_the_time() {
        let told = |calls: f64, mean_ms: f64, other_ms: f64| {
            rule_on("many_small_lookups", &catalog(), &[lookup("id", calls, mean_ms), lookup("total", 1.0, other_ms)])
                .len()
        };
        // A window of 900 seconds.
        assert_eq!(told(450_900.0, 0.1, 1_000.0), 1);
        assert_eq!(told(449_100.0, 0.1, 1_000.0), 0, "under 500 a second");
        assert_eq!(told(450_900.0, 0.1, 200_000.0), 0, "a small part of the time");
        assert_eq!(told(450_900.0, 1.1, 1_000.0), 0, "not quick: an index may help");
    }

    #[test]
    fn what_is_no_lookup_by_key_is_left_alone() {
        let told = |work| rule_on("many_small_lookups", &catalog(), &[work]).len();
        assert_eq!(told(lookup("total", 9e5, 0.1)), 0, "no key");
        let mut rows = lookup("id", 9e5, 0.1);
        rows.used.rows = 20.0;
        assert_eq!(told(rows), 0, "many rows");
        let mut joined = lookup("id", 9e5, 0.1);
        let again = joined.shape.scopes[0].relations[0].clone();
        joined.shape.scopes[0].relations.push(again);
        assert_eq!(told(joined), 0);
    }
}
