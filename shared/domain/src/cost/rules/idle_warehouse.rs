//! Warehouses of Redshift that nobody asks.
//!
//! Redshift publishes connections each minute while a cluster runs, without its own, so a history of zeros is proof that
//! nobody stayed connected; that no short query came between two minutes (the Data API connects for each), its count of
//! completed queries says. A warehouse whose data others read through a share needs no connection for that, and makes
//! no claim. Advice only: a pause costs nothing but time, and what it holds, its owner knows.

use super::View;
use super::whole::whole;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind};
use crate::text::shell_word;

/// Stable name.
pub(super) const NAME: &str = "idle_warehouse";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::Warehouse).filter_map(|item| {
        let Live::Warehouse(warehouse) = &item.resource.live else { return None };
        if !warehouse.is_available || warehouse.is_multi_az || warehouse.is_shared {
            return None;
        }
        // Where no query completed, nothing is published; what was not read may have been anything.
        let (connections, queries) = (whole(view, item, Quantity::Connections), view.usage(item, Quantity::Queries));
        let (Observed::Known(connections), Observed::Known(queries)) = (connections, queries) else { return None };
        if connections.max > 0.0 || queries.max > 0.0 {
            return None;
        }
        let days = connections.known_h / 24;
        let name = item.resource.name.clone();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "nobody has connected to {name} or asked it anything in the last {days} days; {} of {} run for it",
                warehouse.nodes, warehouse.node_type
            ),
            evidence: vec![
                Evidence::against("connections_max", 0.0, 0.0, "the largest hour"),
                Evidence::against("queries_max", 0.0, 0.0, "the largest hour"),
                Evidence::level("history_days", f64::from(days), "days of connections that are known"),
            ],
            saving: view
                .prices
                .month(&Sold::WarehouseHour(warehouse.node_type.clone()), f64::from(warehouse.nodes))
                .map(Saving::exactly),
            risk: Risk::High,
            effort: Effort::Minutes,
            confidence: 0.9,
            remedy: Remedy::Advice { what: advice(&name) },
            way_back:
                "a paused one is resumed within minutes, with all its data; of a deleted one a restore of the final \
                       snapshot under the same name has the same endpoint"
                    .to_owned(),
            name,
        })
    });
    found.collect()
}

fn advice(name: &str) -> String {
    let last = shell_word(&format!("{name}-final"));
    let name = shell_word(name);
    format!(
        "Pause it first, and see who misses it: nothing is lost, and its nodes are not paid for meanwhile, its storage is.\n\
         aws redshift pause-cluster --cluster-identifier {name}\nThis brings it back:\n\
         aws redshift resume-cluster --cluster-identifier {name}\n\
         When a month has passed and nobody has missed it, resume it and delete it with a final snapshot, which a paused one can't \
         make:\naws redshift delete-cluster --cluster-identifier {name} --final-cluster-snapshot-identifier {last}"
    )
}
