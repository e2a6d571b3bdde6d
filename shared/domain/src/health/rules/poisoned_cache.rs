//! Poisoned cache: the hit rate fell at a moment and stays low while the cache is full: it holds what nobody asks for.
//!
//! Under 70 %, at least 20 points below what it was before a clear onset, not rising, hardly any evictions, memory in
//! use. Clearing it lets the right entries in.
//!
//! Never concludes from a cache that fills by itself (cold), that evicts what is asked for (too small), or whose rate
//! has always been low.

use super::hit_rate::{LowRate, Shape, low_rates};
use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::Resource;

/// The rule.
pub(super) const RULE: Rule =
    Rule { id: "poisoned_cache", find, next_step: "which job or release wrote the entries that nobody asks for" };

/// Look-ups above this multiple of the usual ones may be new clients rather than wrong entries.
const TRAFFIC_FACTOR: f64 = 2.0;

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound = context.policy().hit_rate_act_pct;
    let diagnose = |(cache, low): (&Resource, LowRate)| {
        let Shape::Poisoned(onset) = low.shape else { return None };
        let steady = low.traffic.is_none_or(|factor| factor < TRAFFIC_FACTOR);
        let summary = format!(
            "hit rate of {} fell from {:.0} % to {:.0} % at {} and stays there, under {bound:.0} %",
            cache.name, onset.before, low.level, onset.at
        );
        let mut evidence = vec![Evidence::against(low.signal, low.level, onset.before, "before the onset beside it")];
        evidence.extend(low.memory_pct.map(|memory| Evidence::level("cache_memory_pct", memory, "memory is in use")));
        evidence.extend(low.evictions_pct.map(|share| {
            let most = context.policy().evictions_act_pct;
            Evidence::against("cache_evictions", share, most, "evictions per cent of look-ups: it is not too small")
        }));
        let confidence = if steady { 0.9 } else { 0.5 };
        Some(finding(&RULE, cache, Severity::High, confidence, summary, evidence))
    };
    low_rates(context).into_iter().filter_map(diagnose).collect()
}
