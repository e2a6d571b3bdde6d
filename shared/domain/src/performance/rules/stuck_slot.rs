//! A replication slot that nobody reads, or not fast enough: the server keeps its log for it until the disk is full.

use super::words::size;
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::Slot;

/// A slot that somebody reads may be behind by so many times the bound: it catches up.
const READ_TIMES: f64 = 10.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(slots) = seen.look().and_then(|look| look.slots.known()) else { return Vec::new() };
    let mut stuck: Vec<&Slot> = slots
        .iter()
        .filter(|slot| match slot.is_active {
            true => slot.kept_bytes > READ_TIMES * policy.slot_bytes_max,
            // One that was read at the beginning of the window has only just lost its reader.
            false => (slot.kept_bytes > policy.slot_bytes_max || slot.is_lost) && !was_read(slot, seen),
        })
        .collect();
    stuck.sort_by(|a, b| b.kept_bytes.total_cmp(&a.kept_bytes));
    stuck.into_iter().map(|slot| told(slot, policy)).collect()
}

fn was_read(slot: &Slot, seen: &Seen<'_>) -> bool {
    let before = seen.vitals.opened.known().and_then(|look| look.slots.known());
    before.into_iter().flatten().any(|then| then.name == slot.name && then.is_active)
}

fn told(slot: &Slot, policy: &Policy) -> Told {
    let name = crate::text::line(&slot.name.plain);
    let drop = format!("SELECT pg_drop_replication_slot({})", slot.name.sql);
    let summary = match slot {
        Slot { is_lost: true, .. } => {
            format!(
                "the replication slot {name} has lost what it needs: its reader can't go on and must begin anew. {drop}"
            )
        }
        Slot { is_active: true, kept_bytes, .. } => format!(
            "the reader of the replication slot {name} is {} behind, which the server keeps on disk. Make it faster, or bound what is kept: \
             max_slot_wal_keep_size",
            size(*kept_bytes)
        ),
        Slot { kept_bytes, kind, .. } => format!(
            "nobody reads the {} replication slot {name}, for which the server keeps {} of its log and more, until the disk is full. Start its \
             reader, or if there is none any more: {drop}. max_slot_wal_keep_size bounds it",
            crate::text::line(kind),
            size(*kept_bytes)
        ),
    };
    Told {
        about: format!("slot/{name}"),
        severity: if slot.is_lost { Severity::Medium } else { Severity::High },
        confidence: 0.95,
        summary,
        evidence: vec![Evidence::against(
            "db_slot_kept_bytes",
            slot.kept_bytes,
            policy.slot_bytes_max,
            "bytes of the log kept",
        )],
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, opened, rule, text, vitals};
    use crate::observed::Observed;
    use crate::performance::vitals::{Look, Slot};

    fn slot(kept_bytes: f64) -> Slot {
        let (name, kind) = (text("search"), "logical".to_owned());
        Slot { name, kind, is_active: false, kept_bytes, holds_back: 0.0, is_lost: false }
    }

    fn with(slot: Slot) -> impl Fn(&mut Look) {
        move |look| look.slots = Observed::Known(vec![slot.clone()])
    }

    #[test]
    fn a_slot_that_nobody_reads_is_told_beyond_the_bound() {
        let mut vitals = vitals();
        closed(&mut vitals, with(slot(1.07e9)));
        assert!(rule("stuck_slot", &vitals).is_empty());
        closed(&mut vitals, with(slot(1.08e9)));
        let told = rule("stuck_slot", &vitals);
        assert!(told[0].summary.contains("SELECT pg_drop_replication_slot('search')"), "{}", told[0].summary);
        opened(&mut vitals, with(Slot { is_active: true, ..slot(1e6) }));
        assert!(rule("stuck_slot", &vitals).is_empty(), "its reader restarts");
    }

    #[test]
    fn a_reader_that_is_a_little_behind_is_left_alone() {
        let mut vitals = vitals();
        closed(&mut vitals, with(Slot { is_active: true, ..slot(9e9) }));
        assert!(rule("stuck_slot", &vitals).is_empty());
        closed(&mut vitals, with(Slot { is_active: true, ..slot(2e10) }));
        assert!(rule("stuck_slot", &vitals)[0].summary.contains("18.6 GiB behind"));
        closed(&mut vitals, with(Slot { is_lost: true, ..slot(0.0) }));
        assert!(rule("stuck_slot", &vitals)[0].summary.contains("must begin anew"));
    }
}
