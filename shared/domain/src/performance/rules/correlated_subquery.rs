//! A slow query with a subquery whose value stands in an expression and depends on the row around it: the server runs it for each row.
//!
//! `EXISTS` and `IN` are not meant, of which it makes joins.

use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::shape::{Column, Condition, Scope, Shape};

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let slow = seen.work.iter().filter(|work| work.used.mean_ms > policy.slow_query_ms);
    slow.filter_map(|work| {
        let inner = work.shape.scopes.iter().find(|scope| scope.is_scalar && depends(scope, &work.shape))?;
        let table = inner.relations.first().map(|relation| crate::text::line(&relation.name)).unwrap_or_default();
        Some(Told {
            about: format!("statement/{}", work.used.id),
            severity: Severity::Low,
            confidence: 0.7,
            summary: format!(
                "statement {} takes {:.0} ms and runs a subquery on \"{table}\" for each row that it looks at. Read them at once: LEFT JOIN what the \
                 subquery computes, grouped by what it compares, or LATERAL with an index on that",
                work.used.id, work.used.mean_ms
            ),
            evidence: vec![Evidence::against("db_statement_mean_ms", work.used.mean_ms, policy.slow_query_ms, "on average")],
        })
    })
    .collect()
}

/// Whether a subquery compares with a column of a query around it.
fn depends(scope: &Scope, shape: &Shape) -> bool {
    let is_of = |column: &Column, scope: &Scope| {
        column.of.as_ref().is_some_and(|of| scope.relations.iter().any(|relation| relation.alias == *of))
    };
    let around = |column: &Column| {
        let mut parent = scope.parent;
        while let Some(at) = parent {
            let Some(outer) = shape.scopes.get(at) else { return false };
            if is_of(column, outer) {
                return true;
            }
            parent = outer.parent.filter(|next| *next < at);
        }
        false
    };
    scope.conditions.iter().any(|condition| match condition {
        Condition::Join { left, right } => {
            [left, right].into_iter().any(|column| !is_of(column, scope) && around(column))
        }
        Condition::Compare { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, lookup, rule_on};
    use crate::performance::advisor::Work;
    use crate::performance::shape::{Column, Condition, Relation, Scope};

    /// `SELECT (SELECT max(i.at) FROM items i WHERE i.order_id = <of>.id) FROM orders WHERE …`
    fn nested(of: &str, mean_ms: f64) -> Work {
        let mut work = lookup("total", 50.0, mean_ms);
        let column = |of: &str, name: &str| Column { of: Some(of.into()), name: name.into() };
        work.shape.scopes.push(Scope {
            parent: Some(0),
            relations: vec![Relation { schema: None, name: "items".into(), alias: "i".into() }],
            conditions: vec![Condition::Join { left: column("i", "order_id"), right: column(of, "id") }],
            is_scalar: true,
            ..Scope::default()
        });
        work
    }

    #[test]
    fn a_value_that_depends_on_each_row_is_named_and_one_that_does_not_or_that_is_quick_is_not() {
        let told = |work: Work| rule_on("correlated_subquery", &catalog(), &[work]);
        let found = told(nested("orders", 300.0));
        assert!(found[0].summary.contains("runs a subquery on \"items\" for each row"), "{found:?}");
        assert!(told(nested("orders", 20.0)).is_empty());
        assert!(told(nested("i", 300.0)).is_empty(), "it depends on nothing around it");
        let mut exists = nested("orders", 300.0);
        exists.shape.scopes[1].is_scalar = false;
        assert!(told(exists).is_empty(), "the server makes a join of it");
    }
}
