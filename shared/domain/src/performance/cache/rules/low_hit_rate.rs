//! Many lookups do not find their key, so what is behind the cache does the work; not while a cache is being filled, and not where keys are
//! pushed out for want of memory, which is a rule of its own.

use super::{Seen, evictions};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::rules::Told;

/// Keys that expired for each miss from which the TTL is what makes them.
const EXPIRED_A_MISS: f64 = 0.5;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(did) = seen.did() else { return Vec::new() };
    let Some(lookups) = did.misses(policy).filter(|_| !did.is_warming(policy)) else { return Vec::new() };
    if evictions::of(&did, policy).is_some() {
        return Vec::new();
    }
    let expired = did.counted("expired_keys").unwrap_or_default();
    let why = if expired > EXPIRED_A_MISS * lookups.misses {
        "About as many keys expire: give them a longer TTL (EXPIRE), and delete them when what they hold changes"
    } else {
        "Few keys expire, so what is missed is not stored: store it after each miss with a TTL, also that there is nothing; see that it is \
         read under the same name"
    };
    vec![Told {
        about: "lookups".to_owned(),
        severity: Severity::Medium,
        confidence: 0.7,
        summary: format!(
            "{:.0} % of {:.0} lookups/s find their key, {:.0}/s go on to what is behind. {why}",
            lookups.found_pct(),
            (lookups.hits + lookups.misses) / did.seconds,
            lookups.misses / did.seconds
        ),
        evidence: vec![
            Evidence::against("cache_found_pct", lookups.found_pct(), policy.cache_found_pct_min, "of the lookups"),
            Evidence::level("cache_hits_s", lookups.hits / did.seconds, "lookups a second found their key"),
            Evidence::level("cache_misses_s", lookups.misses / did.seconds, "did not"),
            Evidence::level("cache_expired_s", expired / did.seconds, "keys a second expired"),
        ],
    }]
}

#[cfg(test)]
mod tests {
    use super::super::super::look::Keyspace;
    use super::super::super::window::Ends;
    use super::super::fixture::{always, closed, ends, field, grew, opened, rule};

    /// A window with so many hits and misses.
    fn looked_up(hits: f64, misses: f64) -> Ends {
        let mut ends = ends();
        grew(&mut ends, "keyspace_hits", hits);
        grew(&mut ends, "keyspace_misses", misses);
        ends
    }

    #[test]
    fn four_in_five_of_enough_lookups_must_find_their_key() {
        let told = rule("cache_low_hit_rate", &looked_up(54_000.0, 36_000.0));
        assert!(told[0].summary.starts_with("60 % of 100 lookups/s find their key, 40/s go on"), "{}", told[0].summary);
        assert!(told[0].summary.contains("store it after each miss"));
        assert!(rule("cache_low_hit_rate", &looked_up(81_000.0, 9_000.0)).is_empty());
        assert!(rule("cache_low_hit_rate", &looked_up(10.0, 8_000.0)).is_empty(), "too few to tell");
    }

    #[test]
    fn keys_that_expire_as_fast_have_too_short_a_life() {
        let mut ends = looked_up(54_000.0, 36_000.0);
        grew(&mut ends, "expired_keys", 30_000.0);
        assert!(rule("cache_low_hit_rate", &ends)[0].summary.contains("longer TTL"));
    }

    #[test]
    fn a_cold_cache_and_one_that_is_being_filled_and_one_that_evicts_are_left_alone() {
        let mut cold = looked_up(54_000.0, 36_000.0);
        opened(&mut cold, |look| field(look, "uptime_in_seconds", "60"));
        assert!(rule("cache_low_hit_rate", &cold).is_empty());
        let mut filling = looked_up(54_000.0, 36_000.0);
        opened(&mut filling, |look| {
            look.info.databases.insert("db0".to_owned(), Keyspace { keys: 50_000.0, expires: 0.0 });
        });
        assert!(rule("cache_low_hit_rate", &filling).is_empty());
        let mut restarted = looked_up(54_000.0, 36_000.0);
        closed(&mut restarted, |look| field(look, "run_id", "b2"));
        assert!(rule("cache_low_hit_rate", &restarted).is_empty());
        let mut full = looked_up(54_000.0, 36_000.0);
        always(&mut full, "used_memory", "999000000");
        grew(&mut full, "evicted_keys", 36_000.0);
        assert!(rule("cache_low_hit_rate", &full).is_empty());
    }
}
