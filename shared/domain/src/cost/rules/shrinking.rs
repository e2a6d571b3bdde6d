//! What other rules would make smaller, stop or delete: no floor to promise something for a year upon.

use super::{Family, TABLE, View, previous_generation};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::on_demand::{Pool, operation_of};
use crate::cost::prices::{HOURS_PER_MONTH, Meter, Sold};
use crate::cost::terms::Terms;
use crate::ids::ResourceId;
use crate::observed::Observed;
use crate::resource::Live;
use std::collections::BTreeMap;

/// Something that other rules would make smaller, stop or delete.
pub(super) struct Shrinking<'a> {
    item: &'a Item,
    rules: Vec<&'static str>,
    meters: Vec<(Meter, f64)>,
    /// What the rules would save of it a month, at most.
    saves: Observed<UsdMicros>,
}

impl Shrinking<'_> {
    /// All of it, in reservations of a pool: how much of it would be left is not known for certain.
    pub(super) fn worth(&self, pool: &Pool) -> f64 {
        self.meters.iter().filter_map(|(meter, count)| pool.worth(meter, *count)).sum()
    }

    /// What may go of it, an hour on demand, of what a plan for computing covers: all of its instances, and of tasks and functions
    /// what the rules would save at most. Missing where a price is.
    pub(super) fn computing_hour(&self, view: &View<'_>) -> Observed<UsdMicros> {
        if matches!(self.item.resource.live, Live::EcsService(_) | Live::Function) {
            return self.saves.clone().map(|month| month.times(1.0 / HOURS_PER_MONTH));
        }
        let mut sum = UsdMicros::default();
        for (meter, count) in &self.meters {
            let Some(kind) = meter.usage_type.strip_prefix("BoxUsage:") else { continue };
            match view.prices.unit(&Sold::InstanceHour(kind.to_owned())) {
                Observed::Known(price) => sum = sum + UsdMicros(1).times(price.usd_micros * count),
                Observed::Missing(why) => return Observed::Missing(why),
            }
        }
        Observed::Known(sum)
    }
}

/// What is to be done before anything is promised for a year, a line each.
pub(super) fn before_a_promise(first: &[&Shrinking<'_>]) -> String {
    let names: Vec<String> =
        first.iter().map(|of| format!("{} ({})", of.item.resource.name, of.rules.join(", "))).collect();
    let own = if names.is_empty() {
        String::new()
    } else {
        format!("First do what is open, which is not counted here: {}.\n", names.join(", "))
    };
    format!(
        "{own}First do what is open for applications, too (oversized_*, idle_*): this looks at the whole account, and a promise outlives \
         what is made smaller.\n"
    )
}

/// All of it, in the order of ids.
pub(super) fn shrinking<'a>(view: &View<'a>) -> Vec<Shrinking<'a>> {
    let shrinks = |family| matches!(family, Family::Unused | Family::RightSizing | Family::Schedule | Family::Spot);
    let mut by_resource: BTreeMap<ResourceId, (Vec<&'static str>, Observed<UsdMicros>)> = BTreeMap::new();
    for rule in TABLE.iter().filter(|rule| shrinks(rule.family) || rule.name == previous_generation::NAME) {
        for found in (rule.find)(view) {
            let at_first = || (Vec::new(), Observed::Known(UsdMicros::default()));
            let (rules, saves) = by_resource.entry(found.resource).or_insert_with(at_first);
            rules.push(rule.name);
            *saves = match (saves.clone(), found.saving) {
                (Observed::Known(sum), Observed::Known(saving)) => Observed::Known(sum + saving.high),
                (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
            };
        }
    }
    let mut all: Vec<Shrinking<'a>> = Vec::new();
    for item in &view.estate.items {
        let Some((rules, saves)) = by_resource.remove(&item.resource.id) else { continue };
        all.push(Shrinking { item, rules, meters: meters(item), saves });
    }
    all.sort_by(|a, b| a.item.resource.id.cmp(&b.item.resource.id));
    all
}

/// What is counted of something, with how many of it.
fn meters(item: &Item) -> Vec<(Meter, f64)> {
    let meter = |usage_type: String, operation: &str| Meter { usage_type, operation: operation.to_owned() };
    let instance = |kind: &str| (meter(format!("BoxUsage:{kind}"), "RunInstances"), 1.0);
    let engine = |engine: &str, usage_type: String, count: f64| {
        operation_of(engine).map(|operation| (meter(usage_type, operation), count)).into_iter().collect()
    };
    match (&item.resource.live, &item.terms) {
        (Live::Machine(machine), _) if machine.is_running => vec![instance(&machine.instance_type)],
        (Live::AutoScalingGroup(fleet), _) => {
            fleet.instances.iter().filter_map(|member| member.instance_type.as_deref()).map(instance).collect()
        }
        (Live::Database(database), Some(Terms::Database(terms))) => {
            let usage = if terms.is_multi_az { "Multi-AZUsage" } else { "InstanceUsage" };
            engine(&database.engine, format!("{usage}:{}", database.instance_class), 1.0)
        }
        (Live::Cache(cache), Some(Terms::Cache(terms))) => {
            // A group is told of once, by one of its clusters.
            let clusters = 1 + u32::try_from(terms.peers.len()).unwrap_or(u32::MAX - 1);
            let nodes = f64::from(terms.nodes) * f64::from(clusters);
            engine(&cache.engine, format!("NodeUsage:{}", terms.node_type), nodes)
        }
        _ => Vec::new(),
    }
}
