//! Values so large that each answer holds up the others, and that a node can't share with another. By sampling: what was not looked at is
//! not told.

use super::{Seen, by_pattern};
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Key;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::size;

/// Multiple of the bound for what is read at its ends alone.
const OF_QUEUES: f64 = 10.0;
/// Share of the memory from which one kind of values matters to the whole server, in per cent.
const MUCH_PCT: f64 = 20.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((look, sampled)) = seen.keys() else { return Vec::new() };
    let used = look.info.memory().map_or(0.0, |(used, _)| used);
    let big = sampled.keys.iter().filter(|key| key.bytes > bound(key, policy));
    let mut told: Vec<(f64, Told)> =
        by_pattern(big).into_iter().filter_map(|(pattern, keys)| tell(pattern, &keys, used, policy)).collect();
    told.sort_by(|a, b| b.0.total_cmp(&a.0));
    told.into_iter().map(|(_, told)| told).collect()
}

/// From how many bytes on a value is big.
fn bound(key: &Key, policy: &Policy) -> f64 {
    match key.kind.as_str() {
        "list" | "stream" => OF_QUEUES * policy.cache_big_key_bytes,
        _ => policy.cache_big_key_bytes,
    }
}

fn tell(pattern: &str, keys: &[&Key], used: f64, policy: &Policy) -> Option<(f64, Told)> {
    let largest = keys.iter().max_by(|a, b| a.bytes.total_cmp(&b.bytes))?;
    let bytes: f64 = keys.iter().map(|key| key.bytes).sum();
    let pct = (100.0 * bytes / used.max(1.0)).min(100.0);
    let told = Told {
        about: format!("keys/{pattern}"),
        severity: if pct >= MUCH_PCT { Severity::High } else { Severity::Medium },
        confidence: 0.9,
        summary: format!(
            "{} key(s) like {pattern} hold up to {} each ({}), {pct:.0} % of the memory. {}; delete with UNLINK (redis-cli --memkeys names them)",
            keys.len(),
            size(largest.bytes),
            largest.kind,
            instead(&largest.kind)
        ),
        evidence: vec![
            Evidence::against("cache_key_bytes", largest.bytes, bound(largest, policy), "bytes of the largest"),
            Evidence::level("cache_big_keys", keys.len() as f64, "keys of the sample"),
            Evidence::level("cache_big_keys_pct", pct, "of the memory"),
        ],
    };
    Some((bytes, told))
}

fn instead(kind: &str) -> &'static str {
    match kind {
        "hash" => "Split it by a part of the field's name, ask with HMGET and HSCAN",
        "set" => "Split it by a part of the member, ask with SMISMEMBER and SSCAN",
        "zset" => "Keep its head (ZREMRANGEBYRANK), or one for each day",
        "list" => "Keep its end (LTRIM), or have it read faster",
        "stream" => "Keep its end (XADD … MAXLEN ~), or have it read faster",
        _ => "Store the parts that are asked for alone, or compress it",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{ends, key, keys, rule};

    #[test]
    fn values_over_a_megabyte_are_told_by_pattern_the_largest_first() {
        let mut ends = ends();
        let (page, board) = (key("page:*", "string", 1.5e6), key("leaderboard", "zset", 3e8));
        keys(&mut ends, &[page.clone(), key("page:*", "string", 9e5), board, page]);
        let told = rule("cache_big_keys", &ends);
        let about: Vec<&str> = told.iter().map(|finding| finding.resource.as_str()).collect();
        assert_eq!(about, ["carts/keys/leaderboard", "carts/keys/page:*"]);
        assert!(
            told[0]
                .summary
                .starts_with("1 key(s) like leaderboard hold up to 286.1 MiB each (zset), 50 % of the memory.")
        );
        assert!(told[1].summary.starts_with("2 key(s) like page:* hold up to 1.4 MiB each (string), 0 %"), "{told:?}");
    }

    #[test]
    fn a_queue_may_be_longer() {
        let mut ends = ends();
        keys(&mut ends, &[key("jobs", "list", 5e6), key("events", "stream", 9e6)]);
        assert!(rule("cache_big_keys", &ends).is_empty());
        keys(&mut ends, &[key("jobs", "list", 2e7)]);
        assert!(rule("cache_big_keys", &ends)[0].summary.contains("LTRIM"));
    }
}
