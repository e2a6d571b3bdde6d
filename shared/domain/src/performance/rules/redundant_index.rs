//! An index that another one serves as well: the same key or the beginning of it, on the same rows, enforcing nothing.

use super::{MIB, Seen, Told, named};
use crate::finding::Severity;
use crate::performance::catalog::IndexFacts;
use crate::performance::policy::Policy;

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let mut found = Vec::new();
    for table in &seen.catalog.tables {
        for (at, index) in table.indexes.iter().enumerate() {
            let other = table.indexes.iter().enumerate().find(|(n, other)| *n != at && serves(other, index, *n < at));
            let Some((_, other)) = other else { continue };
            found.push(Told {
                about: named(table, index),
                severity: Severity::Low,
                confidence: 0.95,
                summary: format!(
                    "{} ({:.1} MiB) does nothing that {} does not do: every write maintains both. DROP INDEX CONCURRENTLY saves the first; \
                     it was {}",
                    named(table, index),
                    index.bytes / MIB,
                    other.name,
                    index.definition
                ),
                evidence: Vec::new(),
            });
        }
    }
    found
}

/// Whether `other` serves all that `index` does. Of two that are the same, the one that comes first stays, or the one that enforces
/// something.
fn serves(other: &IndexFacts, index: &IndexFacts, comes_first: bool) -> bool {
    let plain = |index: &IndexFacts| index.is_valid && !index.is_partial && index.keys.iter().all(Option::is_some);
    let same_way = other.method == "btree" && index.method == "btree" && sorts_alike(other, index);
    let stored = |column: &String| other.includes.contains(column) || other.keys.iter().flatten().any(|k| k == column);
    let covers = other.keys.starts_with(&index.keys) && index.includes.iter().all(stored);
    let is_same = other.keys == index.keys && other.includes.len() == index.includes.len();
    plain(other)
        && plain(index)
        && same_way
        && covers
        && !index.is_constraint
        && (!is_same || other.is_constraint || comes_first)
}

/// Neither sorts downwards or by rules of its own: read from the definition, which names what is not the default.
fn sorts_alike(a: &IndexFacts, b: &IndexFacts) -> bool {
    let special =
        |index: &IndexFacts| ["DESC", "NULLS", "COLLATE", "_ops"].iter().any(|word| index.definition.contains(word));
    !special(a) && !special(b)
}
