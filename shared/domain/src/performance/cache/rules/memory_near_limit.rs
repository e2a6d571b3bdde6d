//! The memory is nearly full and nothing can be pushed out: writes are refused next. A cache that can push out keys is full as it should be.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Info;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::size;

/// Share of the limit from which the next peak is refused, in per cent.
const FULL_PCT: f64 = 95.0;
/// Share of the keys that expire under which a policy that pushes out only those finds none, in per cent.
const EXPIRING_PCT_MIN: f64 = 1.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    let info = &look.info;
    let refused = seen.did().map_or(0.0, |did| did.errors("OOM"));
    let Some((used, limit)) = info.memory() else { return Vec::new() };
    let (of, limit, why) = match limit {
        Some(limit) => match cannot_evict(info) {
            Some(why) => ("maxmemory", limit, why),
            None => return Vec::new(),
        },
        // Without a limit the system ends the server when its own memory is used up.
        None => match info.number("total_system_memory").filter(|total| *total > 0.0) {
            Some(total) => ("the memory of its machine", total, "there is no maxmemory"),
            None => return Vec::new(),
        },
    };
    let used = if of == "maxmemory" { used } else { info.resident().map_or(used, |(rss, _)| rss) };
    let pct = 100.0 * used / limit;
    if pct < policy.cache_memory_pct_max && refused < 1.0 {
        return Vec::new();
    }
    let failed = if refused >= 1.0 { format!(", {refused:.0} writes failed (OOM)") } else { String::new() };
    let advice = match of {
        "maxmemory" => format!(
            "Raise it (a larger node), delete, or, for a cache, let it make room: {}",
            seen.set("maxmemory-policy", "allkeys-lru")
        ),
        _ => format!("Set a limit that leaves a quarter: {}", seen.set("maxmemory", &format!("{:.0}", limit * 0.75))),
    };
    let mut evidence =
        vec![Evidence::against("cache_memory_pct", pct, policy.cache_memory_pct_max, "of the memory is used")];
    if refused >= 1.0 {
        evidence.push(Evidence::level("cache_oom_errors", refused, "writes of the window were refused"));
    }
    vec![Told {
        about: "memory".to_owned(),
        severity: if refused >= 1.0 || pct >= FULL_PCT { Severity::Critical } else { Severity::High },
        confidence: 0.9,
        summary: format!(
            "{} of {} ({of}) are used ({pct:.0} %), and {why}{failed}: writes fail when full. {advice}",
            size(used),
            size(limit)
        ),
        evidence,
    }]
}

/// Why nothing can make room.
fn cannot_evict(info: &Info) -> Option<&'static str> {
    let space = info.keyspace();
    match info.policy() {
        "noeviction" => Some("the policy is noeviction"),
        policy if policy.starts_with("volatile-") && space.keys > 0.0 => {
            let pct = 100.0 * space.expires / space.keys;
            (pct < EXPIRING_PCT_MIN).then_some("hardly a key has a TTL, so the policy finds none to push out")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::look::Keyspace;
    use super::super::super::window::Ends;
    use super::super::fixture::{always, closed, ends, field, opened, rule, rule_of};
    use crate::finding::Severity;

    fn used(bytes: &str, policy: &str) -> Ends {
        let mut ends = ends();
        always(&mut ends, "used_memory", bytes);
        always(&mut ends, "used_memory_rss", bytes);
        always(&mut ends, "maxmemory_policy", policy);
        ends
    }

    #[test]
    fn memory_that_can_not_make_room_is_told_and_that_which_can_is_not() {
        let told = rule("cache_memory_near_limit", &used("850000000", "noeviction"));
        assert_eq!(told[0].severity, Severity::High);
        assert!(
            told[0]
                .summary
                .starts_with("810.6 MiB of 953.7 MiB (maxmemory) are used (85 %), and the policy is noeviction: ")
        );
        assert!(rule("cache_memory_near_limit", &used("790000000", "noeviction")).is_empty());
        assert!(rule("cache_memory_near_limit", &used("999000000", "allkeys-lru")).is_empty());
        assert!(rule("cache_memory_near_limit", &used("999000000", "volatile-lru")).is_empty());
        let mut none_expires = used("999000000", "volatile-lru");
        closed(&mut none_expires, |look| {
            look.info.databases.insert("db0".to_owned(), Keyspace { keys: 1_000.0, expires: 2.0 });
        });
        let told = rule_of("cache_memory_near_limit", &none_expires, Some("shop-1"));
        assert_eq!(told[0].severity, Severity::Critical);
        assert!(told[0].summary.ends_with("maxmemory-policy = allkeys-lru in the parameter group of shop-1"));
    }

    #[test]
    fn writes_that_failed_are_proof_at_any_level() {
        let mut failed = used("500000000", "noeviction");
        opened(&mut failed, |look| {
            look.info.errors.insert("OOM".to_owned(), 5.0);
        });
        closed(&mut failed, |look| {
            look.info.errors.insert("OOM".to_owned(), 17.0);
        });
        let told = rule("cache_memory_near_limit", &failed);
        assert!(
            told[0].severity == Severity::Critical && told[0].summary.contains("12 writes failed (OOM)"),
            "{told:?}"
        );
        closed(&mut failed, |look| {
            look.info.errors.insert("OOM".to_owned(), 5.0);
        });
        assert!(rule("cache_memory_near_limit", &failed).is_empty(), "those were earlier");
    }

    #[test]
    fn without_a_limit_the_machine_is_one() {
        let mut ends = used("850000000", "noeviction");
        always(&mut ends, "maxmemory", "0");
        assert!(rule("cache_memory_near_limit", &ends).is_empty(), "nobody knows how much there is");
        closed(&mut ends, |look| field(look, "total_system_memory", "1000000000"));
        assert!(rule("cache_memory_near_limit", &ends)[0].summary.ends_with("CONFIG SET maxmemory 750000000"));
    }
}
