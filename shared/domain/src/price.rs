//! What more or fewer members of a fleet or service cost, from unit prices.
//!
//! An estimate for a ceiling, on the high side: list prices on demand, under Linux, without discounts. Where a fleet has
//! instances of several types, the dearest counts: which of them the group would launch next is not known beforehand.

use crate::change::Action;
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Resource};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Hours that AWS bills for a month, on average over a year.
const HOURS_PER_MONTH: i64 = 730;
/// Millionths of a dollar in a cent.
const MICROS_PER_CENT: i64 = 10_000;

/// Something that is sold by the hour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sold {
    /// An EC2 instance of this type.
    Instance(String),
    /// A task on Fargate, by the ARN of its task definition.
    Task(String),
}

impl fmt::Display for Sold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(name) | Self::Task(name) => f.write_str(name),
        }
    }
}

/// The price of something that is sold by the hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// What is sold.
    pub of: Sold,
    /// Millionths of a US dollar an hour, or why that is not known.
    pub usd_micros_hour: Observed<i64>,
}

/// What the members of these resources are, as far as they are sold by the hour.
pub fn sold(resources: &[Resource]) -> BTreeSet<Sold> {
    resources.iter().flat_map(|resource| members(&resource.live)).collect()
}

fn members(live: &Live) -> Vec<Sold> {
    match live {
        Live::AutoScalingGroup(fleet) => {
            fleet.instances.iter().filter_map(|instance| instance.instance_type.clone()).map(Sold::Instance).collect()
        }
        Live::EcsService(service) => service.fargate_task.clone().map(Sold::Task).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// What a change adds to the running cost, in US cents a month; negative saves. Anything but another size adds nothing.
pub fn added_usd_cents_month(action: &Action, on: &Resource, prices: &[Price]) -> Observed<i64> {
    let members = match (action, &on.live) {
        (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(fleet)) => {
            i64::from(*desired) - i64::from(fleet.desired)
        }
        // Tasks on instances cost nothing by themselves.
        (Action::SetServiceCount { desired, .. }, Live::EcsService(service)) if service.fargate_task.is_some() => {
            i64::from(*desired) - i64::from(service.desired)
        }
        _ => return Observed::Known(0),
    };
    member_usd_micros_hour(&on.live, prices)
        .map(|each| members.saturating_mul(each).saturating_mul(HOURS_PER_MONTH) / MICROS_PER_CENT)
}

/// The dearest member, in millionths of a US dollar an hour.
fn member_usd_micros_hour(live: &Live, prices: &[Price]) -> Observed<i64> {
    let mut each = Vec::new();
    for member in members(live) {
        match prices.iter().find(|price| price.of == member).map(|price| &price.usd_micros_hour) {
            Some(Observed::Known(price)) => each.push(*price),
            Some(missing) => return missing.clone(),
            None => return Observed::Missing(Missing::NotPublished(format!("a price of {member}"))),
        }
    }
    let untold = || Missing::NotPublished("of which type its members are".to_owned());
    each.into_iter().max().map_or_else(|| Observed::Missing(untold()), Observed::Known)
}

/// A cost in words: "about 147.17 USD a month more".
pub fn in_words(usd_cents_month: i64) -> String {
    let more = if usd_cents_month < 0 { "less" } else { "more" };
    let cents = usd_cents_month.unsigned_abs();
    format!("about {}.{:02} USD a month {more}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ResourceId;
    use crate::resource::Tags;
    use crate::resource::{Fleet, Instance, Service};

    fn resource(name: &str, live: Live) -> Resource {
        Resource { id: ResourceId::from(name), name: name.to_owned(), tags: Tags::default(), live }
    }

    fn fleet(types: &[Option<&str>]) -> Resource {
        let instances = types.iter().enumerate().map(|(number, kind)| Instance {
            id: format!("i-{number}"),
            in_service: true,
            healthy: true,
            protected: false,
            instance_type: kind.map(str::to_owned),
        });
        let instances: Vec<Instance> = instances.collect();
        let live = Fleet {
            min: 1,
            max: 9,
            desired: u32::try_from(instances.len()).unwrap(),
            instances,
            refresh_in_progress: false,
            last_refresh_at: None,
            scheduled: Fleet::schedules_unread(),
            target_groups: Vec::new(),
        };
        resource("web", Live::AutoScalingGroup(live))
    }

    fn service(fargate_task: Option<&str>) -> Resource {
        let live = Service {
            cluster: "shop".to_owned(),
            desired: 2,
            running: 2,
            deployment_in_progress: false,
            last_deployment_at: None,
            bounds: None,
            bounds_missing: None,
            min_healthy_pct: 100,
            max_pct: 200,
            fargate_task: fargate_task.map(str::to_owned),
            tasks: Observed::Known(Vec::new()),
        };
        resource("worker", Live::EcsService(live))
    }

    fn price(of: &str, usd_micros_hour: i64) -> Price {
        Price { of: Sold::Instance(of.to_owned()), usd_micros_hour: Observed::Known(usd_micros_hour) }
    }

    fn to(desired: u32) -> Action {
        Action::SetFleetCapacity { group: "web".to_owned(), desired }
    }

    #[test]
    fn three_more_small_servers_cost_what_the_price_list_says() {
        let web = fleet(&[Some("t4g.small"); 4]);
        let prices = [price("t4g.small", 16_800)];
        assert_eq!(sold(std::slice::from_ref(&web)), BTreeSet::from([Sold::Instance("t4g.small".to_owned())]));
        // 3 x 0.0168 USD x 730 h = 36.79 USD.
        assert_eq!(added_usd_cents_month(&to(7), &web, &prices), Observed::Known(3_679));
        assert_eq!(added_usd_cents_month(&to(2), &web, &prices), Observed::Known(-2_452));
        assert_eq!(in_words(3_679), "about 36.79 USD a month more");
        assert_eq!(in_words(-2_452), "about 24.52 USD a month less");
    }

    #[test]
    fn of_several_types_the_dearest_counts_and_one_unknown_makes_all_unknown() {
        let web = fleet(&[Some("t4g.small"), Some("m5.large")]);
        let both = [price("t4g.small", 16_800), price("m5.large", 96_000)];
        assert_eq!(added_usd_cents_month(&to(3), &web, &both), Observed::Known(7_008));
        let denied = Price { usd_micros_hour: Observed::Missing(Missing::Throttled), ..price("m5.large", 0) };
        let unknown = [price("t4g.small", 16_800), denied];
        assert_eq!(added_usd_cents_month(&to(3), &web, &unknown), Observed::Missing(Missing::Throttled));
        assert!(added_usd_cents_month(&to(3), &web, &both[..1]).is_missing());
        assert!(added_usd_cents_month(&to(1), &fleet(&[None]), &both).is_missing());
    }

    #[test]
    fn tasks_cost_on_fargate_and_a_restart_costs_nothing() {
        let more = Action::SetServiceCount { cluster: "shop".to_owned(), service: "worker".to_owned(), desired: 4 };
        assert_eq!(added_usd_cents_month(&more, &service(None), &[]), Observed::Known(0), "instances are billed");
        let prices = [Price { of: Sold::Task("arn:task".to_owned()), usd_micros_hour: Observed::Known(24_685) }];
        assert_eq!(added_usd_cents_month(&more, &service(Some("arn:task")), &prices), Observed::Known(3_604));
        let restart = Action::RefreshFleet { group: "web".to_owned() };
        assert_eq!(added_usd_cents_month(&restart, &fleet(&[None]), &[]), Observed::Known(0));
    }
}
