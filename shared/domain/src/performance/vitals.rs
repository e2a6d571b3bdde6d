//! What a server says of itself besides its statements: sessions, locks, vacuum, numbers that run out, memory, checkpoints, settings.
//!
//! It is looked at at both ends of a window. Counters only grow: what happened is their difference, and nothing where they were reset in
//! between. Each part is read for itself: one that can't be read is missing with its reason and takes no other along.

use crate::observed::{Missing, Observed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod counters;
mod table;

pub use counters::{Activity, Checkpoints};
pub use table::{Age, TableState, VacuumRule};

/// A server at both ends of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vitals {
    /// At its beginning.
    pub opened: Observed<Look>,
    /// At its end.
    pub closed: Observed<Look>,
}

/// One look at a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The database.
    pub database: Name,
    /// Sessions and their limit.
    pub sessions: Observed<Sessions>,
    /// Prepared transactions of this database, the oldest first.
    pub prepared: Observed<Vec<Prepared>>,
    /// Replication slots of the server.
    pub slots: Observed<Vec<Slot>>,
    /// Counters of this database.
    pub activity: Observed<Activity>,
    /// Counters of checkpoints.
    pub checkpoints: Observed<Checkpoints>,
    /// How far the transactions of the server are from running out.
    pub ages: Observed<Ages>,
    /// Tables that stand out: by dead rows, by age, by what is read from disk.
    pub tables: Observed<Vec<TableState>>,
    /// Sequences, those that are nearest to their end first.
    pub sequences: Observed<Sequences>,
    /// Statements that write to temporary files, those that write the most first.
    pub spills: Observed<Vec<Spill>>,
    /// Settings by name.
    pub settings: Observed<BTreeMap<String, Setting>>,
}

/// A name from a database: as it is, and as a statement of SQL writes it. The second is made by the adapter, with all of the first quoted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// As it is, with the schema where it has one.
    pub plain: String,
    /// As SQL writes it.
    pub sql: String,
}

/// Sessions of a server, without those of its own processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// Sessions that ordinary users can have: `max_connections` without those that are reserved.
    pub limit: f64,
    /// Sessions that are open.
    pub open: f64,
    /// The same for this database alone, where it has a limit of its own.
    pub own_limit: Option<f64>,
    /// Sessions of this database.
    pub own: f64,
    /// How many there are of each kind, most first.
    pub groups: Vec<Group>,
    /// Sessions of this database with a transaction, and whoever holds up another one.
    pub busy: Vec<Busy>,
}

/// Sessions of the same user and application in the same state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// User.
    pub user: String,
    /// What the application calls itself.
    pub application: String,
    /// State, as Postgres names it: `idle`, `active`, `idle in transaction`.
    pub state: String,
    /// How many.
    pub count: f64,
}

/// A session that is in a transaction, or holds up another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Busy {
    /// Number of its process.
    pub pid: i32,
    /// When it was opened: with the number it is known for certain.
    pub since: String,
    /// User.
    pub user: String,
    /// What the application calls itself.
    pub application: String,
    /// State, as Postgres names it.
    pub state: String,
    /// Age of its transaction in seconds.
    pub transaction_s: Option<f64>,
    /// Seconds in this state.
    pub state_s: Option<f64>,
    /// Transactions that have begun since the oldest that it still sees: no row that was deleted in them can be removed.
    pub holds_back: f64,
    /// Processes that hold what it waits for; 0 for a prepared transaction.
    pub blocked_by: Vec<i32>,
    /// Seconds that it has waited for a lock, where the server tells (14 and later).
    pub waits_s: Option<f64>,
}

/// A prepared transaction (`PREPARE TRANSACTION`), which belongs to no session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Its name, in SQL a string.
    pub name: Name,
    /// Its age in seconds.
    pub age_s: f64,
    /// Transactions that have begun since.
    pub holds_back: f64,
}

/// A replication slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Its name, in SQL a string.
    pub name: Name,
    /// `physical` or `logical`.
    pub kind: String,
    /// Somebody reads from it.
    pub is_active: bool,
    /// Bytes of the log that the server keeps for it.
    pub kept_bytes: f64,
    /// Transactions that have begun since the oldest that it still needs.
    pub holds_back: f64,
    /// What it needs is no longer there: nobody can go on from it.
    pub is_lost: bool,
}

/// How far the numbers of transactions are from running out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ages {
    /// The oldest database of the server: all stop with it.
    pub oldest: Name,
    /// Its age in transactions (`age(datfrozenxid)`).
    pub transactions: f64,
    /// The highest age in groups of row locks (`mxid_age(datminmxid)`) of all databases.
    pub multixacts: f64,
    /// `autovacuum_freeze_max_age`.
    pub freeze_max: f64,
    /// `autovacuum_multixact_freeze_max_age`.
    pub multixact_freeze_max: f64,
}

/// Sequences that feed a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequences {
    /// Those that are nearest to their end.
    pub nearest: Vec<Sequence>,
    /// Sequences whose last number may not be read.
    pub unread: f64,
}

/// A sequence with the column that takes its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// The sequence.
    pub name: Name,
    /// The table.
    pub table: Name,
    /// The column.
    pub column: Name,
    /// Bytes of the column's type: 2, 4 or 8.
    pub column_bytes: f64,
    /// The last number that was given out.
    pub last: f64,
    /// The last that the sequence gives.
    pub end: f64,
    /// It begins anew after that.
    pub cycles: bool,
}

impl Sequence {
    /// The last number that both the sequence and the column's type take.
    pub fn limit(&self) -> f64 {
        let of_type = (self.column_bytes * 8.0 - 1.0).exp2() - 1.0;
        if self.end < 0.0 { self.end.max(-of_type - 1.0) } else { self.end.min(of_type) }
    }

    /// Share of its numbers that are used, 0 to 1. A sequence that begins anew before its column overflows never runs out.
    pub fn used(&self) -> f64 {
        let (limit, comes_round) = (self.limit(), self.cycles && self.limit() == self.end);
        if comes_round || limit == 0.0 { 0.0 } else { (self.last / limit).clamp(0.0, 1.0) }
    }
}

/// A statement that writes to temporary files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spill {
    /// The server's number for it.
    pub statement: i64,
    /// Bytes that it has written to them since the counters began.
    pub bytes: f64,
}

/// A setting of the server, as it holds for the user that reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Its value, in its unit.
    pub value: String,
    /// Its unit, as Postgres names it: `kB`, `8kB`, `MB`, `ms`, `s`, `min`.
    pub unit: Option<String>,
    /// Where it comes from: `default`, `configuration file`, `database`.
    pub source: String,
}

impl Setting {
    /// As a number in bytes or seconds, whichever its unit is one of; as it is without a unit. Nothing where it is no number.
    pub fn number(&self) -> Option<f64> {
        let value: f64 = self.value.parse().ok()?;
        let unit = self.unit.as_deref().unwrap_or_default();
        let digits = unit.len() - unit.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (times, name) = unit.split_at(digits);
        let times: f64 = if times.is_empty() { 1.0 } else { times.parse().ok()? };
        let size = match name {
            "" | "B" | "s" => 1.0,
            "kB" => 1_024.0,
            "MB" => 1_048_576.0,
            "GB" => 1_073_741_824.0,
            "us" => 1e-6,
            "ms" => 1e-3,
            "min" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        Some(value * times * size)
    }
}

impl Look {
    /// A setting as a number in bytes or seconds.
    pub fn number(&self, setting: &str) -> Option<f64> {
        self.settings.known()?.get(setting)?.number()
    }

    /// Whether a setting is off.
    pub fn is_off(&self, setting: &str) -> bool {
        self.settings.known().and_then(|all| all.get(setting)).is_some_and(|setting| setting.value == "off")
    }

    /// What could not be read, with the reason.
    pub fn missing(&self) -> Vec<(&'static str, &Missing)> {
        fn of<T>(part: &Observed<T>) -> Option<&Missing> {
            match part {
                Observed::Known(_) => None,
                Observed::Missing(why) => Some(why),
            }
        }
        let parts = [
            ("sessions", of(&self.sessions)),
            ("prepared transactions", of(&self.prepared)),
            ("replication slots", of(&self.slots)),
            ("counters of the database", of(&self.activity)),
            ("checkpoints", of(&self.checkpoints)),
            ("ages of transactions", of(&self.ages)),
            ("vacuum of tables", of(&self.tables)),
            ("sequences", of(&self.sequences)),
            ("statements that spill", of(&self.spills)),
            ("settings", of(&self.settings)),
        ];
        parts.into_iter().filter_map(|(what, why)| Some((what, why?))).collect()
    }
}

#[cfg(test)]
mod tests;
