//! Part of what the server uses is not in memory: the system has written it to disk, and whoever asks for it waits for that. The server
//! can't tell that from memory that was never touched (a bit that was set far behind the end of a value), so the rule is not certain.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Look;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::size;

/// Share of what is used that must be in memory, in per cent: a little is never touched by any server.
const RESIDENT_PCT_MIN: f64 = 90.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((pct, away)) = seen.look().and_then(|look| away(look, policy)) else { return Vec::new() };
    // At both ends: what a server has just allocated it touches next.
    if seen.ends.opened.known().and_then(|opened| self::away(opened, policy)).is_none() {
        return Vec::new();
    }
    vec![Told {
        about: "swap".to_owned(),
        severity: Severity::High,
        confidence: 0.6,
        summary: format!(
            "{} of what the server uses are not in memory ({pct:.0} % are): swapped out, or never touched. See SwapUsage of the node or vmstat; \
             if it swaps, give it a smaller maxmemory (three quarters of the memory) or a larger node",
            size(away)
        ),
        evidence: vec![
            Evidence::against("cache_resident_pct", pct, RESIDENT_PCT_MIN, "of what is used is in memory"),
            Evidence::against("cache_away_bytes", away, policy.cache_waste_bytes_min, "bytes are not"),
        ],
    }]
}

fn away(look: &Look, policy: &Policy) -> Option<(f64, f64)> {
    let (rss, used) = look.info.resident()?;
    let (pct, away) = (100.0 * rss / used, used - rss);
    (pct < RESIDENT_PCT_MIN && away >= policy.cache_waste_bytes_min).then_some((pct, away))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{always, ends, field, opened, rule};

    #[test]
    fn memory_that_is_not_there_at_both_ends_is_told_and_never_as_fragmentation() {
        let mut ends = ends();
        always(&mut ends, "used_memory_rss", "450000000");
        let told = rule("cache_swapping", &ends);
        assert!(
            told[0].summary.starts_with("143.1 MiB of what the server uses are not in memory (75 % are)"),
            "{told:?}"
        );
        assert!(rule("cache_fragmentation", &ends).is_empty());
        opened(&mut ends, |look| field(look, "used_memory_rss", "650000000"));
        assert!(rule("cache_swapping", &ends).is_empty());
        always(&mut ends, "used_memory_rss", "570000000");
        assert!(rule("cache_swapping", &ends).is_empty());
    }
}
