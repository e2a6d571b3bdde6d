//! Keys that never expire where that is in the way: under a policy that pushes out only those that do, or where memory grows without end.
//!
//! Lists and streams are queues: whoever reads them takes away. Where any key may be pushed out, none needs a TTL.

use super::{Seen, by_pattern};
use crate::finding::{Evidence, Severity};
use crate::performance::cache::{Did, Info, Key};
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::{size, time};

/// Keys that must have been looked at.
const KEYS_MIN: usize = 20;
/// Share of the limit under which keys that stay are in nobody's way, in per cent.
const FULL_PCT_MIN: f64 = 50.0;
/// Growth of the keys in a window, in per cent, from which there is no end to be seen.
const GROWTH_PCT: f64 = 5.0;
/// The least growth in keys.
const GROWN_MIN: f64 = 100.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((look, sampled)) = seen.keys() else { return Vec::new() };
    let of_cache: Vec<&Key> =
        sampled.keys.iter().filter(|key| !matches!(key.kind.as_str(), "list" | "stream")).collect();
    let all: f64 = of_cache.iter().map(|key| key.bytes).sum();
    let staying = || of_cache.iter().copied().filter(|key| key.ttl_ms.is_none());
    let bytes: f64 = staying().map(|key| key.bytes).sum();
    let pct = 100.0 * bytes / all.max(1.0);
    if of_cache.len() < KEYS_MIN || pct <= policy.cache_without_ttl_pct_max {
        return Vec::new();
    }
    let Some(why) = in_the_way(&look.info, seen.did().as_ref()) else { return Vec::new() };
    let groups = by_pattern(staying());
    let sum = |keys: &Vec<&Key>| keys.iter().map(|key| key.bytes).sum::<f64>();
    let Some((pattern, keys)) = groups.iter().max_by(|a, b| sum(a.1).total_cmp(&sum(b.1))) else { return Vec::new() };
    let mut idle: Vec<f64> = keys.iter().filter_map(|key| key.idle_s).collect();
    idle.sort_by(f64::total_cmp);
    let unused = idle.get(idle.len() / 2).map(|idle| format!(", half unused for {} or more", time(*idle)));
    vec![Told {
        about: format!("keys/{pattern}"),
        severity: Severity::Medium,
        confidence: 0.8,
        summary: format!(
            "{pct:.0} % of the memory of the keys looked at never expires, most of it like {pattern}{}; {why}. Give them a TTL where they are \
             written (SET … EX, EXPIRE), or {}",
            unused.unwrap_or_default(),
            seen.set("maxmemory-policy", "allkeys-lfu")
        ),
        evidence: vec![
            Evidence::against("cache_without_ttl_pct", pct, policy.cache_without_ttl_pct_max, "of the memory of keys"),
            Evidence::level("cache_keys_sampled", of_cache.len() as f64, "keys looked at"),
        ],
    }]
}

/// Why keys that stay are in the way, if they are.
fn in_the_way(info: &Info, did: Option<&Did<'_>>) -> Option<String> {
    let (used, limit) = info.memory()?;
    let policy = info.policy();
    if policy.starts_with("allkeys-") {
        return None;
    }
    let pct = 100.0 * used / limit.filter(|_| policy.starts_with("volatile-")).unwrap_or(f64::INFINITY);
    if pct >= FULL_PCT_MIN {
        return Some(format!("{policy} pushes out only the others, and {pct:.0} % of the memory are used"));
    }
    let did = did?;
    let (before, after) = (did.opened.info.keyspace().keys, did.closed.info.keyspace().keys);
    let grown = after - before;
    let bytes = used - did.opened.info.memory()?.0;
    let has_no_end = grown >= GROWN_MIN && 100.0 * grown / before.max(1.0) >= GROWTH_PCT && bytes > 0.0;
    has_no_end.then(|| format!("there were {grown:.0} keys and {} more at the end of the window", size(bytes)))
}

#[cfg(test)]
mod tests {
    use super::super::super::look::{Key, Keyspace};
    use super::super::super::window::Ends;
    use super::super::fixture::{always, closed, ends, field, key, keys, opened, rule};

    fn keyspace(policy: &str, staying: usize, expiring: usize) -> Ends {
        let mut ends = ends();
        always(&mut ends, "maxmemory_policy", policy);
        let mut all = vec![key("cart:*", "hash", 500.0); staying];
        all.extend(vec![Key { ttl_ms: Some(6e5), ..key("page:*", "string", 500.0) }; expiring]);
        keys(&mut ends, &all);
        ends
    }

    #[test]
    fn under_a_policy_that_spares_them_they_are_in_the_way_when_memory_is_used() {
        let told = rule("cache_keys_without_ttl", &keyspace("volatile-lru", 60, 40));
        assert_eq!(told[0].resource.as_str(), "carts/keys/cart:*");
        assert!(
            told[0].summary.contains("60 % of the memory")
                && told[0].summary.contains("volatile-lru pushes out only the others")
        );
        assert!(rule("cache_keys_without_ttl", &keyspace("volatile-lru", 40, 60)).is_empty());
        assert!(rule("cache_keys_without_ttl", &keyspace("allkeys-lru", 90, 10)).is_empty(), "any may go");
        assert!(rule("cache_keys_without_ttl", &keyspace("volatile-lru", 9, 1)).is_empty(), "too few to tell");
        let mut empty = keyspace("volatile-lru", 60, 40);
        always(&mut empty, "used_memory", "100000000");
        assert!(rule("cache_keys_without_ttl", &empty).is_empty());
    }

    #[test]
    fn where_nothing_is_pushed_out_growth_tells_and_a_queue_is_none() {
        let mut grows = keyspace("noeviction", 60, 40);
        assert!(rule("cache_keys_without_ttl", &grows).is_empty(), "by intent");
        for (minutes, count) in [(0, 1_000.0), (15, 1_200.0)] {
            let change = |look: &mut super::super::Look| {
                look.info.databases.insert("db0".to_owned(), Keyspace { keys: count, expires: 0.0 });
                field(look, "used_memory", &(5e8 + count * 1e4).to_string());
            };
            if minutes == 0 { opened(&mut grows, change) } else { closed(&mut grows, change) }
        }
        assert!(rule("cache_keys_without_ttl", &grows)[0].summary.contains("there were 200 keys and 1.9 MiB more"));
        closed(&mut grows, |look| {
            let crate::observed::Observed::Known(sampled) = &mut look.keys else { panic!("they are known") };
            sampled.keys = vec![key("jobs", "list", 500.0); 100];
        });
        assert!(rule("cache_keys_without_ttl", &grows).is_empty());
    }
}
