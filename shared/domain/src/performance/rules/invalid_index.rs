//! An index that no query uses although every write maintains it: a build that died. `IF NOT EXISTS` takes it for the real one.

use super::{MIB, Seen, Told, indexes, named};
use crate::finding::Severity;
use crate::performance::policy::Policy;

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let told = |(table, index): (&_, &crate::performance::catalog::IndexFacts)| Told {
        about: named(table, index),
        severity: Severity::Medium,
        confidence: 1.0,
        summary: format!(
            "{} is not valid: no query uses its {:.1} MiB and every write maintains it. If no build is under way, DROP INDEX \
             CONCURRENTLY and build it again",
            named(table, index),
            index.bytes / MIB
        ),
        evidence: Vec::new(),
    };
    indexes(seen).filter(|(_, index)| !index.is_valid).map(told).collect()
}
