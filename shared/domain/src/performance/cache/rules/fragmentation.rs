//! The server holds much more memory than it uses: pages on which a few values are left. Not of a small server, whose own needs look like
//! that, and not while memory is being given back.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Look;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::size;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    let Some((pct, wasted, rss)) = wasted(look, policy) else { return Vec::new() };
    // Where the beginning is known it must have been so then: right after much was deleted it passes.
    let is_lasting = seen.ends.opened.known().is_none_or(|opened| self::wasted(opened, policy).is_some());
    let is_at_work = look.info.number("active_defrag_running").is_some_and(|running| running > 0.0);
    let is_freeing = look.info.number("lazyfree_pending_objects").is_some_and(|pending| pending > 0.0);
    if !is_lasting || is_at_work || is_freeing {
        return Vec::new();
    }
    let advice = match look.setting("activedefrag") {
        Some("yes") => {
            format!("activedefrag is on and does not get there: {}", seen.set("active-defrag-cycle-max", "50"))
        }
        _ => format!(
            "Let it move its values together: {}; where the server refuses that, MEMORY PURGE, else a restart of one replica after the other",
            seen.set("activedefrag", "yes")
        ),
    };
    vec![Told {
        about: "memory".to_owned(),
        severity: Severity::Medium,
        confidence: 0.85,
        summary: format!(
            "{} more than it uses ({pct:.0} %) lie unused in the {} of the server. {advice}",
            size(wasted),
            size(rss)
        ),
        evidence: vec![
            Evidence::against(
                "cache_fragmentation_pct",
                pct,
                policy.cache_fragmentation_pct_max,
                "beyond what is used",
            ),
            Evidence::against("cache_wasted_bytes", wasted, policy.cache_waste_bytes_min, "bytes"),
        ],
    }]
}

/// Per cent and bytes beyond what is used, and what the server holds, where that is too much.
fn wasted(look: &Look, policy: &Policy) -> Option<(f64, f64, f64)> {
    let (rss, used) = look.info.resident()?;
    let (pct, wasted) = (100.0 * (rss / used - 1.0), rss - used);
    (pct > policy.cache_fragmentation_pct_max && wasted >= policy.cache_waste_bytes_min).then_some((pct, wasted, rss))
}

#[cfg(test)]
mod tests {
    use super::super::super::window::Ends;
    use super::super::fixture::{always, closed, ends, field, opened, rule, rule_of};
    use crate::observed::{Missing, Observed};

    fn held(rss: &str) -> Ends {
        let mut ends = ends();
        always(&mut ends, "used_memory_rss", rss);
        ends
    }

    #[test]
    fn half_as_much_again_as_is_used_is_told_with_the_setting() {
        assert!(rule("cache_fragmentation", &held("890000000")).is_empty());
        let told = rule("cache_fragmentation", &held("960000000"));
        assert!(
            told[0]
                .summary
                .starts_with("343.3 MiB more than it uses (60 %) lie unused in the 915.5 MiB of the server.")
        );
        assert!(told[0].summary.contains("CONFIG SET activedefrag yes"));
        let mut denied = held("960000000");
        closed(&mut denied, |look| look.settings = Observed::Missing(Missing::Denied("+config|get".into())));
        let told = rule_of("cache_fragmentation", &denied, Some("shop-1"));
        assert!(told[0].summary.contains("activedefrag = yes in the parameter group of shop-1"), "{told:?}");
        let mut on = held("960000000");
        closed(&mut on, |look| {
            let Observed::Known(settings) = &mut look.settings else { panic!("they are known") };
            settings.insert("activedefrag".to_owned(), "yes".to_owned());
        });
        assert!(rule("cache_fragmentation", &on)[0].summary.contains("active-defrag-cycle-max 50"));
    }

    #[test]
    fn a_small_server_one_that_has_just_deleted_and_one_that_tidies_up_are_left_alone() {
        let mut small = held("12000000");
        always(&mut small, "used_memory", "2000000");
        assert!(rule("cache_fragmentation", &small).is_empty());
        let mut just_deleted = held("960000000");
        opened(&mut just_deleted, |look| field(look, "used_memory", "950000000"));
        assert!(rule("cache_fragmentation", &just_deleted).is_empty());
        for busy in ["active_defrag_running", "lazyfree_pending_objects"] {
            let mut busy_one = held("960000000");
            closed(&mut busy_one, |look| field(look, busy, "7"));
            assert!(rule("cache_fragmentation", &busy_one).is_empty(), "{busy}");
        }
    }
}
