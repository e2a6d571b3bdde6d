//! Commands that take so long that all others wait: the server runs one after another.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Did;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use std::collections::BTreeMap;

/// Times that a command must have been slow, if it was never slow by far.
const TIMES_MIN: f64 = 3.0;
/// Multiple of the bound from which once is enough: users notice.
const BY_FAR: f64 = 10.0;

/// How often a command was slow, and how slow.
#[derive(Clone, Debug, Default)]
struct Stall {
    times: f64,
    total_ms: f64,
    max_ms: f64,
    on: Option<String>,
}

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(did) = seen.did() else { return Vec::new() };
    let mut stalls = logged(&did, policy);
    for (command, stall) in counted(&did, policy) {
        // The log has the single ones; where it can't be read, or holds only the last ones, the counters are left.
        stalls.entry(command).or_insert(stall);
    }
    let is_told = |stall: &Stall| {
        stall.times >= TIMES_MIN || (stall.times >= 1.0 && stall.max_ms >= BY_FAR * policy.cache_slow_ms)
    };
    let mut told: Vec<(String, Stall)> = stalls.into_iter().filter(|(_, stall)| is_told(stall)).collect();
    told.sort_by(|a, b| b.1.total_ms.total_cmp(&a.1.total_ms));
    told.into_iter().map(|(command, stall)| tell(&command, &stall, did.seconds, policy)).collect()
}

fn tell(command: &str, stall: &Stall, seconds: f64, policy: &Policy) -> Told {
    let Stall { times, total_ms, max_ms, on } = stall;
    let blocked_pct = 0.1 * total_ms / seconds;
    let on = on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
    Told {
        about: format!("command/{command}"),
        severity: if blocked_pct >= 1.0 { Severity::High } else { Severity::Medium },
        confidence: 0.9,
        summary: format!(
            "{command}{on} took long {times:.0} time(s), up to {max_ms:.0} ms, {blocked_pct:.2} % of the window: all other clients wait \
             meanwhile. {}",
            instead(command)
        ),
        evidence: vec![
            Evidence::against("cache_slow_ms", *max_ms, policy.cache_slow_ms, "the slowest of the window"),
            Evidence::level("cache_slow_times", *times, "times"),
            Evidence::level("cache_blocked_pct", blocked_pct, "of the window"),
        ],
    }
}

/// From the log of slow commands.
fn logged(did: &Did<'_>, policy: &Policy) -> BTreeMap<String, Stall> {
    let mut stalls: BTreeMap<String, Stall> = BTreeMap::new();
    for slow in did.slow().unwrap_or_default() {
        let ms = slow.us / 1_000.0;
        if ms < policy.cache_slow_ms {
            continue;
        }
        let stall = stalls.entry(slow.command.clone()).or_default();
        stall.times += 1.0;
        stall.total_ms += ms;
        if ms > stall.max_ms {
            (stall.max_ms, stall.on) = (ms, slow.on.clone());
        }
    }
    stalls
}

/// From the counters of commands: those that are slow on average.
fn counted(did: &Did<'_>, policy: &Policy) -> Vec<(String, Stall)> {
    let of = |name: &String| {
        let did = did.command(name);
        let (ms, calls) = (did.us / 1_000.0, did.calls);
        let mean_ms = ms / calls.max(1.0);
        let is_slow = calls >= 1.0 && mean_ms >= policy.cache_slow_ms;
        let stall = Stall { times: calls, total_ms: ms, max_ms: mean_ms, on: None };
        is_slow.then(|| (name.replace('|', " ").to_ascii_uppercase(), stall))
    };
    did.closed.info.commands.keys().filter_map(of).collect()
}

/// What to do in place of a command.
fn instead(command: &str) -> &'static str {
    match command {
        "KEYS" => "Go through keys with SCAN and a COUNT, or keep their names in a set",
        "SMEMBERS" | "SUNION" | "SINTER" | "SDIFF" | "SUNIONSTORE" | "SINTERSTORE" | "SDIFFSTORE" => {
            "Read sets in parts with SSCAN, ask for members with SMISMEMBER, keep what is computed"
        }
        "HGETALL" | "HVALS" | "HKEYS" => "Ask for the fields that are needed (HMGET), or in parts with HSCAN",
        "LRANGE" => "Ask for a page and not for 0 -1, and keep the list short with LTRIM",
        "LINDEX" | "LINSERT" | "LREM" | "LSET" | "LPOS" => {
            "Inside of a long list that takes its length: use a sorted set or a hash"
        }
        "ZRANGE" | "ZREVRANGE" | "ZRANGEBYSCORE" | "ZREVRANGEBYSCORE" | "ZUNIONSTORE" | "ZINTERSTORE" => {
            "Ask for a page (LIMIT), and keep the set short with ZREMRANGEBYRANK"
        }
        "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO" | "FCALL" | "FCALL_RO" => {
            "Do less in one script, and no loop over keys in it"
        }
        "DEL" | "FLUSHALL" | "FLUSHDB" => "Free memory in the background: UNLINK, or FLUSHALL ASYNC",
        "SORT" | "SORT_RO" => "Keep it in order in a sorted set",
        "MGET" | "MSET" | "HMGET" | "HMSET" | "HSET" | "SADD" | "ZADD" | "RPUSH" | "LPUSH" => {
            "Send fewer at once: some hundred"
        }
        "GET" | "SET" | "GETSET" | "APPEND" => "The value is large: compress it, or store its parts",
        _ => "Ask for less at once, and for large values in parts",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, ends, rule, slow};
    use crate::finding::Severity;
    use crate::observed::{Missing, Observed};
    use crate::performance::cache::Command;

    #[test]
    fn three_slow_ones_or_one_by_far_are_told_with_what_to_do() {
        let mut ends = ends();
        slow(&mut ends, "KEYS", 40.0, 2);
        assert!(rule("cache_slow_commands", &ends).is_empty());
        slow(&mut ends, "KEYS", 40.0, 3);
        let told = rule("cache_slow_commands", &ends);
        assert_eq!(told[0].resource.as_str(), "carts/command/KEYS");
        assert!(
            told[0].summary.starts_with("KEYS on cart:* took long 3 time(s), up to 40 ms, 0.01 % of the window"),
            "{told:?}"
        );
        assert!(told[0].summary.contains("SCAN"));
        slow(&mut ends, "HGETALL", 120.0, 1);
        assert_eq!(rule("cache_slow_commands", &ends).len(), 1, "everybody waited for a tenth of a second");
        slow(&mut ends, "HGETALL", 9.0, 50);
        assert!(rule("cache_slow_commands", &ends).is_empty(), "somebody logs faster ones");
        slow(&mut ends, "HGETALL", 100.0, 100);
        assert_eq!(rule("cache_slow_commands", &ends)[0].severity, Severity::High);
    }

    #[test]
    fn where_the_log_is_not_to_be_read_the_counters_tell() {
        let mut ends = ends();
        closed(&mut ends, |look| {
            look.slow = Observed::Missing(Missing::Denied("+slowlog|get".into()));
            look.info.commands.insert("smembers".to_owned(), Command { calls: 10.0, us: 250_000.0 });
        });
        let told = rule("cache_slow_commands", &ends);
        assert!(told[0].summary.starts_with("SMEMBERS took long 10 time(s), up to 25 ms"), "{told:?}");
    }
}
