//! A table of which much has changed since the planner last looked at it: it plans by what was.

use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::candidates::ROWS_MIN;
use crate::performance::policy::Policy;
use crate::performance::statistics::{CHANGED_MAX, is_stale};

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let tables = seen.catalog.tables.iter().filter(|table| table.rows >= ROWS_MIN);
    tables
        .filter(|table| is_stale(table.rows, table.modified_since_analyze))
        .map(|table| {
            let share = 100.0 * table.modified_since_analyze / table.rows;
            Told {
                about: format!("{}.{}", table.schema, table.name),
                severity: Severity::Medium,
                confidence: 0.9,
                summary: format!(
                    "{:.0} of {:.0} rows of {}.{} ({share:.0} %) have changed since it was last analyzed: run ANALYZE, and let autovacuum \
                     look sooner (autovacuum_analyze_scale_factor of the table)",
                    table.modified_since_analyze, table.rows, table.schema, table.name
                ),
                evidence: vec![Evidence::against(
                    "rows_modified_pct",
                    share,
                    100.0 * CHANGED_MAX,
                    "of the rows have changed since",
                )],
            }
        })
        .collect()
}
