//! The rules of the cost cycle: one file each, one line each in [`TABLE`].
//!
//! A rule looks at the estate and says what could be saved, with evidence. It claims nothing where what it needs is
//! missing, too short or too young. What holds for every rule is here: protected resources are left out, small savings
//! too, and what a template manages gets a patch for the template in place of a change.

mod abandoned_upload;
mod caches;
mod capacity_mode;
mod cold_bucket;
mod dead_alarm;
mod gp2_volumes;
mod idle_cache;
mod idle_database;
mod idle_interface_endpoint;
mod idle_load_balancer;
mod idle_nat_gateway;
mod idle_nights;
mod idle_search_domain;
mod idle_warehouse;
mod lifecycle;
mod log_retention;
mod nat_without_endpoint;
mod night;
mod orphaned_snapshot;
mod oversized_cache;
mod oversized_database;
mod oversized_fleet;
mod oversized_function;
mod oversized_machine;
mod oversized_table;
mod oversized_task;
mod oversized_volume_io;
mod patch;
mod previous_generation;
mod reserve;
mod reserved_capacity;
mod savings_plan;
mod shrinking;
mod sizes;
mod spot_fleet;
mod stopped_machine;
mod tables;
mod unassociated_address;
mod unattached_volumes;
mod unused_container_image;
mod unused_image;
mod unused_secret;
mod whole;
mod zones;

#[cfg(test)]
mod tests;

use super::estate::{Estate, Item};
use super::money::UsdMicros;
use super::opportunity::{Opportunity, Remedy};
use super::policy::Policy;
use super::prices::{PriceBook, Sold};
use super::usage::{Profile, Quantity};
use crate::change::{Action, day};
use crate::ids::{ResourceId, RuleId};
use crate::observed::{Missing, Observed};
use crate::resource::{Fleet, ResourceKind};
use std::collections::{BTreeMap, HashMap};

/// What a rule looks at.
pub struct View<'a> {
    /// Everything that is paid for.
    pub estate: &'a Estate,
    /// Thresholds.
    pub policy: &'a Policy,
    /// Unit prices.
    pub prices: &'a PriceBook,
    usage: HashMap<(&'a ResourceId, Quantity), &'a Observed<Profile>>,
    /// Items that their owner has not protected, by kind, and those of them that may go or shrink.
    open: BTreeMap<ResourceKind, Vec<&'a Item>>,
    expendable: BTreeMap<ResourceKind, Vec<&'a Item>>,
}

impl<'a> View<'a> {
    /// A view of an estate.
    pub fn new(estate: &'a Estate, policy: &'a Policy, prices: &'a PriceBook) -> Self {
        let usage = estate.usage.iter().map(|usage| ((&usage.resource, usage.quantity), &usage.profile)).collect();
        let mut open: BTreeMap<ResourceKind, Vec<&'a Item>> = BTreeMap::new();
        let mut expendable: BTreeMap<ResourceKind, Vec<&'a Item>> = BTreeMap::new();
        for item in estate.items.iter().filter(|item| !item.resource.is_protected()) {
            open.entry(item.resource.kind()).or_default().push(item);
            if !reserve::is_kept(&item.resource) {
                expendable.entry(item.resource.kind()).or_default().push(item);
            }
        }
        Self { estate, policy, prices, usage, open, expendable }
    }

    /// Items of one kind that their owner has not protected.
    pub fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &'a Item> {
        self.open.get(&kind).into_iter().flatten().copied()
    }

    /// Items of one kind that may go or shrink: neither protected, nor kept on purpose, nor waiting for the failure of
    /// something else.
    pub fn expendable(&self, kind: ResourceKind) -> impl Iterator<Item = &'a Item> {
        self.expendable.get(&kind).into_iter().flatten().copied()
    }

    /// The history of a quantity of an item; missing with its reason.
    pub fn usage(&self, item: &Item, quantity: Quantity) -> Observed<&'a Profile> {
        match self.usage.get(&(&item.resource.id, quantity)) {
            Some(Observed::Known(profile)) => Observed::Known(profile),
            Some(Observed::Missing(reason)) => Observed::Missing(reason.clone()),
            None => Observed::Missing(Missing::NotPublished(format!("{quantity:?} of {}", item.resource.name))),
        }
    }

    /// Whole days for which the maintainer has seen it unused, where that is long enough to call it unused.
    pub fn long_unused_days(&self, item: &Item) -> Option<i64> {
        let days = self.estate.days_since(item.unused_since?);
        (days >= i64::from(self.policy.unused_days)).then_some(days)
    }

    /// The maintainer has seen it in use until a short time ago. What it never looked at before is not that.
    pub fn is_unused_for_short(&self, item: &Item) -> bool {
        item.unused_since.is_some() && self.long_unused_days(item).is_none()
    }

    /// The moment from which on something that is marked now may be deleted: the end of a day.
    pub fn delete_after(&self) -> jiff::Timestamp {
        let day_s = 86_400;
        let today = self.estate.taken_at.as_second().div_euclid(day_s);
        jiff::Timestamp::from_second((today + 1 + i64::from(self.policy.grace_days)) * day_s)
            .unwrap_or(jiff::Timestamp::MAX)
    }
}

/// A family of rules, as a report groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Nobody uses it.
    Unused,
    /// It is too large.
    RightSizing,
    /// The same for less.
    CheaperForm,
    /// Nobody uses it at night or at weekends.
    Schedule,
    /// A promise to AWS to use it for long.
    Commitment,
    /// Capacity that AWS may take back.
    Spot,
}

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Stable name.
    pub name: &'static str,
    /// Family.
    pub family: Family,
    /// What it finds.
    pub find: fn(&View<'_>) -> Vec<Opportunity>,
}

/// Every rule.
pub const TABLE: &[Rule] = &[
    Rule { name: unattached_volumes::NAME, family: Family::Unused, find: unattached_volumes::find },
    Rule { name: unassociated_address::NAME, family: Family::Unused, find: unassociated_address::find },
    Rule { name: orphaned_snapshot::NAME, family: Family::Unused, find: orphaned_snapshot::find },
    Rule { name: stopped_machine::NAME, family: Family::Unused, find: stopped_machine::find },
    Rule { name: idle_nat_gateway::NAME, family: Family::Unused, find: idle_nat_gateway::find },
    Rule { name: idle_interface_endpoint::NAME, family: Family::Unused, find: idle_interface_endpoint::find },
    Rule { name: idle_load_balancer::NAME, family: Family::Unused, find: idle_load_balancer::find },
    Rule { name: idle_database::NAME, family: Family::Unused, find: idle_database::find },
    Rule { name: idle_cache::NAME, family: Family::Unused, find: idle_cache::find },
    Rule { name: idle_warehouse::NAME, family: Family::Unused, find: idle_warehouse::find },
    Rule { name: idle_search_domain::NAME, family: Family::Unused, find: idle_search_domain::find },
    Rule { name: unused_image::NAME, family: Family::Unused, find: unused_image::find },
    Rule { name: unused_container_image::NAME, family: Family::Unused, find: unused_container_image::find },
    Rule { name: unused_secret::NAME, family: Family::Unused, find: unused_secret::find },
    Rule { name: abandoned_upload::NAME, family: Family::Unused, find: abandoned_upload::find },
    Rule { name: dead_alarm::NAME, family: Family::Unused, find: dead_alarm::find },
    Rule { name: oversized_fleet::NAME, family: Family::RightSizing, find: oversized_fleet::find },
    Rule { name: oversized_machine::NAME, family: Family::RightSizing, find: oversized_machine::find },
    Rule { name: oversized_database::NAME, family: Family::RightSizing, find: oversized_database::find },
    Rule { name: oversized_cache::NAME, family: Family::RightSizing, find: oversized_cache::find },
    Rule { name: oversized_task::NAME, family: Family::RightSizing, find: oversized_task::find },
    Rule { name: oversized_volume_io::NAME, family: Family::RightSizing, find: oversized_volume_io::find },
    Rule { name: oversized_table::NAME, family: Family::RightSizing, find: oversized_table::find },
    Rule { name: oversized_function::NAME, family: Family::RightSizing, find: oversized_function::find },
    Rule { name: gp2_volumes::NAME, family: Family::CheaperForm, find: gp2_volumes::find },
    Rule { name: previous_generation::NAME, family: Family::CheaperForm, find: previous_generation::find },
    Rule { name: capacity_mode::NAME, family: Family::CheaperForm, find: capacity_mode::find },
    Rule { name: log_retention::NAME, family: Family::CheaperForm, find: log_retention::find },
    Rule { name: nat_without_endpoint::NAME, family: Family::CheaperForm, find: nat_without_endpoint::find },
    Rule { name: cold_bucket::NAME, family: Family::CheaperForm, find: cold_bucket::find },
    Rule { name: idle_nights::NAME, family: Family::Schedule, find: idle_nights::find },
    Rule { name: savings_plan::NAME, family: Family::Commitment, find: savings_plan::find },
    Rule { name: reserved_capacity::NAME, family: Family::Commitment, find: reserved_capacity::find },
    Rule { name: spot_fleet::NAME, family: Family::Spot, find: spot_fleet::find },
];

/// All that could be saved on an estate, largest saving first; what has no known price comes last.
pub fn find(estate: &Estate, policy: &Policy, prices: &PriceBook) -> Vec<Opportunity> {
    let view = View::new(estate, policy, prices);
    let managed: HashMap<&ResourceId, &Item> =
        estate.items.iter().filter(|item| item.managed_by.is_some()).map(|item| (&item.resource.id, item)).collect();
    let mut found: Vec<Opportunity> = TABLE.iter().flat_map(|rule| (rule.find)(&view)).collect();
    leave_out_small(&mut found, policy);
    let mut found: Vec<Opportunity> = found
        .into_iter()
        .map(|opportunity| match managed.get(&opportunity.resource) {
            Some(item) => through_template(opportunity, item),
            None => opportunity,
        })
        .collect();
    let likely = |opportunity: &Opportunity| opportunity.saving.known().map(|saving| saving.likely);
    found.sort_by(|a, b| {
        likely(b).cmp(&likely(a)).then_with(|| a.resource.cmp(&b.resource)).then_with(|| a.rule.cmp(&b.rule))
    });
    found
}

/// A saving that is known to be small is none; one whose price is not known is shown, and nothing is claimed.
///
/// A change is worth its risk by itself or not at all, and so is work on something that is in use. What a person is told to clean up is
/// small or not by all that its rule has found: a hundred forgotten secrets at 0.40 are 40 US dollars a month, and one round of work.
fn leave_out_small(found: &mut Vec<Opportunity>, policy: &Policy) {
    let least = UsdMicros(1_000_000).times(policy.saving_usd_month_min);
    let unused: Vec<&str> = TABLE.iter().filter(|of| of.family == Family::Unused).map(|of| of.name).collect();
    let is_told = |opportunity: &Opportunity| {
        matches!(opportunity.remedy, Remedy::Advice { .. }) && unused.contains(&opportunity.rule.as_str())
    };
    let mut told: BTreeMap<RuleId, UsdMicros> = BTreeMap::new();
    for opportunity in found.iter().filter(|opportunity| is_told(opportunity)) {
        if let Some(saving) = opportunity.saving.known() {
            let sum = told.entry(opportunity.rule.clone()).or_default();
            *sum = *sum + saving.likely;
        }
    }
    found.retain(|opportunity| {
        let of_rule = told.get(&opportunity.rule).filter(|_| is_told(opportunity));
        opportunity.saving.known().is_none_or(|saving| {
            saving.likely >= least || saving.likely.0 > 0 && of_rule.is_some_and(|sum| *sum >= least)
        })
    });
}

/// What a template manages is not changed behind its back: a change becomes a patch for it, and advice says so.
fn through_template(opportunity: Opportunity, item: &Item) -> Opportunity {
    let Some(template) = &item.managed_by else { return opportunity };
    let remedy = match opportunity.remedy {
        Remedy::Change { action } => Remedy::Patch { text: patch::patch(template, item, &action) },
        Remedy::Advice { what } => Remedy::Advice { what: format!("{}\n{what}", patch::note(template, item)) },
        other => other,
    };
    Opportunity { remedy, ..opportunity }
}

/// The way of everything that is deleted: marked first, then a time of grace, then what `then` says. Whoever removes
/// the mark has said that it stays.
fn delete_or_wait(
    view: &View<'_>,
    item: &Item,
    mark: Option<jiff::Timestamp>,
    then: impl FnOnce() -> Remedy,
) -> Remedy {
    match mark {
        None => Remedy::Change {
            action: Action::MarkForDeletion {
                arn: item.resource.id.as_str().to_owned(),
                delete_after: view.delete_after(),
            },
        },
        Some(until) if view.estate.taken_at < until => {
            Remedy::Wait { why: format!("its owner has time until {} to keep it", day(until)) }
        }
        Some(_) => then(),
    }
}

/// What a member of a fleet costs a month: the cheapest of them, the mean, the dearest. Missing where one price is.
fn members_month(view: &View<'_>, fleet: &Fleet) -> Observed<(UsdMicros, UsdMicros, UsdMicros)> {
    let mut each = Vec::new();
    for instance in &fleet.instances {
        let Some(kind) = &instance.instance_type else {
            return Observed::Missing(Missing::NotPublished(format!("the type of {}", instance.id)));
        };
        match view.prices.month(&Sold::InstanceHour(kind.clone()), 1.0) {
            Observed::Known(price) => each.push(price),
            Observed::Missing(why) => return Observed::Missing(why),
        }
    }
    let (Some(low), Some(high), Ok(count)) = (each.iter().min(), each.iter().max(), u32::try_from(each.len())) else {
        return Observed::Missing(Missing::NoData);
    };
    let sum: UsdMicros = each.iter().copied().sum();
    Observed::Known((*low, sum.times(1.0 / f64::from(count)), *high))
}

/// A number of days, as a measurement.
#[expect(clippy::cast_precision_loss, reason = "a number of days")]
fn number(days: i64) -> f64 {
    days as f64
}
