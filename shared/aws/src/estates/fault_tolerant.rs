//! What is bought of Auto Scaling groups whose owner calls them fault tolerant, and what their types cost on Spot.
//!
//! Asked of these groups alone: most have no such tag, and cost nothing here.

use super::whose::{VALUES_PER_FILTER, filter};
use crate::errors::port_error;
use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_ec2::types::{Instance, InstanceType, Tenancy};
use domain::cost::estate::Item;
use domain::cost::terms::{FleetTerms, LaunchTemplate, Terms};
use domain::observed::{Missing, Observed};
use domain::resource::{FAULT_TOLERANT_TAG, Fleet, Live};
use engine::ports::PortResult;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Names that one DescribeAutoScalingGroups call takes.
const NAMES_PER_CALL: usize = 100;
const PAGE: i32 = 1_000;
/// Kind of Spot prices that are asked for: without SUSE's and Red Hat's licences, and without Windows.
const PRODUCT: &str = "Linux/UNIX";

/// Gives these groups what is bought of them. Why that could not be read, if so: then none of them has it.
pub(super) async fn add(
    groups: &aws_sdk_autoscaling::Client,
    ec2: &aws_sdk_ec2::Client,
    now: Timestamp,
    items: &mut [Item],
) -> Option<Missing> {
    let mut of_owner: Vec<&mut Item> =
        items.iter_mut().filter(|item| item.resource.tags.contains_key(FAULT_TOLERANT_TAG)).collect();
    let names: Vec<String> = of_owner.iter().map(|item| item.resource.name.clone()).collect();
    if names.is_empty() {
        return None;
    }
    let members = of_owner.iter().filter_map(|item| fleet(item)).flat_map(|fleet| &fleet.instances);
    let ids: Vec<String> = members.map(|member| member.id.clone()).collect();
    let read = futures::try_join!(describe(groups, &names), plain(ec2, &ids));
    let (described, plain) = match read {
        Ok(read) => read,
        Err(error) => return Some(error.missing()),
    };
    let types: BTreeSet<&str> = of_owner
        .iter()
        .filter_map(|item| fleet(item))
        .flat_map(|fleet| fleet.instances.iter().filter_map(|member| member.instance_type.as_deref()))
        .collect();
    let prices = match spot(ec2, &types, now).await {
        Ok(prices) => Observed::Known(prices),
        Err(error) => Observed::Missing(error.missing()),
    };
    for item in &mut of_owner {
        let Some(group) = described.get(&item.resource.name) else { continue };
        let members =
            fleet(item).map(|fleet| fleet.instances.iter().filter(|member| plain.contains(&member.id)).count());
        item.terms = Some(Terms::Fleet(FleetTerms {
            template: template(group),
            zones: count(group.availability_zones().len()),
            plain: count(members.unwrap_or(0)),
            spot_usd_micros: prices.clone(),
        }));
    }
    None
}

fn fleet(item: &Item) -> Option<&Fleet> {
    match &item.resource.live {
        Live::AutoScalingGroup(fleet) => Some(fleet),
        _ => None,
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

async fn describe(
    client: &aws_sdk_autoscaling::Client,
    names: &[String],
) -> PortResult<BTreeMap<String, AutoScalingGroup>> {
    let mut found = BTreeMap::new();
    for some in names.chunks(NAMES_PER_CALL) {
        let request = client.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(some.to_vec()));
        let mut pages = request.into_paginator().items().send();
        while let Some(group) = pages.next().await {
            let group = group.map_err(|error| port_error("autoscaling:DescribeAutoScalingGroups", "", &error))?;
            found.insert(group.auto_scaling_group_name.clone().unwrap_or_default(), group);
        }
    }
    Ok(found)
}

/// Those of these instances that are bought on demand, on Linux, on shared hardware, outside of reserved capacity.
async fn plain(client: &aws_sdk_ec2::Client, ids: &[String]) -> PortResult<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for some in ids.chunks(VALUES_PER_FILTER) {
        let request = client.describe_instances().filters(filter("instance-id", some)).max_results(PAGE);
        let mut pages = request.into_paginator().items().send();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(|error| port_error("ec2:DescribeInstances", "", &error))?;
            let instances = reservation.instances.unwrap_or_default().into_iter().filter(is_plain);
            found.extend(instances.filter_map(|instance| instance.instance_id));
        }
    }
    Ok(found)
}

/// Licences are told by the platform's details: `Linux/UNIX`, `Red Hat Enterprise Linux`, `Windows` …
fn is_plain(instance: &Instance) -> bool {
    let is_shared = instance.placement().and_then(|of| of.tenancy()).is_none_or(|of| *of == Tenancy::Default);
    instance.instance_lifecycle().is_none()
        && instance.platform().is_none()
        && instance.platform_details().is_none_or(|details| details == PRODUCT)
        && instance.capacity_reservation_id().is_none()
        && is_shared
}

/// The launch template of a group that mixes neither types nor purchases.
fn template(group: &AutoScalingGroup) -> Option<LaunchTemplate> {
    let template = group.launch_template().filter(|_| group.mixed_instances_policy().is_none())?;
    let version = template.version().unwrap_or("$Default").to_owned();
    Some(LaunchTemplate { id: template.launch_template_id()?.to_owned(), version })
}

/// Spot prices of these types as they are now, by type: the mean of the zones that sell it, in millionths of a US dollar an hour.
async fn spot(
    client: &aws_sdk_ec2::Client,
    types: &BTreeSet<&str>,
    now: Timestamp,
) -> PortResult<BTreeMap<String, f64>> {
    if types.is_empty() {
        return Ok(BTreeMap::new());
    }
    // From now on: EC2 answers the price that holds, one of each zone.
    let request = client
        .describe_spot_price_history()
        .set_instance_types(Some(types.iter().map(|kind| InstanceType::from(*kind)).collect()))
        .product_descriptions(PRODUCT)
        .start_time(aws_smithy_types::DateTime::from_secs(now.as_second()))
        .max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut newest: BTreeMap<(String, String), (i64, f64)> = BTreeMap::new();
    while let Some(price) = pages.next().await {
        let price = price.map_err(|error| port_error("ec2:DescribeSpotPriceHistory", "", &error))?;
        let usd = price.spot_price().and_then(|text| text.parse::<f64>().ok()).filter(|usd| *usd > 0.0);
        if let (Some(kind), Some(zone), Some(usd)) = (price.instance_type(), price.availability_zone(), usd) {
            let at = price.timestamp().map_or(0, aws_smithy_types::DateTime::secs);
            let of_zone = newest.entry((kind.as_str().to_owned(), zone.to_owned())).or_insert((at, usd * 1e6));
            if at > of_zone.0 {
                *of_zone = (at, usd * 1e6);
            }
        }
    }
    let mut by_type: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for ((kind, _), (_, usd_micros)) in newest {
        by_type.entry(kind).or_default().push(usd_micros);
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of zones")]
    let mean = |prices: Vec<f64>| prices.iter().sum::<f64>() / prices.len() as f64;
    Ok(by_type.into_iter().map(|(kind, prices)| (kind, mean(prices))).collect())
}
