//! What is told to people about a database, one rule per file. Nothing here is changed by itself; a missing index is planned in `plan.rs`.

mod invalid_index;
mod offset_paging;
mod redundant_index;
mod stale_statistics;
mod unused_index;
mod wrapped_column;

use super::advisor::Work;
use super::catalog::{Catalog, IndexFacts, Table};
use super::policy::Policy;
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
    /// Days for which the counters of indexes have grown, where the server tells.
    pub counted_days: Option<f64>,
    /// The database has a copy that answers queries: the counters here say nothing about that.
    pub has_replica: bool,
}

/// A rule.
struct Rule {
    name: &'static str,
    find: fn(&Seen<'_>, &Policy) -> Vec<Told>,
}

/// What a rule tells, without its name.
struct Told {
    about: String,
    severity: Severity,
    confidence: f64,
    summary: String,
    evidence: Vec<Evidence>,
}

/// Every rule.
const TABLE: &[Rule] = &[
    Rule { name: "invalid_index", find: invalid_index::find },
    Rule { name: "redundant_index", find: redundant_index::find },
    Rule { name: "unused_index", find: unused_index::find },
    Rule { name: "stale_statistics", find: stale_statistics::find },
    Rule { name: "wrapped_column", find: wrapped_column::find },
    Rule { name: "offset_paging", find: offset_paging::find },
];

/// All findings of all rules.
pub fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Finding> {
    let of = |rule: &Rule| {
        let finding = |told: Told| Finding {
            rule: RuleId::from(rule.name),
            resource: ResourceId::new(format!("{}/{}", seen.database, told.about)),
            member: None,
            severity: told.severity,
            confidence: told.confidence,
            summary: told.summary,
            evidence: told.evidence,
        };
        (rule.find)(seen, policy).into_iter().map(finding).collect::<Vec<_>>()
    };
    TABLE.iter().flat_map(of).collect()
}

/// Every index with its table.
fn indexes<'a>(seen: &Seen<'a>) -> impl Iterator<Item = (&'a Table, &'a IndexFacts)> {
    seen.catalog.tables.iter().flat_map(|table| table.indexes.iter().map(move |index| (table, index)))
}

fn named(table: &Table, index: &IndexFacts) -> String {
    format!("{}.{}", table.schema, index.name)
}

const MIB: f64 = 1_048_576.0;
