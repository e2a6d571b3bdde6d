//! Checkpoints that begin because the log is full, before it is time: every page that is changed after one is written to the log whole again.
//!
//! Others that ask for a checkpoint (a backup, a person) do not fill the log: the log that was written tells them apart. The log is full when
//! it has grown by `max_wal_size / (1 + checkpoint_completion_target)` (`CalculateCheckpointSegments` in `xlog.c`), which is at least half.

use super::words::{setting, size};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

/// Requested checkpoints of a window that are a habit.
const REQUESTED_MIN: f64 = 3.0;
/// Least share of `max_wal_size` that is written between two of them.
const SHARE: f64 = 0.5;
/// Smallest and largest `max_wal_size` that is advised, in MiB.
const LOG_MIB: (f64, f64) = (1_024.0, 65_536.0);
/// Room for the log of an interval, and as much again: it is kept until the next checkpoint has ended.
const ROOM: f64 = 2.0;

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let Some(((look, did), seconds)) = seen.look().zip(seen.vitals.checkpoints()).zip(seen.vitals.seconds()) else {
        return Vec::new();
    };
    let Some((full, interval_s)) = look.number("max_wal_size").zip(look.number("checkpoint_timeout")) else {
        return Vec::new();
    };
    // The first may have been nearly due when the window began.
    let filled = (did.requested - 1.0) * SHARE * full;
    if did.requested < REQUESTED_MIN || did.requested <= did.timed || did.log_bytes < filled {
        return Vec::new();
    }
    let needed = setting(ROOM * did.log_bytes / seconds * interval_s, LOG_MIB.0, LOG_MIB.1);
    vec![Told {
        about: "max_wal_size".to_owned(),
        severity: Severity::Medium,
        confidence: 0.85,
        summary: format!(
            "{:.0} checkpoints began because the log was full and {:.0} because it was time: {} were written, max_wal_size is {}. ALTER SYSTEM \
             SET max_wal_size = '{needed}'; SELECT pg_reload_conf() (on RDS in the parameter group); it takes as much disk",
            did.requested,
            did.timed,
            size(did.log_bytes),
            size(full)
        ),
        evidence: vec![
            Evidence::against("db_checkpoints_requested", did.requested, REQUESTED_MIN, "in the window"),
            Evidence::level("db_log_bytes", did.log_bytes, "bytes of the log in the window"),
        ],
    }]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{checkpointed, rule, vitals};

    const GIB: f64 = 1_073_741_824.0;

    #[test]
    fn three_that_the_log_asked_for_are_told_and_two_are_not() {
        let mut vitals = vitals();
        checkpointed(&mut vitals, 2.0, 0.0, 2.0 * GIB);
        assert!(rule("checkpoints_requested", &vitals).is_empty());
        checkpointed(&mut vitals, 3.0, 3.0, 2.0 * GIB);
        assert!(rule("checkpoints_requested", &vitals).is_empty(), "as many were on time");
        checkpointed(&mut vitals, 3.0, 2.0, 2.0 * GIB);
        let told = rule("checkpoints_requested", &vitals);
        assert!(told[0].summary.contains("SET max_wal_size = '2GB'"), "{}", told[0].summary);
    }

    #[test]
    fn checkpoints_of_backups_and_people_fill_no_log() {
        let mut vitals = vitals();
        checkpointed(&mut vitals, 9.0, 1.0, 0.5 * GIB);
        assert!(rule("checkpoints_requested", &vitals).is_empty());
    }
}
