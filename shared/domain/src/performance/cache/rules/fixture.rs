//! A cache on which nothing is wrong, for the tests of the rules.

use super::super::look::{Command, Info, Key, Keyspace, Look, Own, Sampled, Slow, SlowLog};
use super::super::window::Ends;
use super::{Seen, find};
use crate::finding::Finding;
use crate::observed::Observed;
use crate::performance::policy::Policy;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Longest summary of a finding with ordinary names: a notice shows no more.
const SUMMARY_CHARS_MAX: usize = 300;

/// What one rule finds.
pub fn rule(name: &str, ends: &Ends) -> Vec<Finding> {
    rule_of(name, ends, None)
}

/// What one rule finds in a cache of ElastiCache.
pub fn rule_of(name: &str, ends: &Ends, instance: Option<&str>) -> Vec<Finding> {
    let found = find(&Seen { cache: "carts", ends, instance }, &Policy::default());
    for finding in &found {
        assert!(finding.summary.chars().count() <= SUMMARY_CHARS_MAX, "a notice would cut it: {}", finding.summary);
        assert!(!finding.evidence.is_empty(), "{} has no evidence", finding.rule);
    }
    found.into_iter().filter(|finding| finding.rule.as_str() == name).collect()
}

/// One look, after so many minutes.
pub fn look(minutes: u32) -> Look {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::from(minutes));
    let passed = f64::from(minutes) * 60.0;
    let grows = |a_second: f64| (1e7 + a_second * passed).to_string();
    let fields = [
        ("run_id", "a1".to_owned()),
        ("redis_version", "7.2.4".to_owned()),
        ("redis_mode", "standalone".to_owned()),
        ("uptime_in_seconds", (1e6 + passed).to_string()),
        ("connected_clients", "40".to_owned()),
        ("maxclients", "10000".to_owned()),
        ("used_memory", "600000000".to_owned()),
        ("used_memory_rss", "650000000".to_owned()),
        ("maxmemory", "1000000000".to_owned()),
        ("maxmemory_policy", "allkeys-lru".to_owned()),
        ("rdb_last_bgsave_status", "ok".to_owned()),
        ("aof_last_write_status", "ok".to_owned()),
        ("total_connections_received", grows(0.01)),
        ("total_commands_processed", grows(2_000.0)),
        ("rejected_connections", "0".to_owned()),
        ("expired_keys", grows(5.0)),
        ("evicted_keys", "0".to_owned()),
        ("keyspace_hits", grows(1_000.0)),
        ("keyspace_misses", grows(10.0)),
        ("role", "master".to_owned()),
    ];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let info = Info {
        fields,
        commands: BTreeMap::from([("get".to_owned(), Command { calls: 1e6 + passed, us: 5e6 + passed })]),
        errors: BTreeMap::new(),
        databases: BTreeMap::from([("db0".to_owned(), Keyspace { keys: 100_000.0, expires: 90_000.0 })]),
        copies: Vec::new(),
    };
    let settings = BTreeMap::from([("activedefrag".to_owned(), "no".to_owned())]);
    let keys = (0..200).map(|number| Key {
        ttl_ms: (number % 10 > 0).then(|| f64::from(number) * 10_000.0),
        ..key("cart:*", "string", 300.0)
    });
    let sampled = Sampled { database: "db0".to_owned(), keys: keys.collect(), is_whole: false, skipped: 0.0 };
    Look {
        at,
        info,
        settings: Observed::Known(settings),
        slow: Observed::Known(SlowLog::default()),
        keys: Observed::Known(sampled),
        own: Own::default(),
    }
}

/// A window of a quarter of an hour.
pub fn ends() -> Ends {
    Ends { opened: Observed::Known(look(0)), closed: Observed::Known(look(15)) }
}

/// A key without TTL.
pub fn key(pattern: &str, kind: &str, bytes: f64) -> Key {
    Key { pattern: pattern.to_owned(), kind: kind.to_owned(), bytes, ttl_ms: None, idle_s: Some(60.0), frequency: None }
}

/// Changes the look at the beginning.
pub fn opened(ends: &mut Ends, change: impl Fn(&mut Look)) {
    let Observed::Known(look) = &mut ends.opened else { panic!("it is known") };
    change(look);
}

/// Changes the look at the end.
pub fn closed(ends: &mut Ends, change: impl Fn(&mut Look)) {
    let Observed::Known(look) = &mut ends.closed else { panic!("it is known") };
    change(look);
}

/// Sets a field of a look.
pub fn field(look: &mut Look, name: &str, value: &str) {
    look.info.fields.insert(name.to_owned(), value.to_owned());
}

/// Sets a field at both ends.
pub fn always(ends: &mut Ends, name: &str, value: &str) {
    opened(ends, |look| field(look, name, value));
    closed(ends, |look| field(look, name, value));
}

/// A counter grew by so much.
pub fn grew(ends: &mut Ends, name: &str, by: f64) {
    let before = ends.opened.known().unwrap().info.number(name).unwrap_or_default();
    opened(ends, |look| field(look, name, &before.to_string()));
    closed(ends, |look| field(look, name, &(before + by).to_string()));
}

/// These are the keys at the end, and all of them.
pub fn keys(ends: &mut Ends, keys: &[Key]) {
    closed(ends, |look| {
        let count = keys.len() as f64;
        let sampled = Sampled { database: "db0".to_owned(), keys: keys.to_vec(), is_whole: true, skipped: 0.0 };
        look.keys = Observed::Known(sampled);
        look.info.databases.insert("db0".to_owned(), Keyspace { keys: count, expires: 0.0 });
    });
}

/// A command took long in the window, so many times.
pub fn slow(ends: &mut Ends, command: &str, ms: f64, times: i64) {
    let entry =
        |id| Slow { id, command: command.to_owned(), us: ms * 1_000.0, arguments: 1.0, on: Some("cart:*".to_owned()) };
    closed(ends, |look| {
        let log = SlowLog { newest: Some(times), entries: (0..times).map(entry).collect() };
        look.slow = Observed::Known(log);
    });
}

#[test]
fn a_calm_cache_has_no_findings() {
    assert_eq!(find(&Seen { cache: "carts", ends: &ends(), instance: None }, &Policy::default()), []);
}
