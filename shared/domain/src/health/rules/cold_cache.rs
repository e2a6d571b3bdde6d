//! Cold cache: its hit rate is low but rises by itself, or it has just been emptied. The remedy is to wait.
//!
//! Never concludes from a rate that falls or stands still.

use super::hit_rate::{Shape, low_rates};
use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "cold_cache",
    find,
    next_step: "what emptied the cache, and whether it can be warmed before it takes traffic",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound = context.policy().hit_rate_act_pct;
    let cold = low_rates(context).into_iter().filter(|(_, low)| low.shape == Shape::Cold);
    cold.map(|(cache, low)| {
        let summary =
            format!("hit rate of {} is at {:.0} %, under {bound:.0} %, and rises by itself", cache.name, low.level);
        let evidence = vec![Evidence::against(low.signal, low.level, bound, "bound beside it; rising or just emptied")];
        finding(&RULE, cache, Severity::Medium, 0.8, summary, evidence)
    })
    .collect()
}
