//! Much of what is read is not in the server's memory.
//!
//! A block that the server does not have may still come from the memory of the operating system, which it can't tell, unless
//! `track_io_timing` says how long reads took. Up to version 15 a block that is added to a table counts as read, too: while much is loaded
//! this rule is less sure than it seems.

use super::words::size;
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

/// Blocks that must have been read in the window: 78 MiB. Fewer say nothing, whatever their share.
const READ_MIN: f64 = 10_000.0;
/// Milliseconds of a read under which it came from the operating system's memory: the fastest disks take longer.
const FROM_MEMORY_MS: f64 = 0.05;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((look, did)) = seen.look().zip(seen.vitals.activity()) else { return Vec::new() };
    let Some(memory) = look.number("shared_buffers") else { return Vec::new() };
    let hit_pct = 100.0 * did.hit / (did.hit + did.read).max(1.0);
    let read_ms = did.read_ms / did.read.max(1.0);
    let is_timed = !look.is_off("track_io_timing") && did.read_ms > 0.0;
    // A database that fits into memory is read once, after a restart, and then no more.
    let is_small = did.bytes <= memory;
    if did.read < READ_MIN || hit_pct >= policy.cache_hit_pct_min || is_small || (is_timed && read_ms < FROM_MEMORY_MS)
    {
        return Vec::new();
    }
    let most = seen.vitals.most_read().map(|(table, read, _)| {
        let share = (100.0 * read / did.read).min(100.0);
        format!(", {share:.0} % of them of {}", crate::text::line(&table.name.plain))
    });
    let took = if is_timed { format!(", {read_ms:.2} ms each") } else { String::new() };
    vec![Told {
        about: "cache".to_owned(),
        severity: Severity::Medium,
        confidence: if is_timed { 0.8 } else { 0.5 },
        summary: format!(
            "{hit_pct:.0} % of the blocks were in memory: {:.0} had to be read{took}{}. The database has {}, shared_buffers {}: see whether a \
             query reads tables whole, then raise shared_buffers (a quarter of the memory) or take a larger instance",
            did.read,
            most.unwrap_or_default(),
            size(did.bytes),
            size(memory)
        ),
        evidence: vec![
            Evidence::against("db_cache_hit_pct", hit_pct, policy.cache_hit_pct_min, "of the blocks were in memory"),
            Evidence::level("db_blocks_read", did.read, "blocks in the window"),
        ],
    }]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, did, rule, set, vitals};
    use crate::performance::vitals::{Activity, Vitals};

    fn read(change: impl Fn(&mut Activity)) -> Vitals {
        let mut vitals = vitals();
        closed(&mut vitals, |look| set(look, "track_io_timing", "off", None));
        did(&mut vitals, |activity| {
            (activity.read, activity.hit, activity.bytes) = (activity.read + 11_000.0, activity.hit - 40_000.0, 5e9);
            change(activity);
        });
        vitals
    }

    #[test]
    fn nine_in_ten_of_enough_blocks_must_be_in_memory() {
        assert_eq!(rule("low_cache_hit", &read(|_| {})).len(), 1);
        assert!(rule("low_cache_hit", &read(|activity| activity.hit += 900_000.0)).is_empty());
        assert!(rule("low_cache_hit", &read(|activity| activity.read -= 10_900.0)).is_empty(), "too few reads");
    }

    #[test]
    fn a_database_that_fits_into_memory_and_reads_from_memory_are_left_alone() {
        assert!(rule("low_cache_hit", &read(|activity| activity.bytes = 1e8)).is_empty());
        let timed = |each: f64| {
            let mut vitals = read(move |activity| activity.read_ms += each * 11_000.0);
            closed(&mut vitals, |look| set(look, "track_io_timing", "on", None));
            vitals
        };
        assert!(rule("low_cache_hit", &timed(0.02)).is_empty());
        assert!(rule("low_cache_hit", &timed(0.5))[0].summary.contains("0.50 ms each"));
    }
}
