//! Many keys of one kind expire within the same seconds: then all of them are asked for behind the cache at once.

use super::{Seen, by_pattern, stands_for};
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Key;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::{count, time};

/// Seconds within which they expire.
const TOGETHER_S: f64 = 5.0;
/// Share of the keys of the pattern that expire, in per cent, which must do so together.
const TOGETHER_PCT: f64 = 30.0;
/// Keys of the sample that must: fewer are chance.
const SAMPLED_MIN: usize = 20;
/// Seconds that are left at least: keys that live for moments always go together.
const LEFT_S_MIN: f64 = 30.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((look, sampled)) = seen.keys() else { return Vec::new() };
    let scale = stands_for(look, sampled);
    let mut told: Vec<(f64, Told)> = Vec::new();
    for (pattern, keys) in by_pattern(sampled.keys.iter().filter(|key| key.ttl_ms.is_some())) {
        let (together, at_s) = densest(&keys);
        let all = together as f64 * scale;
        let pct = 100.0 * together as f64 / keys.len() as f64;
        if together >= SAMPLED_MIN && all >= policy.cache_stampede_keys_min && pct >= TOGETHER_PCT {
            told.push((all, tell(pattern, all, pct, at_s, policy)));
        }
    }
    told.sort_by(|a, b| b.0.total_cmp(&a.0));
    told.into_iter().map(|(_, told)| told).collect()
}

fn tell(pattern: &str, all: f64, pct: f64, at_s: f64, policy: &Policy) -> Told {
    Told {
        about: format!("keys/{pattern}"),
        severity: Severity::Medium,
        confidence: 0.75,
        summary: format!(
            "about {} keys like {pattern} ({pct:.0} % of those that expire) expire within {TOGETHER_S:.0} s, in {}: all of them are asked for behind \
             the cache at once. Spread it: a TTL of base + random(0 … base / 10), and let one client renew a key while the others get the old value",
            count(all),
            time(at_s)
        ),
        evidence: vec![
            Evidence::against("cache_keys_expire_together", all, policy.cache_stampede_keys_min, "keys in 5 seconds"),
            Evidence::against("cache_expire_together_pct", pct, TOGETHER_PCT, "of those of the pattern that expire"),
        ],
    }
}

/// How many of these keys expire within the fullest such time, and in how many seconds it begins.
fn densest(keys: &[&Key]) -> (usize, f64) {
    let mut left: Vec<f64> = keys.iter().filter_map(|key| key.ttl_ms).map(|ms| ms / 1_000.0).collect();
    left.retain(|seconds| *seconds >= LEFT_S_MIN);
    left.sort_by(f64::total_cmp);
    let within = |from: usize| left[from..].partition_point(|seconds| *seconds <= left[from] + TOGETHER_S);
    let fullest = (0..left.len()).map(|from| (within(from), left[from]));
    fullest.max_by_key(|(together, _)| *together).unwrap_or((0, 0.0))
}

#[cfg(test)]
mod tests {
    use super::super::super::look::{Key, Keyspace};
    use super::super::fixture::{closed, ends, key, keys, rule};
    use crate::observed::Observed;

    fn expiring(pattern: &str, seconds: impl Iterator<Item = f64>) -> Vec<Key> {
        seconds.map(|left| Key { ttl_ms: Some(left * 1_000.0), ..key(pattern, "string", 100.0) }).collect()
    }

    #[test]
    fn keys_that_were_written_together_are_told_before_they_expire_together() {
        let mut ends = ends();
        let mut all = expiring("page:*", (0..700).map(|n| 600.0 + f64::from(n % 4)));
        all.extend(expiring("page:*", (0..300).map(|n| 700.0 + 10.0 * f64::from(n))));
        keys(&mut ends, &all);
        let told = rule("cache_stampede", &ends);
        assert_eq!(told[0].resource.as_str(), "carts/keys/page:*");
        assert!(
            told[0]
                .summary
                .starts_with("about 700 keys like page:* (70 % of those that expire) expire within 5 s, in 10 min"),
            "{told:?}"
        );
    }

    #[test]
    fn what_the_sample_stands_for_counts() {
        let mut ends = ends();
        keys(&mut ends, &expiring("page:*", (0..100).map(|_| 300.0)));
        assert!(rule("cache_stampede", &ends).is_empty(), "a hundred are no stampede");
        closed(&mut ends, |look| {
            let Observed::Known(sampled) = &mut look.keys else { panic!("they are known") };
            sampled.is_whole = false;
            look.info.databases.insert("db0".to_owned(), Keyspace { keys: 10_000.0, expires: 10_000.0 });
        });
        assert!(rule("cache_stampede", &ends)[0].summary.starts_with("about 10000 keys"));
    }

    #[test]
    fn keys_that_were_written_one_after_another_and_those_of_moments_are_left_alone() {
        let mut ends = ends();
        keys(&mut ends, &expiring("page:*", (0..1_000).map(|n| 0.6 * f64::from(n))));
        assert!(rule("cache_stampede", &ends).is_empty());
        keys(&mut ends, &expiring("lock:*", (0..1_000).map(|n| f64::from(n % 5))));
        assert!(rule("cache_stampede", &ends).is_empty());
    }
}
