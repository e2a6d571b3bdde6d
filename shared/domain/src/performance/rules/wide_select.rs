//! SELECT * of wide rows that carries very much to the application: most of it is not shown.

use super::words::{count, size};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::advisor::Work;
use crate::performance::catalog::Table;
use crate::performance::policy::Policy;

const HOUR_S: f64 = 3_600.0;
/// Columns from which it is worth naming those that are needed.
const COLUMNS_MIN: usize = 10;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let mut told = Vec::new();
    for work in seen.work {
        let Some(table) = starred(seen, work) else { continue };
        let widths: Option<Vec<f64>> = table.columns.iter().map(|column| column.width).collect();
        // Without the width of each nothing is known of the row.
        let Some(width) = widths.map(|widths| widths.iter().sum::<f64>()) else { continue };
        let hour = work.used.calls * work.used.rows * width / seen.window_s.max(1.0) * HOUR_S;
        if table.columns.len() < COLUMNS_MIN || hour <= policy.star_bytes_hour_max {
            continue;
        }
        told.push(Told {
            about: format!("statement/{}", work.used.id),
            severity: Severity::Low,
            confidence: 0.6,
            summary: format!(
                "statement {} returns all {} columns of {} ({width:.0} bytes a row, {} rows each time): {} an hour. Name the columns that are \
                 shown; an index can then hold them all",
                work.used.id,
                table.columns.len(),
                crate::text::line(&format!("{}.{}", table.schema, table.name)),
                count(work.used.rows),
                size(hour)
            ),
            evidence: vec![Evidence::against("db_star_bytes_hour", hour, policy.star_bytes_hour_max, "bytes an hour")],
        });
    }
    told
}

/// The table of which a statement returns all columns, where it reads that one alone.
fn starred<'a>(seen: &Seen<'a>, work: &Work) -> Option<&'a Table> {
    let scope = work.shape.scopes.first().filter(|scope| scope.has_star)?;
    match scope.relations.as_slice() {
        [relation] => seen.catalog.table(relation.schema.as_deref(), &relation.name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, lookup, rule_on};
    use crate::performance::advisor::Work;
    use crate::performance::catalog::{Catalog, ColumnFacts};
    use crate::performance::profile::Used;

    /// Orders of so many columns of 100 bytes each.
    fn wide(columns: usize) -> Catalog {
        let mut catalog = catalog();
        let column = |n: usize| ColumnFacts {
            name: format!("c{n}"),
            type_name: "text".into(),
            distinct: None,
            width: Some(100.0),
        };
        catalog.tables[0].columns = (0..columns).map(column).collect();
        catalog
    }

    fn star(rows: f64) -> Work {
        let mut work = lookup("total", 100.0, 5.0);
        work.shape.scopes[0].has_star = true;
        Work { used: Used { rows, ..work.used }, ..work }
    }

    #[test]
    fn all_columns_of_a_wide_table_are_named_by_the_bytes_that_they_carry() {
        let told = |catalog: &Catalog, work: Work| rule_on("wide_select", catalog, &[work]);
        // 100 calls in a quarter of an hour, 2,000 bytes a row: 1,342 rows are 1 GiB an hour.
        assert!(told(&wide(20), star(1_342.0)).is_empty());
        let found = told(&wide(20), star(1_343.0));
        assert!(found[0].summary.contains("all 20 columns of public.orders (2000 bytes a row"), "{found:?}");
        assert!(told(&wide(9), star(1e5)).is_empty(), "a narrow table");
        let mut named = star(1e5);
        named.shape.scopes[0].has_star = false;
        assert!(told(&wide(20), named).is_empty());
        let mut unknown = wide(20);
        unknown.tables[0].columns[3].width = None;
        assert!(told(&unknown, star(1e5)).is_empty(), "a column whose width is not known");
    }
}
