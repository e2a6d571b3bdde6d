//! What vacuum and memory make of a table.

use super::{Name, Vitals};
use serde::{Deserialize, Serialize};

/// Counters and settings of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableState {
    /// Its name with the schema.
    pub name: Name,
    /// Rows, as the planner estimates them; below nothing where it never looked.
    pub rows: f64,
    /// Rows that were deleted or replaced and not yet removed.
    pub dead: f64,
    /// Bytes of its rows.
    pub bytes: f64,
    /// Seconds since it was last vacuumed, by whomever.
    pub vacuumed_s: Option<f64>,
    /// Seconds since it was last analyzed, by whomever.
    pub analyzed_s: Option<f64>,
    /// It is being vacuumed at this moment.
    pub is_vacuumed: bool,
    /// When autovacuum comes.
    pub rule: VacuumRule,
    /// Age of its oldest row, or that of what is stored beside it (TOAST).
    pub age: Age,
    /// Blocks of its rows found in the server's memory.
    pub heap_hit: f64,
    /// Blocks of its rows that were not.
    pub heap_read: f64,
    /// Blocks of its indexes found in the server's memory.
    pub index_hit: f64,
    /// Blocks of its indexes that were not.
    pub index_read: f64,
}

/// When autovacuum comes to a table: its own settings, else those of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VacuumRule {
    /// `autovacuum_enabled` of the table.
    pub is_on: bool,
    /// `autovacuum_vacuum_threshold`.
    pub base: f64,
    /// `autovacuum_vacuum_scale_factor`.
    pub share: f64,
    /// `autovacuum_vacuum_max_threshold` (18 and later); below nothing for no limit.
    pub most: Option<f64>,
}

/// Age of a table in transactions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Age {
    /// `age(relfrozenxid)`.
    pub transactions: f64,
    /// `autovacuum_freeze_max_age`, that of the table where it is lower.
    pub freeze_max: f64,
}

impl TableState {
    /// Dead rows from which autovacuum comes, as Postgres computes it (`relation_needs_vacanalyze` in `autovacuum.c`): base and share of
    /// the rows, at most the limit; a table that was never looked at has none.
    pub fn vacuum_threshold(&self) -> f64 {
        let threshold = self.rule.base + self.rule.share * self.rows.max(0.0);
        match self.rule.most {
            Some(most) if most >= 0.0 => threshold.min(most),
            _ => threshold,
        }
    }

    /// Dead rows in multiples of that.
    pub fn lag(&self) -> f64 {
        self.dead / self.vacuum_threshold().max(1.0)
    }

    /// Blocks that were not in the server's memory.
    pub fn read(&self) -> f64 {
        self.heap_read + self.index_read
    }

    /// Blocks that were.
    pub fn hit(&self) -> f64 {
        self.heap_hit + self.index_hit
    }
}

impl Vitals {
    /// A table at the beginning of the window.
    pub fn table_before(&self, name: &Name) -> Option<&TableState> {
        self.opened.known()?.tables.known()?.iter().find(|table| table.name == *name)
    }

    /// The table that read the most from disk in the window, with its blocks that were read and those that were in memory.
    pub fn most_read(&self) -> Option<(&TableState, f64, f64)> {
        let tables = self.closed.known()?.tables.known()?.iter();
        let did = tables.filter_map(|table| {
            let before = self.table_before(&table.name)?;
            let (read, hit) = (table.read() - before.read(), table.hit() - before.hit());
            (read > 0.0 && hit >= 0.0).then_some((table, read, hit))
        });
        did.max_by(|a, b| a.1.total_cmp(&b.1))
    }
}
