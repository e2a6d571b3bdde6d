//! Caches of Redis and Valkey whose next smaller type of nodes would do.
//!
//! All nodes of a group have one type, so the largest hour of any of them counts. Memory is that of the engine's limit,
//! which follows the size; the engine has one main thread, which a smaller size has, too, so the processors are those of
//! the whole host. Memcached says nothing of its memory's share, and makes no claim.

use super::caches::{Group, groups};
use super::whole::whole;
use super::{View, patch, sizes};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use sizes::Smaller;

/// Stable name.
pub(super) const NAME: &str = "oversized_cache";

/// Steps of families that have other sizes as caches than as instances.
const ODD: [(&str, &str, f64); 2] = [("24xlarge", "12xlarge", 0.5), ("12xlarge", "4xlarge", 4.0 / 12.0)];

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    groups(view).iter().filter_map(|group| one(view, group)).collect()
}

fn one(view: &View<'_>, group: &Group<'_>) -> Option<Opportunity> {
    let policy = view.policy;
    let smaller = smaller(&group.terms.node_type)?;
    let (cpu, memory) = (largest(view, group, Quantity::CpuPct)?, largest(view, group, Quantity::MemoryPct)?);
    let (cpu_after, memory_after) = (cpu / smaller.share, memory / smaller.share);
    let has_room = cpu < policy.cpu_pct_max
        && cpu_after <= policy.cpu_pct_after_max.min(smaller.baseline_pct)
        && memory < policy.memory_pct_max
        && memory_after <= policy.memory_pct_after_max;
    if !has_room {
        return None;
    }
    let name = group.name().to_owned();
    let now = &group.terms.node_type;
    let note = "predicted for that hour";
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: group.first.resource.id.clone(),
        summary: format!(
            "{name} never used more than {cpu:.0} % CPU and {memory:.0} % memory of a {now}: {} would do",
            smaller.instance_type
        ),
        evidence: vec![
            Evidence::against("cpu_pct_max", cpu, policy.cpu_pct_max, "the busiest hour of any node"),
            Evidence::against("cpu_pct_after", cpu_after, policy.cpu_pct_after_max, note),
            Evidence::against("memory_pct_max", memory, policy.memory_pct_max, "the fullest hour of any node"),
            Evidence::against("memory_pct_after", memory_after, policy.memory_pct_after_max, note),
        ],
        saving: saving(view, group, &smaller),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.8,
        remedy: remedy(group, &smaller.instance_type),
        way_back: format!("the same with {now}"),
        name,
    })
}

/// The largest hour of any node, where the history of each is whole.
fn largest(view: &View<'_>, group: &Group<'_>, quantity: Quantity) -> Option<f64> {
    let of = |item| whole(view, item, quantity).known().map(|history| history.max);
    let each: Option<Vec<f64>> = group.clusters.iter().copied().map(of).collect();
    each?.into_iter().max_by(f64::total_cmp)
}

/// The next smaller type that ElastiCache has: families begin at `large`, the burstable ones go from `micro` to `medium`,
/// and M5 and R5 skip sizes. (User Guide, "Supported node types".) What lies partly on disk has no share of its memory.
fn smaller(node_type: &str) -> Option<Smaller> {
    let kind = node_type.strip_prefix("cache.")?;
    let (family, size) = kind.split_once('.')?;
    let odd = ODD.iter().find(|(from, ..)| matches!(family, "m5" | "r5") && *from == size);
    let smaller = match odd {
        Some((_, to, share)) => Smaller { instance_type: format!("{family}.{to}"), share: *share, baseline_pct: 100.0 },
        None => sizes::smaller(kind)?,
    };
    let (_, to) = smaller.instance_type.split_once('.')?;
    let exists = match family.chars().next()? {
        't' => to != "nano",
        'm' | 'r' => to != "medium" && !family.ends_with('d'),
        _ => false,
    };
    let instance_type = format!("cache.{}", smaller.instance_type);
    exists.then_some(Smaller { instance_type, ..smaller })
}

/// As for databases: the price of the smaller type, or its share of the price of today.
fn saving(view: &View<'_>, group: &Group<'_>, smaller: &Smaller) -> Observed<Saving> {
    let month = |node_type: &str| {
        let (node_type, engine) = (node_type.to_owned(), group.cache.engine.clone());
        view.prices.month(&Sold::CacheHour { node_type, engine }, f64::from(group.nodes()))
    };
    month(&group.terms.node_type).map(|now| {
        let after = month(&smaller.instance_type).known().copied().unwrap_or(now.times(smaller.share));
        Saving::exactly((now - after).max(UsdMicros::default()))
    })
}

fn remedy(group: &Group<'_>, node_type: &str) -> Remedy {
    if let Some(template) = &group.first.managed_by {
        return Remedy::Patch { text: patch::set_class(template, group.first, node_type) };
    }
    let name = group.name();
    let command = match group.terms.group {
        Some(_) => format!("modify-replication-group --replication-group-id {name}"),
        None => format!("modify-cache-cluster --cache-cluster-id {name}"),
    };
    Remedy::Advice {
        what: format!(
            "Look at its network first: a smaller type carries less. With replicas it is away for seconds, without for \
             minutes, and starts from its data:\naws elasticache {command} --cache-node-type {node_type} \
             --apply-immediately"
        ),
    }
}
