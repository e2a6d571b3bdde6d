//! Databases to which nobody connects.
//!
//! RDS publishes connections every minute while an instance runs, without its own, so a history of zeros is proof. An
//! instance of a cluster is idle only with all others of it: a reader that waits for the writer to fail is none. Advice
//! only: what it holds, its owner knows.

use super::View;
use super::whole::whole;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{DatabaseClass, Sold};
use crate::cost::terms::{DatabaseTerms, Terms};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::{Missing, Observed};
use crate::resource::{Database, Live, ResourceKind};
use std::collections::HashMap;

/// Stable name.
pub(super) const NAME: &str = "idle_database";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let idle: HashMap<&str, bool> = view
        .expendable(ResourceKind::Database)
        .map(|item| (item.resource.name.as_str(), connections_max(view, item) == Some(0.0)))
        .collect();
    view.expendable(ResourceKind::Database).filter_map(|item| one(view, item, &idle)).collect()
}

/// The most connections of any hour, where every hour of the week is known.
fn connections_max(view: &View<'_>, item: &Item) -> Option<f64> {
    whole(view, item, Quantity::Connections).known().map(|history| history.max)
}

fn one(view: &View<'_>, item: &Item, idle: &HashMap<&str, bool>) -> Option<Opportunity> {
    let (Live::Database(database), Some(Terms::Database(terms))) = (&item.resource.live, &item.terms) else {
        return None;
    };
    if !terms.is_available || terms.is_replica || terms.has_replicas {
        return None;
    }
    let is_idle = |name: &str| idle.get(name).copied().unwrap_or(false);
    if !is_idle(&item.resource.name) || !terms.peers.iter().all(|peer| is_idle(peer)) {
        return None;
    }
    let days = whole(view, item, Quantity::Connections).known()?.known_h / 24;
    let name = item.resource.name.clone();
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "nobody has connected to {name} ({}, {}) in the last {days} days",
            database.engine, database.instance_class
        ),
        evidence: vec![
            Evidence::against("connections_max", 0.0, 0.0, "the largest hour"),
            Evidence::level("history_days", f64::from(days), "days of connections that are known"),
        ],
        saving: saving(view, database, terms),
        risk: Risk::High,
        effort: Effort::Minutes,
        confidence: 0.9,
        remedy: Remedy::Advice { what: advice(&name, terms) },
        way_back: "a restore of the final snapshot under the same name has the same endpoint".to_owned(),
        name,
    })
}

/// Its hours and its storage; a final snapshot costs at most the whole size of the storage. What an Aurora cluster has
/// filled is not known here, so its hours are all that is claimed. Instances of a Multi-AZ cluster have prices of their own,
/// which are not known here.
fn saving(view: &View<'_>, database: &Database, terms: &DatabaseTerms) -> Observed<Saving> {
    if terms.cluster.is_some() && !terms.is_aurora() {
        return Observed::Missing(Missing::NotPublished("a price of instances in a Multi-AZ cluster".to_owned()));
    }
    let hours = view.prices.month(&Sold::DatabaseHour(DatabaseClass::of(database, terms)), 1.0);
    let Some(gib) = terms.storage_gib.map(f64::from) else { return hours.map(Saving::exactly) };
    let (storage_type, is_multi_az) = (terms.storage_type.clone(), terms.is_multi_az);
    let storage = view.prices.month(&Sold::DatabaseGib { storage_type, is_multi_az }, gib);
    let snapshot = view.prices.month(&Sold::DatabaseSnapshotGib, gib);
    match (hours, storage, snapshot) {
        (Observed::Known(hours), Observed::Known(storage), Observed::Known(snapshot)) => {
            let high = hours + storage;
            let low = (high - snapshot).max(UsdMicros::default());
            Observed::Known(Saving { low, likely: (low + high).times(0.5), high })
        }
        (Observed::Missing(why), ..) | (_, Observed::Missing(why), _) | (.., Observed::Missing(why)) => {
            Observed::Missing(why)
        }
    }
}

fn advice(name: &str, terms: &DatabaseTerms) -> String {
    let protection = match terms.has_deletion_protection {
        true => {
            "Its deletion is forbidden: ask who wanted that, and only then allow it (aws rds modify-db-instance or \
             modify-db-cluster --no-deletion-protection).\n"
        }
        false => "",
    };
    let (stop, delete) = match &terms.cluster {
        Some(cluster) => (
            format!("aws rds stop-db-cluster --db-cluster-identifier {cluster}"),
            format!(
                "aws rds delete-db-instance --db-instance-identifier {name}\nand, when it was the last one:\naws rds \
                 delete-db-cluster --db-cluster-identifier {cluster} --final-db-snapshot-identifier {cluster}-final"
            ),
        ),
        None => (
            format!("aws rds stop-db-instance --db-instance-identifier {name}"),
            format!(
                "aws rds delete-db-instance --db-instance-identifier {name} --final-db-snapshot-identifier {name}-final"
            ),
        ),
    };
    format!(
        "Stop it first, and see who misses it:\n{stop}\nAWS starts it again after 7 days, and its storage is paid for \
         meanwhile, so a stop is no end.\n{protection}Then delete it with a final snapshot:\n{delete}"
    )
}
