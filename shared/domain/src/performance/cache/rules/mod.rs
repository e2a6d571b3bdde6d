//! What is told to people about a cache, one rule per file.

mod big_keys;
mod connections;
mod evictions;
#[cfg(test)]
pub(super) mod fixture;
mod fragmentation;
mod hot_keys;
mod keys_without_ttl;
mod low_hit_rate;
mod memory_near_limit;
mod persistence;
mod replica_lag;
mod slow_commands;
mod stampede;
mod swapping;

use super::look::{Key, Look, Sampled};
use super::window::{Did, Ends};
use crate::finding::Finding;
use crate::performance::policy::Policy;
use crate::performance::rules::{TOLD_MAX, Told};
use crate::text::line;
use std::collections::BTreeMap;

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The cache, by its name in the configuration.
    pub cache: &'a str,
    /// What it said of itself at both ends of the window.
    pub ends: &'a Ends,
    /// Its name in ElastiCache, where it runs there: settings are changed elsewhere then.
    pub instance: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// At the end of the window.
    fn look(&self) -> Option<&'a Look> {
        self.ends.closed.known()
    }

    /// What happened in it.
    fn did(&self) -> Option<Did<'a>> {
        self.ends.did()
    }

    /// The keys that were looked at, at its end.
    fn keys(&self) -> Option<(&'a Look, &'a Sampled)> {
        let look = self.look()?;
        Some((look, look.keys.known()?))
    }

    /// How a setting is changed.
    fn set(&self, name: &str, value: &str) -> String {
        match self.instance {
            Some(instance) => format!("{name} = {value} in the parameter group of {}", line(instance)),
            None => format!("CONFIG SET {name} {value}"),
        }
    }
}

/// A rule.
struct Rule {
    name: &'static str,
    find: fn(&Seen<'_>, &Policy) -> Vec<Told>,
}

/// Every rule.
const TABLE: &[Rule] = &[
    Rule { name: "cache_low_hit_rate", find: low_hit_rate::find },
    Rule { name: "cache_evictions", find: evictions::find },
    Rule { name: "cache_memory_near_limit", find: memory_near_limit::find },
    Rule { name: "cache_fragmentation", find: fragmentation::find },
    Rule { name: "cache_swapping", find: swapping::find },
    Rule { name: "cache_slow_commands", find: slow_commands::find },
    Rule { name: "cache_big_keys", find: big_keys::find },
    Rule { name: "cache_hot_keys", find: hot_keys::find },
    Rule { name: "cache_keys_without_ttl", find: keys_without_ttl::find },
    Rule { name: "cache_stampede", find: stampede::find },
    Rule { name: "cache_connections", find: connections::find },
    Rule { name: "cache_persistence", find: persistence::find },
    Rule { name: "cache_replica_lag", find: replica_lag::find },
];

/// All findings of all rules.
pub fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Finding> {
    let of = |rule: &Rule| {
        let told = (rule.find)(seen, policy).into_iter().take(TOLD_MAX);
        told.map(|told| told.finding(rule.name, seen.cache)).collect::<Vec<_>>()
    };
    TABLE.iter().flat_map(of).collect()
}

/// Keys by the pattern of their names.
fn by_pattern<'a>(keys: impl Iterator<Item = &'a Key>) -> BTreeMap<&'a str, Vec<&'a Key>> {
    let mut groups: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for key in keys {
        groups.entry(&key.pattern).or_default().push(key);
    }
    groups
}

/// For how many keys of its database a key of the sample stands, 1 or more.
fn stands_for(look: &Look, sampled: &Sampled) -> f64 {
    let all = look.info.databases.get(&sampled.database).map_or(0.0, |space| space.keys);
    let looked_at = sampled.keys.len() as f64;
    if sampled.is_whole || looked_at < 1.0 { 1.0 } else { (all / looked_at).max(1.0) }
}
