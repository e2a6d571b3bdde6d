//! Databases that are too large: the next smaller class of the same family would carry the peak with room to spare.
//!
//! Processors and memory of a class follow its size (see [`sizes`]), so the levels grow by the inverse of the smaller
//! one's share. Memory is what was used at the fullest moment, caches of the engine among it, so an engine that fills
//! its buffer pool makes no claim. Another class takes a restart, or a failover where a standby is: a person does it, or
//! the template.

use super::whole::whole;
use super::{View, patch, sizes};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{DatabaseClass, Sold};
use crate::cost::terms::{DatabaseTerms, Terms};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Database, Live, ResourceKind, connections_max};
use sizes::Smaller;

/// Stable name.
pub(super) const NAME: &str = "oversized_database";

/// Share of the connections that the smaller class accepts, in per cent, that the peak may take.
const CONNECTIONS_PCT_AFTER_MAX: f64 = 60.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::Database).filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let (Live::Database(database), Some(Terms::Database(terms))) = (&item.resource.live, &item.terms) else {
        return None;
    };
    // A replica, or another instance of its cluster, must be able to take over: their sizes belong together.
    if !terms.is_available || terms.is_replica || terms.has_replicas || !terms.peers.is_empty() {
        return None;
    }
    let smaller = smaller(database)?;
    let peak = Peak::of(view, item, database, &smaller)?;
    if !peak.has_room(view, &smaller) {
        return None;
    }
    let name = item.resource.name.clone();
    let class = &database.instance_class;
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} never used more than {:.0} % CPU and {:.0} % memory of a {class}: a {} would do",
            peak.cpu, peak.memory, smaller.instance_type
        ),
        evidence: peak.evidence(view, &smaller),
        saving: saving(view, database, terms, &smaller),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.8,
        remedy: remedy(item, &name, &smaller.instance_type),
        way_back: format!("the same with {class}"),
        name,
    })
}

/// The next smaller class that RDS has. Its families begin at `large`, the burstable ones at `micro`; Aurora's burstable
/// ones at `medium`. (RDS User Guide, "Supported DB engines for DB instance classes".)
fn smaller(database: &Database) -> Option<Smaller> {
    let class = database.instance_class.strip_prefix("db.")?;
    let smaller = sizes::smaller(class)?;
    let (family, size) = smaller.instance_type.split_once('.')?;
    let exists = match (family.starts_with('t'), size) {
        (true, "micro" | "small") => !database.engine.starts_with("aurora"),
        (true, size) => size != "nano",
        (false, size) => size != "medium" && (family.starts_with('m') || family.starts_with('r')),
    };
    let instance_type = format!("db.{}", smaller.instance_type);
    exists.then_some(Smaller { instance_type, ..smaller })
}

/// The busiest hour, in per cent of what there is now, and connections.
struct Peak {
    cpu: f64,
    memory: f64,
    connections: f64,
    /// Connections that the smaller class accepts.
    accepted: f64,
}

impl Peak {
    /// Known only where every one of the three histories is whole, and the class and the engine are known.
    fn of(view: &View<'_>, item: &Item, database: &Database, smaller: &Smaller) -> Option<Self> {
        let whole = |quantity| whole(view, item, quantity).known().copied();
        let memory_bytes = database.memory_bytes.filter(|bytes| *bytes > 0.0)?;
        let used = memory_bytes - whole(Quantity::FreeableBytes)?.min;
        Some(Self {
            cpu: whole(Quantity::CpuPct)?.max,
            memory: used.max(0.0) / memory_bytes * 100.0,
            connections: whole(Quantity::Connections)?.max,
            accepted: connections_max(&database.engine, memory_bytes * smaller.share)?,
        })
    }

    fn has_room(&self, view: &View<'_>, smaller: &Smaller) -> bool {
        let policy = view.policy;
        self.cpu < policy.cpu_pct_max
            && self.cpu / smaller.share <= policy.cpu_pct_after_max.min(smaller.baseline_pct)
            && self.memory < policy.memory_pct_max
            && self.memory / smaller.share <= policy.memory_pct_after_max
            && self.connections * 100.0 <= self.accepted * CONNECTIONS_PCT_AFTER_MAX
    }

    fn evidence(&self, view: &View<'_>, smaller: &Smaller) -> Vec<Evidence> {
        let (policy, note) = (view.policy, "predicted for that hour");
        let accepted = self.accepted * CONNECTIONS_PCT_AFTER_MAX / 100.0;
        vec![
            Evidence::against("cpu_pct_max", self.cpu, policy.cpu_pct_max, "its busiest hour"),
            Evidence::against("cpu_pct_after", self.cpu / smaller.share, policy.cpu_pct_after_max, note),
            Evidence::against("memory_pct_max", self.memory, policy.memory_pct_max, "its fullest moment"),
            Evidence::against("memory_pct_after", self.memory / smaller.share, policy.memory_pct_after_max, note),
            Evidence::against("connections_max", self.connections, accepted, "with room to spare on the smaller class"),
        ]
    }
}

/// The price of the smaller class, where it is known; else its share of the price of today, which is how AWS prices a
/// family. Storage costs what it did.
fn saving(view: &View<'_>, database: &Database, terms: &DatabaseTerms, smaller: &Smaller) -> Observed<Saving> {
    let sold = DatabaseClass::of(database, terms);
    let month = |class: DatabaseClass| view.prices.month(&Sold::DatabaseHour(class), 1.0);
    let after = month(DatabaseClass { class: smaller.instance_type.clone(), ..sold.clone() });
    month(sold).map(|now| {
        let after = after.known().copied().unwrap_or(now.times(smaller.share));
        Saving::exactly((now - after).max(UsdMicros::default()))
    })
}

fn remedy(item: &Item, name: &str, class: &str) -> Remedy {
    if let Some(template) = &item.managed_by {
        return Remedy::Patch { text: patch::set_class(template, item, class) };
    }
    Remedy::Advice {
        what: format!(
            "Look at its IOPS and throughput first: a smaller class has lower limits of both. Where a parameter group \
             says max_connections or the size of a cache by hand, that must fit, too. Then, in the next maintenance \
             window, with some minutes of absence (seconds where it has a standby):\naws rds modify-db-instance \
             --db-instance-identifier {name} --db-instance-class {class}"
        ),
    }
}
