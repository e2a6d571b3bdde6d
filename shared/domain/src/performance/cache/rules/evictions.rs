//! Keys are pushed out for want of memory while they are still asked for. A cache that pushes out what nobody asks for again is full as it
//! should be.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::{Did, Lookups};
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::{size, time};

/// Keys that must have been pushed out in the window.
const EVICTED_MIN: f64 = 100.0;
/// Seconds that a key stays on average from which nobody notices that it goes.
const STAYS_S: f64 = 3_600.0;

/// Keys that were pushed out.
pub(super) struct Evicted {
    /// A second.
    a_second: f64,
    /// Seconds that a key stays at this rate.
    stays_s: f64,
    lookups: Lookups,
}

/// What was pushed out too early, if anything.
pub(super) fn of(did: &Did<'_>, policy: &Policy) -> Option<Evicted> {
    let evicted = did.counted("evicted_keys").filter(|evicted| *evicted >= EVICTED_MIN)?;
    let lookups = did.misses(policy)?;
    let a_second = evicted / did.seconds;
    let stays_s = did.closed.info.keyspace().keys / a_second;
    (stays_s < STAYS_S).then_some(Evicted { a_second, stays_s, lookups })
}

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(did) = seen.did() else { return Vec::new() };
    let Some(Evicted { a_second, stays_s, lookups }) = of(&did, policy) else { return Vec::new() };
    let info = &did.closed.info;
    let limit = info.memory().and_then(|(_, limit)| limit);
    let room = match info.policy() {
        "allkeys-lru" | "allkeys-lfu" | "allkeys-lrm" => String::new(),
        other => format!("; {other} pushes out what is in use too: {}", seen.set("maxmemory-policy", "allkeys-lfu")),
    };
    vec![Told {
        about: "memory".to_owned(),
        severity: Severity::High,
        confidence: 0.85,
        summary: format!(
            "{a_second:.0} keys/s are pushed out for want of memory, so a key stays {}, and {:.0} % of the lookups find theirs. Raise \
             maxmemory{} (a larger node), store less in each value{room}",
            time(stays_s),
            lookups.found_pct(),
            limit.map(|limit| format!(", now {}", size(limit))).unwrap_or_default()
        ),
        evidence: vec![
            Evidence::level("cache_evicted_s", a_second, "keys a second are pushed out"),
            Evidence::against("cache_key_stays_s", stays_s, STAYS_S, "seconds that a key stays"),
            Evidence::against("cache_found_pct", lookups.found_pct(), policy.cache_found_pct_min, "of the lookups"),
        ],
    }]
}

#[cfg(test)]
mod tests {
    use super::super::super::window::Ends;
    use super::super::fixture::{always, ends, grew, rule};

    fn evicted(keys: f64, hits: f64, misses: f64) -> Ends {
        let mut ends = ends();
        for (name, by) in [("evicted_keys", keys), ("keyspace_hits", hits), ("keyspace_misses", misses)] {
            grew(&mut ends, name, by);
        }
        ends
    }

    #[test]
    fn keys_that_go_while_they_are_asked_for_are_told_with_the_memory_there_is() {
        let told = rule("cache_evictions", &evicted(90_000.0, 500_000.0, 400_000.0));
        assert!(
            told[0]
                .summary
                .starts_with("100 keys/s are pushed out for want of memory, so a key stays 17 min, and 56 %")
        );
        assert!(told[0].summary.contains("now 953.7 MiB") && !told[0].summary.contains("allkeys-lfu"));
        let mut random = evicted(90_000.0, 500_000.0, 400_000.0);
        always(&mut random, "maxmemory_policy", "allkeys-random");
        assert!(rule("cache_evictions", &random)[0].summary.ends_with("CONFIG SET maxmemory-policy allkeys-lfu"));
    }

    #[test]
    fn a_full_cache_in_which_lookups_find_their_keys_is_as_it_should_be() {
        assert!(rule("cache_evictions", &evicted(90_000.0, 900_000.0, 9_000.0)).is_empty());
        assert!(rule("cache_evictions", &evicted(99.0, 500_000.0, 400_000.0)).is_empty());
        assert!(rule("cache_evictions", &evicted(20_000.0, 500_000.0, 400_000.0)).is_empty(), "75 minutes are long");
    }
}
