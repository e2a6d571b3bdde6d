//! Auto Scaling groups that are too large: fewer members would carry the peak with room to spare.
//!
//! By the utilization law the load of a member grows as `n / m` when `n` members become `m`. That is exact for CPU
//! under an even load and an upper bound for memory, of which a part belongs to the system. Example: 8 members at 12 %
//! CPU and 30 % memory at their peak become `max(⌈8 · 12 / 60⌉, ⌈8 · 30 / 75⌉) = 4`, then at 24 % and 60 %.
//!
//! The peak is the largest hour of the history, of the hottest member: a fleet that is busy once a week has that hour
//! in it.

use super::whole::whole;
use super::{View, members_month};
use crate::change::Action;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::guard::Limits;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Fleet, Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "oversized_fleet";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let policy = view.policy;
    // The guard applies what the configuration says; nothing larger than the default step is ever proposed.
    let step = Limits::default().step_factor_max;
    let found = view.expendable(ResourceKind::AutoScalingGroup).filter_map(|item| {
        let Live::AutoScalingGroup(fleet) = &item.resource.live else { return None };
        let cpu = *whole(view, item, Quantity::CpuPct).known()?;
        let memory = whole(view, item, Quantity::MemoryPct);
        let memory_max = memory.known().map(|memory| memory.max);
        if !is_settled(fleet)
            || cpu.max >= policy.cpu_pct_max
            || memory_max.is_some_and(|max| max >= policy.memory_pct_max)
        {
            return None;
        }
        let now = fleet.desired;
        let wanted = needed(now, cpu.max, policy.cpu_pct_after_max)
            .max(memory_max.map_or(0, |max| needed(now, max, policy.memory_pct_after_max)))
            .max(floor(fleet, step));
        if wanted >= now {
            return None;
        }
        let name = item.resource.name.clone();
        let grown = f64::from(now) / f64::from(wanted);
        let mut evidence = vec![
            Evidence::against("cpu_pct_max", cpu.max, policy.cpu_pct_max, "the busiest hour of the hottest member"),
            Evidence::against("cpu_pct_after", cpu.max * grown, policy.cpu_pct_after_max, "predicted for that hour"),
        ];
        let (remedy, saving, confidence) = match &memory {
            Observed::Known(memory) => {
                evidence.push(Evidence::against(
                    "memory_pct_max",
                    memory.max,
                    policy.memory_pct_max,
                    "the fullest hour of the fullest member",
                ));
                evidence.push(Evidence::against(
                    "memory_pct_after",
                    memory.max * grown,
                    policy.memory_pct_after_max,
                    "predicted for that hour, at most",
                ));
                let action = Action::SetFleetCapacity { group: name.clone(), desired: wanted };
                (Remedy::Change { action }, members_month(view, fleet).map(|each| of(each, now - wanted)), 0.9)
            }
            Observed::Missing(why) => {
                let what = format!(
                    "Its memory is not known ({why}). If nothing publishes it, let the CloudWatch agent publish \
                     mem_used_percent with the dimension AutoScalingGroupName (aggregation_dimensions); by its CPU \
                     alone {wanted} of {now} members would do."
                );
                (Remedy::Advice { what }, Observed::Missing(why.clone()), 0.4)
            }
        };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!("{name} never used more than {:.0} % CPU: {wanted} of {now} members would do", cpu.max),
            evidence,
            saving,
            risk: Risk::Low,
            effort: if memory.is_missing() { Effort::Hours } else { Effort::None },
            confidence,
            remedy,
            way_back: format!("the capacity is set back to {now}"),
            name,
        })
    });
    found.collect()
}

/// Nothing is under way, everything that is wanted serves, and no schedule sets its size again.
fn is_settled(fleet: &Fleet) -> bool {
    let members = u32::try_from(fleet.instances.len()).unwrap_or(u32::MAX);
    let follows_the_clock = fleet.scheduled.known().is_some_and(|scheduled| !scheduled.is_empty());
    !follows_the_clock && !fleet.refresh_in_progress && fleet.healthy() == fleet.desired && members == fleet.desired
}

/// Never under what its owner allows or protects, two for the failure of one, and one step at a time.
fn floor(fleet: &Fleet, step: f64) -> u32 {
    let protected = fleet.instances.iter().filter(|instance| instance.protected).count();
    let protected = u32::try_from(protected).unwrap_or(u32::MAX);
    fleet.min.max(2).max(protected).max(ceil(f64::from(fleet.desired) / step.max(1.0)))
}

/// Members that carry this level of `now` members at a level of `bound`, in per cent.
fn needed(now: u32, level: f64, bound: f64) -> u32 {
    ceil(f64::from(now) * level / bound)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and NaN becomes 0")]
fn ceil(value: f64) -> u32 {
    // A hair over a whole number is that number: 4 · 45 / 60 must not become 4 by rounding errors.
    (value - 1e-9).ceil() as u32
}

/// So many members: the cheapest, the mean, the dearest of them.
fn of(each: (UsdMicros, UsdMicros, UsdMicros), members: u32) -> Saving {
    let (low, likely, high) = each;
    let times = |amount: UsdMicros| amount.times(f64::from(members));
    Saving { low: times(low), likely: times(likely), high: times(high) }
}
