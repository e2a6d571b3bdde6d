//! An index that no query has used for long enough, on a database whose copies answer no queries of their own: their counters are
//! not seen here.

use super::{MIB, Seen, Told, indexes, named};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

/// Smallest index that is worth a word, in bytes.
const BYTES_MIN: f64 = MIB;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(days) = seen.counted_days.filter(|days| *days >= f64::from(policy.unused_days)) else { return Vec::new() };
    if seen.has_replica {
        return Vec::new();
    }
    indexes(seen)
        .filter(|(_, index)| index.scans < 1.0 && !index.is_constraint && index.is_valid && index.bytes >= BYTES_MIN)
        .map(|(table, index)| Told {
            about: named(table, index),
            severity: Severity::Low,
            confidence: 0.8,
            summary: format!(
                "no query has used {} ({:.1} MiB) in {days:.0} days, and {:.0} writes have maintained it. DROP INDEX CONCURRENTLY saves them; \
                 it was {}",
                named(table, index),
                index.bytes / MIB,
                table.writes,
                index.definition
            ),
            evidence: vec![Evidence::level("index_scans", index.scans, format!("in {days:.0} days"))],
        })
        .collect()
}
