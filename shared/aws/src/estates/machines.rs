//! EC2 instances that belong to no Auto Scaling group. Those that are terminated are no longer there.

use super::whose::{Whose, filter};
use super::{Account, item, read};
use crate::errors::port_error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Instance, InstanceStateName};
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Live, Machine, Resource, ResourceKind};
use engine::ports::PortResult;
use jiff::Timestamp;

/// Largest page.
const PAGE: i32 = 1_000;
/// The tag by which Auto Scaling names the group of an instance.
const GROUP_TAG: &str = "aws:autoscaling:groupName";
const STATES: [&str; 4] = ["pending", "running", "stopping", "stopped"];

pub(super) async fn survey(client: &Client, whose: Whose<'_>, account: &Account) -> PortResult<Vec<Item>> {
    let items = whose.find(ResourceKind::Machine, "instance-id", |filters| list(client, account, filters)).await?;
    Ok(whose.only(items))
}

/// An item is a tenth of what the SDK makes of an instance, so each becomes one as it comes.
async fn list(client: &Client, account: &Account, filters: Vec<Filter>) -> PortResult<Vec<Item>> {
    let states = filter("instance-state-name", &STATES.map(str::to_owned));
    let request = client.describe_instances().set_filters(Some(filters)).filters(states).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut items = Vec::new();
    while let Some(reservation) = pages.next().await {
        let reservation = reservation.map_err(|error| port_error("ec2:DescribeInstances", "", &error))?;
        items.extend(reservation.instances.unwrap_or_default().into_iter().filter_map(|instance| {
            let id = account.ec2("instance", instance.instance_id()?);
            let created_at = created_at(&instance);
            let item = item(resource(instance, id), created_at);
            (!item.resource.tags.contains_key(GROUP_TAG)).then_some(item)
        }));
    }
    Ok(items)
}

/// EC2 tells the last start of an instance and when its disks were attached; it is at least as old as the oldest of
/// these.
fn created_at(instance: &Instance) -> Option<Timestamp> {
    let disks = instance.block_device_mappings().iter().filter_map(|disk| disk.ebs()?.attach_time);
    disks.chain(instance.launch_time).filter_map(|at| read::moment(Some(at))).min()
}

fn resource(instance: Instance, id: ResourceId) -> Resource {
    let state = instance.state.and_then(|state| state.name);
    let is_running = matches!(state, Some(InstanceStateName::Running | InstanceStateName::Pending));
    let since = match is_running {
        true => read::moment(instance.launch_time),
        false => instance.state_transition_reason.as_deref().and_then(moment_of),
    };
    let live = Machine {
        instance_type: instance.instance_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        is_running,
        since,
        volumes: read::slim(instance.block_device_mappings, |disk| disk.ebs?.volume_id),
        architecture: instance.architecture.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
    };
    let name = instance.instance_id.unwrap_or_default();
    Resource { id, name, tags: read::tags(instance.tags), live: Live::Machine(live) }
}

/// The moment in "User initiated (2026-11-01 12:30:00 GMT)".
fn moment_of(reason: &str) -> Option<Timestamp> {
    let (_, rest) = reason.split_once('(')?;
    let text = rest.split_once(" GMT")?.0.replacen(' ', "T", 1);
    format!("{text}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_a_stop_is_read_from_its_reason() {
        let at = "2026-11-01T12:30:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(moment_of("User initiated (2026-11-01 12:30:00 GMT)"), Some(at));
        for text in ["", "User initiated", "Server.SpotInstanceTermination", "User initiated (yesterday GMT)"] {
            assert_eq!(moment_of(text), None, "{text}");
        }
    }
}
