//! Instances of their own that are too large: the next smaller size of the family would carry the peak with room to
//! spare.
//!
//! Advice only: another size takes a stop and a start, at a time that its owner chooses. A smaller size has a share of
//! the larger one's processors, memory and network, so the levels grow by the inverse of that share: 20 % CPU and 30 %
//! memory on an `xlarge` are 40 % and 60 % on a `large`. A burstable size must carry the peak with its baseline, so
//! that it never lives on credits.

use super::whole::whole;
use super::{View, sizes};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, Machine, ResourceKind};
use sizes::Smaller;

/// Stable name.
pub(super) const NAME: &str = "oversized_machine";

/// Bytes in an hour that a `large` carries easily: a tenth of the 0.4 Gbit/s that the slowest families have at that
/// size, since an hour's sum says little about its peak. Sizes scale it like the rest.
const NETWORK_BYTES_H_OF_LARGE: f64 = 18e9;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let policy = view.policy;
    let found = view.expendable(ResourceKind::Machine).filter_map(|item| {
        let Live::Machine(machine) = &item.resource.live else { return None };
        // After a start, possibly in another size, the history before it is no longer its own.
        let has_settled =
            machine.since.is_none_or(|at| view.estate.days_since(at) >= i64::from(policy.history_days_min));
        if !machine.is_running || !has_settled {
            return None;
        }
        let smaller = sizes::smaller(&machine.instance_type)?;
        let cpu = *whole(view, item, Quantity::CpuPct).known()?;
        let cpu_after = cpu.max / smaller.share;
        if cpu.max >= policy.cpu_pct_max || cpu_after > policy.cpu_pct_after_max.min(smaller.baseline_pct) {
            return None;
        }
        if needs_its_network(view, item, &smaller) {
            return None;
        }
        let memory = whole(view, item, Quantity::MemoryPct);
        let mut evidence = vec![
            Evidence::against("cpu_pct_max", cpu.max, policy.cpu_pct_max, "its busiest hour"),
            Evidence::against("cpu_pct_after", cpu_after, policy.cpu_pct_after_max, "predicted for that hour"),
        ];
        if let Observed::Known(memory) = &memory {
            let after = memory.max / smaller.share;
            if memory.max >= policy.memory_pct_max || after > policy.memory_pct_after_max {
                return None;
            }
            evidence.push(Evidence::against("memory_pct_max", memory.max, policy.memory_pct_max, "its fullest hour"));
            let note = "predicted for that hour";
            evidence.push(Evidence::against("memory_pct_after", after, policy.memory_pct_after_max, note));
        }
        let name = item.resource.name.clone();
        let (saving, doubt, confidence) = match &memory {
            Observed::Known(_) => (saving(view, machine, &smaller), String::new(), 0.85),
            Observed::Missing(why) => {
                let doubt = format!(
                    "Look at its memory first, which is not known ({why}): more than {:.0} % forbid this.\n",
                    policy.memory_pct_max.min(policy.memory_pct_after_max * smaller.share)
                );
                (Observed::Missing(why.clone()), doubt, 0.4)
            }
        };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "{name} never used more than {:.0} % CPU of a {}: a {} would do",
                cpu.max, machine.instance_type, smaller.instance_type
            ),
            evidence,
            saving,
            risk: Risk::Medium,
            effort: Effort::Minutes,
            confidence,
            remedy: Remedy::Advice { what: format!("{doubt}{}", commands(&name, machine, &smaller)) },
            way_back: format!("the same commands with {}", machine.instance_type),
            name,
        })
    });
    found.collect()
}

/// It moves more than a smaller size carries easily, or nobody knows: every instance publishes this, so what is missing could not be read.
fn needs_its_network(view: &View<'_>, item: &Item, smaller: &Smaller) -> bool {
    let Observed::Known(history) = view.usage(item, Quantity::NetworkBytes) else { return true };
    history.max > NETWORK_BYTES_H_OF_LARGE * sizes::of_large(&smaller.instance_type)
}

/// The price of the smaller size, where it is known; else its share of the price of today, which is how AWS prices a
/// family.
fn saving(view: &View<'_>, machine: &Machine, smaller: &Smaller) -> Observed<Saving> {
    let month = |of: &str| view.prices.month(&Sold::InstanceHour(of.to_owned()), 1.0);
    month(&machine.instance_type).map(|now| {
        let after = month(&smaller.instance_type).known().copied().unwrap_or(now.times(smaller.share));
        Saving::exactly((now - after).max(UsdMicros::default()))
    })
}

fn commands(name: &str, machine: &Machine, smaller: &Smaller) -> String {
    let mut lines = vec![
        "At a time when it may be away for some minutes:".to_owned(),
        format!("aws ec2 stop-instances --instance-ids {name}"),
        format!("aws ec2 wait instance-stopped --instance-ids {name}"),
        format!(
            "aws ec2 modify-instance-attribute --instance-id {name} --instance-type Value={}",
            smaller.instance_type
        ),
        format!("aws ec2 start-instances --instance-ids {name}"),
        "What lies on instance store is lost with a stop, and so is a public address that is no Elastic IP.".to_owned(),
    ];
    if let Some((same, graviton)) = sizes::newer(&machine.instance_type) {
        lines.push(format!(
            "Its type is of a previous generation: the same size of {same} has more for about the same money or \
             less; software that is built for arm64 runs cheaper still on {graviton}."
        ));
    } else if machine.architecture == "x86_64" {
        lines.push("Software that is built for arm64 runs cheaper on Graviton (families with a g).".to_owned());
    }
    lines.join("\n")
}
