//! What a server has counted, and what it did between two looks.

use super::{Look, Vitals};
use serde::{Deserialize, Serialize};

/// Counters of a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Since when they grow, in seconds of the epoch, where the server tells.
    pub reset_s: Option<f64>,
    /// Transactions that ended well.
    pub commits: f64,
    /// Transactions that were rolled back.
    pub rollbacks: f64,
    /// Blocks found in the server's memory.
    pub hit: f64,
    /// Blocks that were not.
    pub read: f64,
    /// Milliseconds in which they were read; nothing without `track_io_timing`.
    pub read_ms: f64,
    /// Temporary files.
    pub temp_files: f64,
    /// Bytes written to them.
    pub temp_bytes: f64,
    /// Deadlocks.
    pub deadlocks: f64,
    /// Size of the database; no counter.
    pub bytes: f64,
}

/// Counters of checkpoints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoints {
    /// Since when they grow, in seconds of the epoch, where the server tells.
    pub reset_s: Option<f64>,
    /// Begun because it was time.
    pub timed: f64,
    /// Begun because something asked: the log was full, a person, a backup.
    pub requested: f64,
    /// Bytes of the log that were ever written.
    pub log_bytes: f64,
}

impl Vitals {
    /// Both looks, where there are both.
    pub fn both(&self) -> Option<(&Look, &Look)> {
        self.opened.known().zip(self.closed.known())
    }

    /// Seconds between both looks.
    pub fn seconds(&self) -> Option<f64> {
        let (opened, closed) = self.both()?;
        let seconds = closed.at.duration_since(opened.at).as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }

    /// What the database did in the window; nothing where the counters were reset in it.
    pub fn activity(&self) -> Option<Activity> {
        let (opened, closed) = self.both()?;
        let (before, after) = (opened.activity.known()?, closed.activity.known()?);
        let did = Activity {
            reset_s: after.reset_s,
            commits: after.commits - before.commits,
            rollbacks: after.rollbacks - before.rollbacks,
            hit: after.hit - before.hit,
            read: after.read - before.read,
            read_ms: after.read_ms - before.read_ms,
            temp_files: after.temp_files - before.temp_files,
            temp_bytes: after.temp_bytes - before.temp_bytes,
            deadlocks: after.deadlocks - before.deadlocks,
            bytes: after.bytes,
        };
        let counts = [did.commits, did.rollbacks, did.hit, did.read, did.temp_files, did.temp_bytes, did.deadlocks];
        (before.reset_s == after.reset_s && counts.iter().all(|count| *count >= 0.0)).then_some(did)
    }

    /// The checkpoints of the window; nothing where the counters were reset in it.
    pub fn checkpoints(&self) -> Option<Checkpoints> {
        let (opened, closed) = self.both()?;
        let (before, after) = (opened.checkpoints.known()?, closed.checkpoints.known()?);
        let did = Checkpoints {
            reset_s: after.reset_s,
            timed: after.timed - before.timed,
            requested: after.requested - before.requested,
            log_bytes: after.log_bytes - before.log_bytes,
        };
        let counts = [did.timed, did.requested, did.log_bytes];
        (before.reset_s == after.reset_s && counts.iter().all(|count| *count >= 0.0)).then_some(did)
    }
}
