//! What is told to people about a database, one rule per file. Nothing here is changed by itself; a missing index is planned in `plan.rs`.

mod autovacuum_lag;
mod autovacuum_off;
mod blocked_sessions;
mod checkpoints_requested;
mod connections_near_limit;
mod correlated_subquery;
mod deadlocks;
#[cfg(test)]
pub(super) mod fixture;
mod idle_in_transaction;
mod invalid_index;
mod long_transaction;
mod low_cache_hit;
mod many_small_lookups;
mod offset_paging;
mod redundant_index;
mod sequence_overflow;
mod stale_statistics;
mod stuck_slot;
mod temp_files;
mod unbounded_result;
mod unused_index;
mod wide_select;
pub(super) mod words;
mod wraparound;
mod wrapped_column;

use super::advisor::Work;
use super::catalog::{Catalog, IndexFacts, Table};
use super::policy::Policy;
use super::vitals::{Look, Vitals};
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::{ResourceId, RuleId};

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The database, by its name in the configuration.
    pub database: &'a str,
    /// Its tables and indexes.
    pub catalog: &'a Catalog,
    /// Statements of the window with their shapes.
    pub work: &'a [Work],
    /// Length of the window in seconds.
    pub window_s: f64,
    /// What the server says of itself at both ends of the window.
    pub vitals: &'a Vitals,
    /// Days for which the counters of indexes have grown, where the server tells.
    pub counted_days: Option<f64>,
    /// The database has a copy that answers queries: the counters here say nothing about that.
    pub has_replica: bool,
}

impl Seen<'_> {
    /// The server at the end of the window.
    fn look(&self) -> Option<&Look> {
        self.vitals.closed.known()
    }
}

/// A rule.
struct Rule {
    name: &'static str,
    find: fn(&Seen<'_>, &Policy) -> Vec<Told>,
}

/// What a rule tells, without its name.
pub(super) struct Told {
    pub about: String,
    pub severity: Severity,
    pub confidence: f64,
    pub summary: String,
    pub evidence: Vec<Evidence>,
}

impl Told {
    /// As a finding of this rule, about something of this database or cache.
    pub fn finding(self, rule: &str, of: &str) -> Finding {
        Finding {
            rule: RuleId::from(rule),
            resource: ResourceId::new(format!("{of}/{}", self.about)),
            member: None,
            severity: self.severity,
            confidence: self.confidence,
            summary: self.summary,
            evidence: self.evidence,
        }
    }
}

/// Findings of one rule in one database: a rule tells the worst first.
pub(super) const TOLD_MAX: usize = 20;
/// Every rule.
const TABLE: &[Rule] = &[
    Rule { name: "invalid_index", find: invalid_index::find },
    Rule { name: "redundant_index", find: redundant_index::find },
    Rule { name: "unused_index", find: unused_index::find },
    Rule { name: "stale_statistics", find: stale_statistics::find },
    Rule { name: "wrapped_column", find: wrapped_column::find },
    Rule { name: "offset_paging", find: offset_paging::find },
    Rule { name: "unbounded_result", find: unbounded_result::find },
    Rule { name: "wide_select", find: wide_select::find },
    Rule { name: "correlated_subquery", find: correlated_subquery::find },
    Rule { name: "many_small_lookups", find: many_small_lookups::find },
    Rule { name: "connections_near_limit", find: connections_near_limit::find },
    Rule { name: "idle_in_transaction", find: idle_in_transaction::find },
    Rule { name: "long_transaction", find: long_transaction::find },
    Rule { name: "blocked_sessions", find: blocked_sessions::find },
    Rule { name: "deadlocks", find: deadlocks::find },
    Rule { name: "autovacuum_off", find: autovacuum_off::find },
    Rule { name: "autovacuum_lag", find: autovacuum_lag::find },
    Rule { name: "wraparound", find: wraparound::find },
    Rule { name: "sequence_overflow", find: sequence_overflow::find },
    Rule { name: "low_cache_hit", find: low_cache_hit::find },
    Rule { name: "temp_files", find: temp_files::find },
    Rule { name: "checkpoints_requested", find: checkpoints_requested::find },
    Rule { name: "stuck_slot", find: stuck_slot::find },
];

/// All findings of all rules.
pub fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Finding> {
    let of = |rule: &Rule| {
        let told = (rule.find)(seen, policy).into_iter().take(TOLD_MAX);
        told.map(|told| told.finding(rule.name, seen.database)).collect::<Vec<_>>()
    };
    TABLE.iter().flat_map(of).collect()
}

/// Every index with its table.
fn indexes<'a>(seen: &Seen<'a>) -> impl Iterator<Item = (&'a Table, &'a IndexFacts)> {
    seen.catalog.tables.iter().flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
}

/// Schema and name of an index.
fn named(table: &Table, index: &IndexFacts) -> String {
    format!("{}.{}", table.schema, index.name)
}

const MIB: f64 = 1_048_576.0;
