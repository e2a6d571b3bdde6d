//! What the planner of Postgres knows of a table, and when that is too old to plan by.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Share of the rows that may have changed since a table was analyzed, 0 to 1. Autovacuum looks again at a tenth
/// (`autovacuum_analyze_scale_factor`); twice that says that it does not keep up.
pub const CHANGED_MAX: f64 = 0.2;

/// Whether statistics are too old, from the rows of the table and those that were modified since.
pub fn is_stale(rows: f64, modified: f64) -> bool {
    modified > CHANGED_MAX * rows
}

/// The statistics of a table as they stand in a database, for guards, capture and settling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableStatistics {
    /// The database, by its name in the configuration.
    pub database: String,
    /// Schema of the table.
    pub schema: String,
    /// Table.
    pub table: String,
    /// Rows, as the planner estimates them.
    pub rows: f64,
    /// Rows that were modified since it was analyzed.
    pub modified: f64,
    /// What else works on the table right now and would be waited for, in words.
    pub busy: Option<String>,
}

impl TableStatistics {
    /// How old they are.
    pub fn state(&self) -> StatisticsState {
        if is_stale(self.rows, self.modified) { StatisticsState::Stale } else { StatisticsState::Fresh }
    }
}

/// How old statistics are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatisticsState {
    /// As new as autovacuum would keep them.
    Fresh,
    /// The planner plans by what was.
    Stale,
}

impl fmt::Display for StatisticsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fresh => "statistics of what is in the table",
            Self::Stale => "statistics of what was in the table",
        })
    }
}
