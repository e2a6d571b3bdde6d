//! ECS services on Fargate whose tasks would do in a smaller size.
//!
//! Fargate sells pairs of CPU and memory. Each of the two shrinks only where its own peak is low, to half at most, and the
//! pair that is advised carries both peaks: the levels grow by the inverse of the smaller size's share. ECS publishes both
//! for every service, of the hottest task. What a peak was in another size says nothing of this one, so a service that was
//! deployed a short while ago makes no claim. Advice only: a size is part of a task definition, which its owner writes.

use super::View;
use super::whole::whole;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::terms::{TaskTerms, Terms};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind, Service};

/// Stable name.
pub(super) const NAME: &str = "oversized_task";

/// CPU units, and memory in MiB that they may have: from, to, in steps of. (Amazon ECS Developer Guide, "Amazon ECS task
/// definitions for Fargate", task CPU and memory, Linux.) A size that is not here makes no claim.
const SIZES: [(u32, u32, u32, u32); 7] = [
    (256, 512, 2_048, 512),
    (512, 1_024, 4_096, 1_024),
    (1_024, 2_048, 8_192, 1_024),
    (2_048, 4_096, 16_384, 1_024),
    (4_096, 8_192, 30_720, 1_024),
    (8_192, 16_384, 61_440, 4_096),
    (16_384, 32_768, 122_880, 8_192),
];
/// A quarter of a processor goes with 512, 1,024 and 2,048 MiB alone.
const NONE: (u32, u32) = (256, 1_536);
/// At most so much smaller at once.
const FACTOR_MAX: f64 = 2.0;
const UNITS_PER_VCPU: f64 = 1_024.0;
const MIB_PER_GB: f64 = 1_024.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::EcsService).filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let (Live::EcsService(service), Some(Terms::Task(terms))) = (&item.resource.live, &item.terms) else { return None };
    if !terms.is_linux || !terms.is_on_demand || !is_settled(view, service) {
        return None;
    }
    let policy = view.policy;
    let cpu = whole(view, item, Quantity::CpuPct).known()?.max;
    let memory = whole(view, item, Quantity::MemoryPct).known()?.max;
    let now = Size { units: terms.cpu_units, mib: terms.memory_mib };
    let least = (
        least(now.units, cpu, policy.cpu_pct_max, policy.cpu_pct_after_max),
        least(now.mib, memory, policy.memory_pct_max, policy.memory_pct_after_max),
    );
    let then = Size::fitting(least).filter(|then| now.is_sold() && then.units <= now.units && then.mib <= now.mib)?;
    let (cpu_after, memory_after) = (cpu * ratio(now.units, then.units), memory * ratio(now.mib, then.mib));
    let has_room = (then.units == now.units || cpu_after <= policy.cpu_pct_after_max)
        && (then.mib == now.mib || memory_after <= policy.memory_pct_after_max);
    if then == now || !has_room {
        return None;
    }
    let name = item.resource.name.clone();
    let note = "predicted for that hour";
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} never used more than {cpu:.0} % CPU and {memory:.0} % memory of tasks with {now}: {then} would do"
        ),
        evidence: vec![
            Evidence::against("cpu_pct_max", cpu, policy.cpu_pct_max, "the busiest hour of the hottest task"),
            Evidence::against("cpu_pct_after", cpu_after, policy.cpu_pct_after_max, note),
            Evidence::against("memory_pct_max", memory, policy.memory_pct_max, "the fullest hour of the fullest task"),
            Evidence::against("memory_pct_after", memory_after, policy.memory_pct_after_max, note),
        ],
        saving: saving(view, service, terms, then),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.8,
        remedy: Remedy::Advice { what: advice(&name, service, terms, then) },
        way_back: format!(
            "aws ecs update-service --cluster {} --service {name} --task-definition {}",
            service.cluster, terms.definition
        ),
        name,
    })
}

/// CPU and memory of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    units: u32,
    mib: u32,
}

impl Size {
    /// Fargate sells this pair.
    fn is_sold(self) -> bool {
        Self::fitting((self.units, self.mib)) == Some(self)
    }

    /// The smallest CPU that goes with enough memory, with the smallest such memory: less CPU never needs more memory.
    fn fitting((units, mib): (u32, u32)) -> Option<Self> {
        let (of, from, _, step) = *SIZES.iter().find(|(of, _, most, _)| *of >= units && *most >= mib)?;
        let found = from + mib.saturating_sub(from).div_ceil(step) * step;
        let found = if (of, found) == NONE { found + step } else { found };
        Some(Self { units: of, mib: found })
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} vCPU and {} GB", f64::from(self.units) / UNITS_PER_VCPU, f64::from(self.mib) / MIB_PER_GB)
    }
}

/// Nothing is under way, everything that is wanted runs, and has in this size for long enough.
fn is_settled(view: &View<'_>, service: &Service) -> bool {
    let days = service.last_deployment_at.map(|at| view.estate.days_since(at));
    !service.deployment_in_progress
        && service.desired > 0
        && service.running == service.desired
        && service.bounds_missing.is_none()
        && days.is_some_and(|days| days >= i64::from(view.policy.history_days_min))
}

/// What is needed of an amount at this level, in per cent: all of it where the level is not low, else what brings the
/// level to the bound, and no less than a part of it at once.
fn least(now: u32, level: f64, low: f64, bound: f64) -> u32 {
    if level >= low {
        return now;
    }
    let least = (f64::from(now) * level / bound).max(f64::from(now) / FACTOR_MAX);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and NaN becomes 0")]
    let least = (least - 1e-9).ceil() as u32;
    least
}

fn ratio(now: u32, then: u32) -> f64 {
    f64::from(now) / f64::from(then)
}

/// The difference of the prices of a task, by tasks: those that run, or, where their count follows the load, from none
/// (more smaller ones may come instead) over the smallest count that its owner allows to those that run.
fn saving(view: &View<'_>, service: &Service, terms: &TaskTerms, then: Size) -> Observed<Saving> {
    let is_arm = terms.is_arm;
    let vcpus = f64::from(terms.cpu_units - then.units) / UNITS_PER_VCPU;
    let gb = f64::from(terms.memory_mib - then.mib) / MIB_PER_GB;
    let cpu = view.prices.month(&Sold::TaskVcpuHour { is_arm }, vcpus);
    let memory = view.prices.month(&Sold::TaskGbHour { is_arm }, gb);
    let each = match (cpu, memory) {
        (Observed::Known(cpu), Observed::Known(memory)) => cpu + memory,
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => return Observed::Missing(why),
    };
    let of = |tasks: u32| each.times(f64::from(tasks));
    Observed::Known(match service.bounds {
        Some((min, max)) if min < max => {
            Saving { low: UsdMicros::default(), likely: of(min.min(service.desired)), high: of(service.desired) }
        }
        _ => Saving::exactly(of(service.desired)),
    })
}

fn advice(name: &str, service: &Service, terms: &TaskTerms, then: Size) -> String {
    let TaskTerms { definition, containers_units, containers_mib, .. } = terms;
    let (family, cluster) = (definition.split(':').next().unwrap_or(definition), &service.cluster);
    let Size { units, mib } = then;
    let mut lines = vec![
        format!(
            "aws ecs describe-task-definition --task-definition {definition} --query taskDefinition | jq '.cpu = \"{units}\" \
             | .memory = \"{mib}\" | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, \
             .registeredAt, .registeredBy)' > {family}.json"
        ),
        format!("aws ecs register-task-definition --cli-input-json file://{family}.json"),
        format!("aws ecs update-service --cluster {cluster} --service {name} --task-definition {family}"),
    ];
    if *containers_units > units || *containers_mib > mib {
        lines.push(format!(
            "Its containers reserve {containers_units} CPU units and {containers_mib} MiB for themselves: give them less in \
             that file, too."
        ));
    }
    lines.push(
        "Then look at its response times and at CPUUtilization and MemoryUtilization (Maximum) in AWS/ECS for a week; tasks \
         start more slowly with less CPU. Where its count follows one of these two, set that target anew."
            .to_owned(),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_the_smallest_that_fargate_sells() {
        for ((units, mib), expected) in [
            ((1, 1), Some((256, 512))),
            ((256, 1_025), Some((256, 2_048))),
            ((256, 2_049), Some((512, 3_072))),
            ((257, 1), Some((512, 1_024))),
            ((1_024, 8_193), Some((2_048, 9_216))),
            ((4_096, 30_721), Some((8_192, 32_768))),
            ((8_192, 16_385), Some((8_192, 20_480))),
            ((16_384, 122_880), Some((16_384, 122_880))),
            ((16_384, 122_881), None),
            ((16_385, 1), None),
        ] {
            let found = Size::fitting((units, mib)).map(|size| (size.units, size.mib));
            assert_eq!(found, expected, "{units} {mib}");
        }
        for (units, mib, is) in [(256, 1_024, true), (256, 1_536, false), (512, 512, false), (1_000, 2_048, false)] {
            assert_eq!(Size { units, mib }.is_sold(), is, "{units} {mib}");
        }
    }
}
