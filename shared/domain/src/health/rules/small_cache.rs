//! Small cache: its hit rate is low because it evicts what is still asked for. Clearing it would empty it for nothing.
//!
//! Never concludes from a low hit rate without evictions.

use super::hit_rate::{Shape, low_rates};
use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "small_cache",
    find,
    next_step: "a larger node type, or shorter times to live for what is seldom asked for",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let (bound, most) = (context.policy().hit_rate_act_pct, context.policy().evictions_act_pct);
    let small = low_rates(context).into_iter().filter(|(_, low)| low.shape == Shape::Small);
    small
        .map(|(cache, low)| {
            let share = low.evictions_pct.unwrap_or(most);
            let summary = format!(
                "hit rate of {} is at {:.0} %, under {bound:.0} %, and {share:.0} % of the look-ups evict an entry",
                cache.name, low.level
            );
            let evidence = vec![
                Evidence::against(low.signal, low.level, bound, "bound beside it"),
                Evidence::against("cache_evictions", share, most, "evictions per cent of look-ups"),
            ];
            finding(&RULE, cache, Severity::Medium, 0.8, summary, evidence)
        })
        .collect()
}
