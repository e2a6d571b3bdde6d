//! Caches that nobody asks anything.
//!
//! ElastiCache itself keeps up to four connections to a node of Redis or Valkey (User Guide, "Metrics for Valkey and
//! Redis OSS", `CurrConnections`), so somebody is connected where there are more. Memcached has inner connections of its
//! own; there commands alone count. Advice only.

use super::View;
use super::caches::{Group, groups};
use super::whole::whole;
use crate::cost::estate::Item;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;

/// Stable name.
pub(super) const NAME: &str = "idle_cache";

/// Connections to a node that the service itself keeps, at most.
const SERVICE_CONNECTIONS: f64 = 4.0;
const MEMCACHED: &str = "memcached";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    groups(view).iter().filter_map(|group| one(view, group)).collect()
}

fn one(view: &View<'_>, group: &Group<'_>) -> Option<Opportunity> {
    let is_memcached = group.cache.engine == MEMCACHED;
    let days = group.clusters.iter().map(|item| idle_days(view, item, is_memcached)).collect::<Option<Vec<u32>>>()?;
    let days = days.into_iter().min()?;
    let (name, nodes) = (group.name().to_owned(), group.nodes());
    let sold = Sold::CacheHour { node_type: group.terms.node_type.clone(), engine: group.cache.engine.clone() };
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: group.first.resource.id.clone(),
        summary: format!(
            "nobody has asked {name} anything in the last {days} days; {nodes} of {} run for it",
            group.terms.node_type
        ),
        evidence: vec![
            Evidence::against("commands_max", 0.0, 0.0, "the largest hour of all its nodes"),
            Evidence::level("history_days", f64::from(days), "days that are known"),
        ],
        saving: view.prices.month(&sold, f64::from(nodes)).map(Saving::exactly),
        risk: Risk::High,
        effort: Effort::Minutes,
        confidence: 0.9,
        remedy: Remedy::Advice { what: advice(group, is_memcached) },
        way_back: match is_memcached {
            true => "a new cluster with the same name has the same endpoint, and is empty".to_owned(),
            false => "a new group of the final snapshot; with the same name it has the same endpoint".to_owned(),
        },
        name,
    })
}

/// Days for which a cluster is known to be idle.
fn idle_days(view: &View<'_>, item: &Item, is_memcached: bool) -> Option<u32> {
    let Observed::Known(commands) = view.usage(item, Quantity::Commands) else { return None };
    // What is always published proves that there was somebody to publish it.
    let proof = whole(view, item, if is_memcached { Quantity::Commands } else { Quantity::Connections });
    let proof = proof.known()?;
    let is_connected = !is_memcached && proof.max > SERVICE_CONNECTIONS;
    (commands.max <= 0.0 && !is_connected).then_some(proof.known_h / 24)
}

fn advice(group: &Group<'_>, is_memcached: bool) -> String {
    let name = group.name();
    match (&group.terms.group, is_memcached) {
        (_, true) => format!("What it holds is lost:\naws elasticache delete-cache-cluster --cache-cluster-id {name}"),
        (Some(group), _) => format!(
            "It may hold data that is kept nowhere else, so keep a snapshot:\naws elasticache delete-replication-group \
             --replication-group-id {group} --final-snapshot-identifier {group}-final"
        ),
        (None, _) => format!(
            "It may hold data that is kept nowhere else, so keep a snapshot:\naws elasticache delete-cache-cluster \
             --cache-cluster-id {name} --final-snapshot-identifier {name}-final"
        ),
    }
}
