//! One look at a cache.

use crate::observed::{Missing, Observed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One look at a server. A part that can't be read is missing with its reason and takes no other along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// What it says in `INFO`.
    pub info: Info,
    /// Settings by name, as `CONFIG GET` tells them. ElastiCache does not.
    pub settings: Observed<BTreeMap<String, String>>,
    /// Commands that took long.
    pub slow: Observed<SlowLog>,
    /// Some of its keys.
    pub keys: Observed<Sampled>,
    /// What this look itself made the server count, after `INFO` was read.
    pub own: Own,
}

/// `INFO`, as far as rules look at it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Info {
    /// Fields under their own names; numbers are in the unit of the server: bytes, seconds, counts.
    pub fields: BTreeMap<String, String>,
    /// Counters of commands by name, in small letters.
    pub commands: BTreeMap<String, Command>,
    /// How often an error was answered, by its first word.
    pub errors: BTreeMap<String, f64>,
    /// Keys by database (`db0`).
    pub databases: BTreeMap<String, Keyspace>,
    /// Its replicas.
    pub copies: Vec<Copy>,
}

/// Counters of a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Calls.
    pub calls: f64,
    /// Microseconds that they took together.
    pub us: f64,
}

/// Keys of a database of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Keyspace {
    /// Keys.
    pub keys: f64,
    /// Keys that expire.
    pub expires: f64,
}

/// A replica, as its primary sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Copy {
    /// `online`, `wait_bgsave`, `send_bulk`.
    pub state: String,
    /// Seconds since it last answered.
    pub lag_s: f64,
}

/// The log of commands that took longer than `slowlog-log-slower-than`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SlowLog {
    /// Number of the newest entry; nothing where there is none.
    pub newest: Option<i64>,
    /// Entries, the newest first.
    pub entries: Vec<Slow>,
}

/// A command that took long. Its arguments are not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// Its number: the server counts them from its start.
    pub id: i64,
    /// Name of the command, in capital letters.
    pub command: String,
    /// Microseconds.
    pub us: f64,
    /// Number of its arguments.
    pub arguments: f64,
    /// Pattern of its key, where it has one.
    pub on: Option<String>,
}

/// Some keys of a server, as `SCAN` gives them: in the order of their hashes, so that the first of them are a fair sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// The database that they are from.
    pub database: String,
    /// The keys.
    pub keys: Vec<Key>,
    /// These are all.
    pub is_whole: bool,
    /// Keys that were seen and not looked at: their names are very long, or they went away meanwhile.
    pub skipped: f64,
}

/// A key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// Pattern of its name.
    pub pattern: String,
    /// Its type, as the server names it: `string`, `hash`, `list`, `set`, `zset`, `stream`.
    pub kind: String,
    /// Bytes in memory, of larger ones an estimate of the server.
    pub bytes: f64,
    /// Milliseconds until it expires; nothing for one that does not.
    pub ttl_ms: Option<f64>,
    /// Seconds since it was last used, where the server tells.
    pub idle_s: Option<f64>,
    /// How often it is used, on the logarithmic scale of the server from 0 to 255; only under a policy that counts it.
    pub frequency: Option<f64>,
}

/// What a look itself made the server count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Commands.
    pub commands: f64,
    /// Lookups of keys that were there.
    pub hits: f64,
    /// Lookups of keys that had gone since they were named: on a full server many do.
    pub misses: f64,
}

impl Info {
    /// A field as a number; nothing where the server does not tell it.
    pub fn number(&self, field: &str) -> Option<f64> {
        self.fields.get(field)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A field as it is.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    /// All keys of all databases.
    pub fn keyspace(&self) -> Keyspace {
        self.databases.values().fold(Keyspace::default(), |sum, one| Keyspace {
            keys: sum.keys + one.keys,
            expires: sum.expires + one.expires,
        })
    }

    /// The policy by which keys make room.
    pub fn policy(&self) -> &str {
        self.text("maxmemory_policy").unwrap_or_default()
    }

    /// Bytes used, and the limit where there is one.
    pub fn memory(&self) -> Option<(f64, Option<f64>)> {
        let limit = self.number("maxmemory").filter(|limit| *limit > 0.0);
        Some((self.number("used_memory")?, limit))
    }

    /// Bytes that the operating system gave, and bytes in use.
    pub fn resident(&self) -> Option<(f64, f64)> {
        let (rss, used) = (self.number("used_memory_rss")?, self.number("used_memory")?);
        (used > 0.0).then_some((rss, used))
    }
}

impl Look {
    /// A setting, where the server tells it.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.known()?.get(name).map(String::as_str)
    }

    /// What could not be read, with the reason.
    pub fn missing(&self) -> Vec<(&'static str, &Missing)> {
        fn of<T>(part: &Observed<T>) -> Option<&Missing> {
            match part {
                Observed::Known(_) => None,
                Observed::Missing(why) => Some(why),
            }
        }
        let parts = [("settings", of(&self.settings)), ("slow commands", of(&self.slow)), ("keys", of(&self.keys))];
        parts.into_iter().filter_map(|(what, why)| Some((what, why?))).collect()
    }

    /// What is there and was not looked at: keys of other databases, other nodes of a cluster.
    pub fn beyond(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        if let Observed::Known(sampled) = &self.keys {
            let others: Vec<&str> =
                self.info.databases.keys().map(String::as_str).filter(|name| *name != sampled.database).collect();
            if sampled.skipped > 0.0 {
                beyond
                    .push(format!("{} of the keys sampled (they went away, or have very long names)", sampled.skipped));
            }
            if !others.is_empty() {
                beyond.push(format!("keys in {} (only those of {} are sampled)", others.join(", "), sampled.database));
            }
        }
        if self.info.text("redis_mode") == Some("cluster") {
            beyond.push("other nodes of the cluster (only the node that is configured is looked at)".to_owned());
        }
        beyond
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::fixture::look;
    use super::*;

    #[test]
    fn what_is_not_looked_at_is_said() {
        let mut look = look(0);
        assert!(look.beyond().is_empty() && look.missing().is_empty());
        look.info.databases.insert("db3".to_owned(), Keyspace { keys: 1.0, expires: 0.0 });
        look.info.fields.insert("redis_mode".to_owned(), "cluster".to_owned());
        assert!(look.beyond()[0].starts_with("keys in db3 (only those of db0") && look.beyond().len() == 2);
        look.settings = Observed::Missing(Missing::Denied("+config|get".to_owned()));
        assert_eq!(look.missing().len(), 1);
    }

    #[test]
    fn a_field_that_is_no_number_or_not_there_is_none() {
        let info = Info {
            fields: BTreeMap::from([("a".to_owned(), "nan".to_owned()), ("b".to_owned(), "7".to_owned())]),
            ..Info::default()
        };
        assert_eq!((info.number("a"), info.number("b"), info.number("c")), (None, Some(7.0), None));
        assert_eq!((info.memory(), info.resident()), (None, None));
    }
}
