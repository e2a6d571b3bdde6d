//! Log groups that keep their events for ever: a retention of what the policy says.
//!
//! What has expired is gone, so the change needs an approval. Groups whose name says that they are evidence (audit,
//! CloudTrail, compliance) are left alone: how long those are kept is a matter of law.

use super::{View, reserve};
use crate::change::Action;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, LogGroup, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "log_retention";

const GIB: f64 = 1_073_741_824.0;
const WEEK_DAYS: f64 = 7.0;
/// Words in the names of logs that are evidence.
const EVIDENCE: [&str; 5] = ["audit", "audits", "cloudtrail", "compliance", "legal"];
/// Retentions that CloudWatch Logs knows, in days. (CloudWatch Logs API, `PutRetentionPolicy`.)
const ALLOWED_DAYS: [u32; 23] = [
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1_096,
    1_827,
    2_192,
    2_557,
    2_922,
    3_288,
    3_653,
    u32::MAX,
];

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let Some(days) = allowed(view.policy.log_retention_days) else { return Vec::new() };
    let found = view.expendable(ResourceKind::LogGroup).filter_map(|item| {
        let Live::LogGroup(group) = &item.resource.live else { return None };
        let gib = gib(group);
        if group.retention_days.is_some() || gib < view.policy.log_gib_min {
            return None;
        }
        if reserve::is_named(&item.resource, &EVIDENCE) {
            return None;
        }
        let name = item.resource.name.clone();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!("{name} keeps its {gib:.1} GiB for ever; {days} days would do"),
            evidence: vec![Evidence::against("stored_gib", gib, view.policy.log_gib_min, "no retention is set")],
            saving: saving(view, item, group, days),
            risk: Risk::Medium,
            effort: Effort::None,
            confidence: 0.8,
            remedy: Remedy::Change { action: Action::SetLogRetention { group: name.clone(), days } },
            way_back: "the retention is removed again; events that have expired are gone".to_owned(),
            name,
        })
    });
    found.collect()
}

/// The least retention that CloudWatch Logs knows and that is not shorter than wanted; none where it knows none.
fn allowed(days: u32) -> Option<u32> {
    ALLOWED_DAYS.into_iter().find(|allowed| *allowed >= days.max(1)).filter(|days| *days != u32::MAX)
}

/// What would expire, at the price of storage.
///
/// A group that has taken in the same every day since it was made has `1 − days / age` of it behind the retention: that
/// is likely. What came in lately bounds it. At most the largest week of the history comes in every week, and is stored
/// without compression: the rest, if any, is older for certain, which is the low bound. The high bound is all of it but
/// what came in at least, compressed to a tenth. A group younger than the retention loses nothing now, and saves
/// nothing yet.
fn saving(view: &View<'_>, item: &Item, group: &LogGroup, days: u32) -> Observed<Saving> {
    let (stored, days) = (gib(group), f64::from(days));
    let (most, least) = match view.usage(item, Quantity::LogBytes) {
        Observed::Known(history) if history.known_h == 0 && history.asked_h > 0 => (0.0, 0.0),
        Observed::Known(history) => {
            let week_most: f64 = history.week.hours().flatten().sum();
            // Half of the hours with a value have the median or more.
            let hours = f64::from(history.known_h) / f64::from(history.asked_h.max(1)) * 24.0;
            (week_most / WEEK_DAYS * days / GIB, history.p50 * 0.5 * hours * days / GIB)
        }
        Observed::Missing(_) => (f64::INFINITY, 0.0),
    };
    let low = (stored - most).max(0.0);
    let high = (stored - 0.1 * least).max(low);
    let age_days = item.created_at.map(|at| whole_days(view.estate.days_since(at)));
    let (low, likely, high) = match age_days {
        Some(age) if age <= days => (0.0, 0.0, 0.0),
        Some(age) => (low, (stored * (1.0 - days / age)).clamp(low, high), high),
        None => (low, f64::midpoint(low, high), high),
    };
    let month = |gib: f64| view.prices.month(&Sold::LogGib, gib);
    month(1.0).map(|_| {
        let cost = |gib: f64| month(gib).known().copied().unwrap_or(UsdMicros(0));
        Saving { low: cost(low), likely: cost(likely), high: cost(high) }
    })
}

#[expect(clippy::cast_precision_loss, reason = "an amount of bytes, shown in GiB")]
fn gib(group: &LogGroup) -> f64 {
    group.stored_bytes as f64 / GIB
}

fn whole_days(days: i64) -> f64 {
    super::number(days)
}
