//! Tables of DynamoDB whose provisioned capacity stands still and is far more than they use, and for which paying by request would
//! not be cheaper.
//!
//! Consumption is known by the hour, so the busiest hour must fit twice, as auto scaling keeps it with a target of 50 %. A capacity that
//! moved within the history has auto scaling, or somebody, who looks after it. Advice only: within an hour nobody knows the
//! peak, and DynamoDB refuses what is beyond the capacity once five minutes of unused one are spent.

use super::tables::{self, CAPACITY, Consumed, FREE_UNITS, capacity_for, evidence, month};
use super::{View, capacity_mode};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::ResourceKind;

/// Stable name.
pub(super) const NAME: &str = "oversized_table";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::Table).filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    if tables::terms(view, item)?.is_on_demand {
        return None;
    }
    let (reads, writes) = tables::provisioned(view, item)?;
    let least = UsdMicros(1_000_000).times(view.policy.saving_usd_month_min);
    let is_worth_it = |mode: Opportunity| mode.saving.known().is_some_and(|saving| saving.likely >= least);
    let has_a_better_mode = capacity_mode::one(view, item).is_some_and(is_worth_it);
    if reads.min < reads.max || writes.min < writes.max || has_a_better_mode {
        return None;
    }
    let consumed = Consumed::of(view, item)?;
    let has = (reads.max, writes.max);
    let wants =
        (capacity_for(consumed.reads.peak_per_s).min(has.0), capacity_for(consumed.writes.peak_per_s).min(has.1));
    if wants == has {
        return None;
    }
    let name = item.resource.name.clone();
    let command = |(read, write): (f64, f64)| {
        format!(
            "aws dynamodb update-table --table-name {name} --provisioned-throughput \
             ReadCapacityUnits={read:.0},WriteCapacityUnits={write:.0}"
        )
    };
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} has {:.0} read and {:.0} write units and used at most {:.1} and {:.1} of them in any hour of the last {} \
             days: {:.0} and {:.0} would do, twice what that hour used",
            has.0, has.1, consumed.reads.peak_per_s, consumed.writes.peak_per_s, consumed.days, wants.0, wants.1
        ),
        evidence: evidence(&consumed, has),
        saving: saving(view, has, wants),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.7,
        remedy: Remedy::Advice {
            what: format!(
                "Look first whether it has bursts within an hour, and look at ReadThrottleEvents and WriteThrottleEvents after \
                 it. Auto scaling with a target of 50 % keeps it so by itself; where it has that already, its minimum is too \
                 high. DynamoDB takes a few decreases a day:\n{}",
                command(wants)
            ),
        },
        way_back: format!("within minutes: {}", command(has)),
        name,
    })
}

/// What goes at its price; at least as if everything that AWS gives for nothing went to this table.
fn saving(view: &View<'_>, has: (f64, f64), wants: (f64, f64)) -> Observed<Saving> {
    let gone = month(view, CAPACITY, (has.0 - wants.0, has.1 - wants.1));
    let paid = |units: f64| (units - FREE_UNITS).max(0.0);
    let least = month(view, CAPACITY, (paid(has.0) - paid(wants.0), paid(has.1) - paid(wants.1)));
    match (gone, least) {
        (Observed::Known(high), Observed::Known(low)) => Observed::Known(Saving { low, likely: high, high }),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}
