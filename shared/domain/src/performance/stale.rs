//! Tables whose statistics are too old for the statements that read them and take long: what is analyzed before any index is built, since the
//! planner prices indexes by the same statistics.

use super::advisor::Work;
use super::candidates::ROWS_MIN;
use super::catalog::{Catalog, Table};
use super::plan::{Planned, SIGNAL, figure};
use super::policy::Policy;
use super::profile::Used;
use super::shape::Verb;
use super::statistics::{CHANGED_MAX, TableStatistics, is_stale};
use crate::change::{Action, Better, ChangeKind, Expectation};
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::{ResourceId, RuleId, SignalId};
use crate::resource::{Live, Resource, Tags};

/// The rule that asks for an analysis, and tells of those tables too that no slow statement reads.
pub const RULE: &str = "stale_statistics";

/// A table with old statistics that statements read which take long.
#[derive(Clone, Debug, PartialEq)]
pub struct Stale {
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
    /// Statements that read it and are slow, or take much of the database's time.
    pub readers: Vec<i64>,
    /// Their mean time, each as often as it is asked, in milliseconds.
    pub before_ms: f64,
    /// Their share of all time spent in the database, in per cent.
    pub share_pct: f64,
}

/// Tables of a database whose statistics are too old for statements that take long, those with the most time first. `total_ms` is the time spent
/// in all statements of the window.
pub fn stale(database: &str, catalog: &Catalog, work: &[Work], total_ms: f64, policy: &Policy) -> Vec<Stale> {
    let share_pct = |ms: f64| if total_ms > 0.0 { 100.0 * ms / total_ms } else { 0.0 };
    let takes_long = |used: &Used| {
        used.calls >= policy.calls_min
            && (used.mean_ms > policy.slow_query_ms || share_pct(used.total_ms()) > policy.heavy_query_pct)
    };
    let reads = |work: &Work, table: &Table| {
        let mut relations = work.shape.scopes.iter().flat_map(|scope| &scope.relations);
        // What only adds rows has no plan that statistics could make better.
        work.shape.verb != Verb::Insert
            && relations.any(|relation| {
                catalog
                    .table(relation.schema.as_deref(), &relation.name)
                    .is_some_and(|read| (&read.schema, &read.name) == (&table.schema, &table.name))
            })
    };
    let of = |table: &Table| {
        let readers: Vec<&Used> =
            work.iter().filter(|work| takes_long(&work.used) && reads(work, table)).map(|work| &work.used).collect();
        let calls: f64 = readers.iter().map(|used| used.calls).sum();
        let ms: f64 = readers.iter().map(|used| used.total_ms()).sum();
        (calls > 0.0).then(|| Stale {
            database: database.to_owned(),
            schema: table.schema.clone(),
            table: table.name.clone(),
            rows: table.rows,
            modified: table.modified_since_analyze,
            readers: readers.iter().map(|used| used.id).collect(),
            before_ms: ms / calls,
            share_pct: share_pct(ms),
        })
    };
    let tables = catalog.tables.iter().filter(|table| !table.is_partitioned && table.rows >= ROWS_MIN);
    let mut found: Vec<Stale> =
        tables.filter(|table| is_stale(table.rows, table.modified_since_analyze)).filter_map(of).collect();
    found.sort_by(|a, b| b.share_pct.total_cmp(&a.share_pct));
    found
}

impl Stale {
    /// Its statistics as a resource.
    pub fn resource_id(&self) -> ResourceId {
        ResourceId::new(format!("statistics/{}/{}.{}", self.database, self.schema, self.table))
    }

    /// What the rule about statistics calls it.
    pub fn told_as(&self) -> ResourceId {
        ResourceId::new(format!("{}/{}.{}", self.database, self.schema, self.table))
    }

    fn changed_pct(&self) -> f64 {
        100.0 * self.modified / self.rows
    }

    fn reason(&self) -> String {
        let statements = match self.readers.len() {
            1 => "one statement that reads it takes".to_owned(),
            several => format!("{several} statements that read it take"),
        };
        format!(
            "{:.0} of {:.0} rows ({:.0} %) have changed since it was last analyzed, so the planner plans by what was; {statements} {} ms on \
             average, {:.0} % of the time spent in the database",
            self.modified,
            self.rows,
            self.changed_pct(),
            figure(self.before_ms),
            self.share_pct
        )
    }

    /// The analysis as a change, without its id. How much it brings nobody knows before: expected is the least that counts.
    pub(super) fn planned(&self, policy: &Policy) -> Planned {
        let id = self.resource_id();
        let live = TableStatistics {
            database: self.database.clone(),
            schema: self.schema.clone(),
            table: self.table.clone(),
            rows: self.rows,
            modified: self.modified,
            busy: None,
        };
        Planned {
            kind: ChangeKind::AnalyzeTable,
            action: Action::AnalyzeTable {
                database: self.database.clone(),
                schema: self.schema.clone(),
                table: self.table.clone(),
            },
            because: RuleId::from(RULE),
            reason: self.reason(),
            expected: Expectation {
                signal: SignalId::from(SIGNAL),
                resource: id.clone(),
                better: Better::Lower,
                before: self.before_ms,
                after: self.before_ms * (1.0 - policy.improvement_pct_min / 100.0),
            },
            on: (self.database.clone(), self.schema.clone(), self.table.clone()),
            readers: self.readers.clone(),
            resource: Resource { id, name: self.table.clone(), tags: Tags::default(), live: Live::Statistics(live) },
        }
    }

    pub(super) fn finding(&self, held: Option<&str>) -> Finding {
        let held = held.map(|why| format!("; not analyzed now: {why}")).unwrap_or_default();
        Finding {
            rule: RuleId::from(RULE),
            resource: self.resource_id(),
            member: None,
            severity: Severity::Medium,
            confidence: 0.9,
            summary: format!("the statistics of {}.{} are too old: {}{held}", self.schema, self.table, self.reason()),
            evidence: vec![Evidence::against(
                "rows_modified_pct",
                self.changed_pct(),
                100.0 * CHANGED_MAX,
                "of the rows have changed since",
            )],
        }
    }
}

#[cfg(test)]
mod tests;
