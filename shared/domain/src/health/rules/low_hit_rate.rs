//! Low hit rate: under its bound for as long as the history goes back, without onset, rise or evictions.
//!
//! Never concludes that the cache holds wrong entries: it may be asked for things that can't be cached.

use super::hit_rate::{Shape, low_rates};
use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};

/// The rule.
pub(super) const RULE: Rule =
    Rule { id: "low_hit_rate", find, next_step: "which keys miss, and whether they can be cached at all" };

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound = context.policy().hit_rate_act_pct;
    let low = low_rates(context).into_iter().filter(|(_, low)| low.shape == Shape::Low);
    low.map(|(cache, low)| {
        let summary = format!(
            "hit rate of {} is at {:.0} %, under {bound:.0} %, and has been low all along",
            cache.name, low.level
        );
        let evidence =
            vec![Evidence::against(low.signal, low.level, bound, "bound beside it; no onset in the history")];
        finding(&RULE, cache, Severity::Medium, 0.5, summary, evidence)
    })
    .collect()
}
