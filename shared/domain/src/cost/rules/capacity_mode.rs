//! Tables of DynamoDB that would cost less in the other capacity mode.
//!
//! Provisioned capacity is paid by the hour whether it is used or not, on demand by what is consumed. What a month of
//! consumption costs is a sum, so here the whole history is added up; at most it is as if each hour of every week were
//! the largest that was seen of it. Towards provisioned capacity the busiest hour must fit twice, which auto scaling
//! keeps as its target, since within an hour nobody knows the peak. Advice only.

use super::whole::{idle_days, whole};
use super::{View, number};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{HOURS_PER_MONTH, Sold};
use crate::cost::terms::Terms;
use crate::cost::usage::{Profile, Quantity, WEEK_H};
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::ResourceKind;

/// Stable name.
pub(super) const NAME: &str = "dynamodb_capacity_mode";

/// Units of each kind that DynamoDB gives to an account for nothing; whether they go to this table nobody knows.
const FREE_UNITS: f64 = 25.0;
/// Provisioned capacity as a multiple of what is consumed: auto scaling with a target of 50 %.
const HEADROOM: f64 = 2.0;
const S_PER_H: f64 = 3_600.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::Table).filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let Some(Terms::Table(terms)) = &item.terms else { return None };
    // Indexes have capacities of their own, and what is replicated or seldom read has other prices.
    if !terms.is_active || terms.has_indexes || terms.is_replicated || !terms.is_standard_class {
        return None;
    }
    let settled_days = terms.since.map_or(i64::MAX, |at| view.estate.days_since(at));
    if settled_days < i64::from(view.policy.history_days_min) {
        return None;
    }
    let consumed = Consumed::of(view, item)?;
    match terms.is_on_demand {
        true => to_provisioned(view, item, &consumed),
        false => to_on_demand(view, item, &consumed),
    }
}

/// What is consumed a month, in request units.
struct Units {
    /// As in the history.
    likely: f64,
    /// As if each hour of every week were the largest seen of it.
    most: f64,
    /// In the busiest hour, a second.
    peak_per_s: f64,
}

impl Units {
    /// An hour without a value consumed nothing: DynamoDB publishes consumption alone.
    fn of(history: &Profile, days: u32) -> Self {
        let week: f64 = history.week.hours().flatten().sum();
        #[expect(clippy::cast_precision_loss, reason = "hours of a week")]
        let weeks_per_month = HOURS_PER_MONTH / WEEK_H as f64;
        Self {
            likely: history.sum * HOURS_PER_MONTH / (f64::from(days) * 24.0),
            most: week * weeks_per_month,
            peak_per_s: history.max / S_PER_H,
        }
    }
}

struct Consumed {
    days: u32,
    reads: Units,
    writes: Units,
}

impl Consumed {
    fn of(view: &View<'_>, item: &Item) -> Option<Self> {
        let (reads, writes) = (view.usage(item, Quantity::ReadUnits), view.usage(item, Quantity::WriteUnits));
        let (reads, writes) = (*reads.known()?, *writes.known()?);
        let days = idle_days(view, item, reads)?.min(idle_days(view, item, writes)?);
        Some(Self { days, reads: Units::of(reads, days), writes: Units::of(writes, days) })
    }
}

/// What reads and writes of an amount cost a month together.
fn month(view: &View<'_>, sold: (&Sold, &Sold), units: (f64, f64)) -> Observed<UsdMicros> {
    match (view.prices.month(sold.0, units.0), view.prices.month(sold.1, units.1)) {
        (Observed::Known(reads), Observed::Known(writes)) => Observed::Known(reads + writes),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}

const REQUESTS: (&Sold, &Sold) = (&Sold::ReadRequest, &Sold::WriteRequest);
const CAPACITY: (&Sold, &Sold) = (&Sold::ReadCapacityHour, &Sold::WriteCapacityHour);

fn to_on_demand(view: &View<'_>, item: &Item, consumed: &Consumed) -> Option<Opportunity> {
    let mean = |quantity| whole(view, item, quantity).known().map(|history| history.sum / f64::from(history.known_h));
    let provisioned = (mean(Quantity::ReadCapacity)?, mean(Quantity::WriteCapacity)?);
    let Consumed { days, reads, writes } = consumed;
    let now = month(view, CAPACITY, provisioned);
    let likely = month(view, REQUESTS, (reads.likely, writes.likely));
    let most = month(view, REQUESTS, (reads.most, writes.most));
    let free = month(view, CAPACITY, (provisioned.0.min(FREE_UNITS), provisioned.1.min(FREE_UNITS)));
    let saving = match (now, likely, most, free) {
        (Observed::Known(now), Observed::Known(likely), Observed::Known(most), Observed::Known(free)) => {
            // Not even the busiest weeks may make it dearer.
            if most >= now {
                return None;
            }
            between((now - most - free).max(UsdMicros::default()), now - likely)
        }
        (Observed::Missing(why), ..)
        | (_, Observed::Missing(why), ..)
        | (_, _, Observed::Missing(why), _)
        | (.., Observed::Missing(why)) => Observed::Missing(why),
    };
    // Without prices nothing tells which of the two is cheaper.
    saving.known()?;
    let name = item.resource.name.clone();
    let (read, write) = provisioned;
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} has {read:.0} read and {write:.0} write units provisioned and used at most {:.1} and {:.1} of them in \
             any hour of the last {days} days: on demand costs less",
            reads.peak_per_s, writes.peak_per_s
        ),
        evidence: evidence(consumed, provisioned),
        saving,
        risk: Risk::Low,
        effort: Effort::Minutes,
        confidence: 0.85,
        remedy: Remedy::Advice {
            what: format!(
                "Without an interruption, and back as soon as a day later:\naws dynamodb update-table --table-name {name} \
                 --billing-mode PAY_PER_REQUEST\nCapacity that is reserved for years is paid for all the same."
            ),
        },
        way_back: format!(
            "aws dynamodb update-table --table-name {name} --billing-mode PROVISIONED --provisioned-throughput \
             ReadCapacityUnits={read:.0},WriteCapacityUnits={write:.0}, and its auto scaling, where it had one"
        ),
        name,
    })
}

fn to_provisioned(view: &View<'_>, item: &Item, consumed: &Consumed) -> Option<Opportunity> {
    let Consumed { days, reads, writes } = consumed;
    let at_least_one = |units: f64| units.max(1.0).ceil();
    let peak = (at_least_one(HEADROOM * reads.peak_per_s), at_least_one(HEADROOM * writes.peak_per_s));
    let per_s = |month: f64| month / HOURS_PER_MONTH / S_PER_H;
    let mean = (at_least_one(HEADROOM * per_s(reads.likely)), at_least_one(HEADROOM * per_s(writes.likely)));
    let now = *month(view, REQUESTS, (reads.likely, writes.likely)).known()?;
    let (most, likely) = (*month(view, CAPACITY, peak).known()?, *month(view, CAPACITY, mean).known()?);
    // Even with the busiest hour's capacity for all hours it must be cheaper.
    if most >= now {
        return None;
    }
    let name = item.resource.name.clone();
    let (read, write) = peak;
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} is used so evenly ({:.1} reads and {:.1} writes a second in the busiest hour of {days} days) that \
             provisioned capacity costs less, with twice that to spare",
            reads.peak_per_s, writes.peak_per_s
        ),
        evidence: evidence(consumed, peak),
        saving: between(now - most, now - likely),
        risk: Risk::Medium,
        effort: Effort::Hours,
        confidence: 0.6,
        remedy: Remedy::Advice {
            what: format!(
                "Look first whether it has bursts within an hour: beyond twice the hour's mean, and five minutes of unused \
                 capacity, requests are throttled.\naws dynamodb update-table --table-name {name} --billing-mode \
                 PROVISIONED --provisioned-throughput ReadCapacityUnits={read:.0},WriteCapacityUnits={write:.0}\nThen \
                 register it with Application Auto Scaling, with a target of 50 %."
            ),
        },
        way_back: format!("aws dynamodb update-table --table-name {name} --billing-mode PAY_PER_REQUEST"),
        name,
    })
}

fn between(low: UsdMicros, high: UsdMicros) -> Observed<Saving> {
    Observed::Known(Saving { low, likely: (low + high).times(0.5), high })
}

fn evidence(consumed: &Consumed, capacity: (f64, f64)) -> Vec<Evidence> {
    let Consumed { days, reads, writes } = consumed;
    vec![
        Evidence::against("read_units_max", reads.peak_per_s, capacity.0, "a second, in the busiest hour"),
        Evidence::against("write_units_max", writes.peak_per_s, capacity.1, "a second, in the busiest hour"),
        Evidence::level("history_days", number(i64::from(*days)), "days that were added up"),
    ]
}
