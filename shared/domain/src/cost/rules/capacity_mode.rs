//! Tables of DynamoDB that would cost less in the other capacity mode.
//!
//! Provisioned capacity is paid by the hour whether it is used or not, on demand by what is consumed. What a month of
//! consumption costs is a sum, so here the whole history is added up; at most it is as if each hour of every week were
//! the largest that was seen of it. Towards provisioned capacity the busiest hour must fit twice, which auto scaling
//! keeps as its target, since within an hour nobody knows the peak. Advice only.

use super::tables::{CAPACITY, Consumed, FREE_UNITS, REQUESTS, S_PER_H, capacity_for, evidence, month};
use super::{View, tables};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::HOURS_PER_MONTH;
use crate::cost::usage::Profile;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::ResourceKind;

/// Stable name.
pub(super) const NAME: &str = "dynamodb_capacity_mode";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::Table).filter_map(|item| one(view, item)).collect()
}

/// The one of this table.
pub(super) fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let terms = tables::terms(view, item)?;
    let consumed = Consumed::of(view, item)?;
    match terms.is_on_demand {
        true => to_provisioned(view, item, &consumed),
        false => to_on_demand(view, item, &consumed),
    }
}

fn to_on_demand(view: &View<'_>, item: &Item, consumed: &Consumed) -> Option<Opportunity> {
    let (reads, writes) = tables::provisioned(view, item)?;
    let mean = |history: &Profile| history.sum / f64::from(history.known_h);
    let provisioned = (mean(reads), mean(writes));
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
    let peak = (capacity_for(reads.peak_per_s), capacity_for(writes.peak_per_s));
    let per_s = |month: f64| month / HOURS_PER_MONTH / S_PER_H;
    let mean = (capacity_for(per_s(reads.likely)), capacity_for(per_s(writes.likely)));
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
