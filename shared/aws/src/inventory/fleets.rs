//! Auto Scaling groups with their instances and the newest instance refresh.

use super::{Candidate, Found, Tags, gathered};
use crate::arn;
use crate::errors::port_error;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, Filter, InstanceRefreshStatus, LifecycleState};
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::{Fleet, Instance, Live, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Largest page of DescribeAutoScalingGroups.
const PAGE: i32 = 100;
/// Names that one DescribeAutoScalingGroups call takes.
const NAMES_PER_CALL: usize = 100;
/// Instance refreshes to look at; the newest come first.
const REFRESHES: i32 = 10;
const ACTION: &str = "autoscaling:DescribeAutoScalingGroups";

/// True for the id of an Auto Scaling group.
pub(super) fn is_fleet(id: &ResourceId) -> bool {
    arn::named(id.as_str()).is_some_and(|named| named.kind == ResourceKind::AutoScalingGroup)
}

/// Groups that carry all tags, and groups that are listed. The tagging API does not list groups, so they are asked directly.
pub(crate) async fn discover(client: &Client, tags: &BTreeMap<String, String>, listed: &[Candidate]) -> Found {
    let by_tag = async {
        match by_tags(client, tags).await {
            Ok(groups) => with_refreshes(client, groups.into_iter().map(|group| (None, group)).collect()).await,
            Err(error) => Found::failed(&error),
        }
    };
    let by_name = async {
        match named(client, listed).await {
            Ok((groups, missing)) => with_refreshes(client, groups).await.merge(Found { missing, ..Found::default() }),
            Err(error) => Found::failed(&error),
        }
    };
    let (by_tag, mut by_name) = futures::join!(by_tag, by_name);
    // A group that is tagged and listed too is one group.
    by_name.resources.retain(|listed| by_tag.resources.iter().all(|tagged| tagged.name != listed.name));
    by_tag.merge(by_name)
}

/// The groups among these ids.
pub(crate) fn listed(ids: &[ResourceId]) -> Vec<Candidate> {
    let named = ids.iter().filter(|id| is_fleet(id)).filter_map(|id| Some((id, arn::named(id.as_str())?.name)));
    named.map(|(id, name)| Candidate { id: id.clone(), name, tags: Tags::new() }).collect()
}

/// Every group of the account that does not carry this tag.
pub(crate) async fn without_tag(client: &Client, key: &str) -> Found {
    let mut pages = client.describe_auto_scaling_groups().max_records(PAGE).into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        match group {
            Ok(group) if group.tags().iter().any(|tag| tag.key() == Some(key)) => {}
            Ok(group) => groups.push((None, group)),
            Err(error) => return Found::failed(&port_error(ACTION, "", &error)),
        }
    }
    with_refreshes(client, groups).await
}

/// One group as it is now.
pub(crate) async fn read(client: &Client, name: &str, id: &ResourceId) -> PortResult<Resource> {
    let output = client.describe_auto_scaling_groups().auto_scaling_group_names(name).send().await;
    let output = output.map_err(|error| port_error(ACTION, name, &error))?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: name.to_owned() };
    let group = output.auto_scaling_groups.unwrap_or_default().into_iter().next().ok_or_else(gone)?;
    resource(client, Some(id.clone()), group).await
}

/// All values that the groups of the account have for a tag.
pub(super) async fn tag_values(client: &Client, key: &str) -> PortResult<Vec<String>> {
    let filter = Filter::builder().name("key").values(key).build();
    let mut values = Vec::new();
    let mut pages = client.describe_tags().filters(filter).max_records(PAGE).into_paginator().items().send();
    while let Some(tag) = pages.next().await {
        values.extend(tag.map_err(|error| port_error("autoscaling:DescribeTags", key, &error))?.value);
    }
    Ok(values)
}

async fn by_tags(client: &Client, tags: &BTreeMap<String, String>) -> PortResult<Vec<AutoScalingGroup>> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let filters = tags.iter().map(|(key, value)| {
        if value == "*" {
            Filter::builder().name("tag-key").values(key).build()
        } else {
            Filter::builder().name(format!("tag:{key}")).values(value).build()
        }
    });
    let request = client.describe_auto_scaling_groups().set_filters(Some(filters.collect())).max_records(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        let group = group.map_err(|error| port_error(ACTION, "", &error))?;
        // A service that does not know the filters would give every group of the account.
        if has_all(&group, tags) {
            groups.push(group);
        }
    }
    Ok(groups)
}

fn has_all(group: &AutoScalingGroup, tags: &BTreeMap<String, String>) -> bool {
    tags.iter().all(|(key, value)| {
        let mut of_group = group.tags().iter();
        of_group.any(|tag| tag.key() == Some(key.as_str()) && (value == "*" || tag.value() == Some(value.as_str())))
    })
}

type Named = (Vec<(Option<ResourceId>, AutoScalingGroup)>, Vec<Missing>);

async fn named(client: &Client, listed: &[Candidate]) -> PortResult<Named> {
    let (mut groups, mut missing) = (Vec::new(), Vec::new());
    for some in listed.chunks(NAMES_PER_CALL) {
        let names = some.iter().map(|candidate| candidate.name.clone()).collect();
        let request = client.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(names)).max_records(PAGE);
        let output = request.send().await.map_err(|error| port_error(ACTION, "", &error))?;
        let read = output.auto_scaling_groups.unwrap_or_default();
        for candidate in some {
            match read.iter().find(|group| group.auto_scaling_group_name() == Some(candidate.name.as_str())) {
                Some(group) => groups.push((Some(candidate.id.clone()), group.clone())),
                None => missing.push(Missing::Gone),
            }
        }
    }
    Ok((groups, missing))
}

async fn with_refreshes(client: &Client, groups: Vec<(Option<ResourceId>, AutoScalingGroup)>) -> Found {
    let calls = groups.into_iter().map(|(id, group)| resource(client, id, group)).collect();
    let mut found = Found::default();
    for read in gathered(calls).await {
        match read {
            Ok(resource) => found.resources.push(resource),
            Err(error) => found = found.merge(Found::failed(&error)),
        }
    }
    found
}

async fn resource(client: &Client, id: Option<ResourceId>, group: AutoScalingGroup) -> PortResult<Resource> {
    let name = group.auto_scaling_group_name.clone().unwrap_or_default();
    let (refresh_in_progress, last_refresh_at) = refreshes(client, &name).await?;
    let tags =
        group.tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
    let id = id.or_else(|| group.auto_scaling_group_arn.map(ResourceId::new));
    let mut instances: Vec<Instance> = group.instances.unwrap_or_default().into_iter().map(instance).collect();
    instances.sort_by(|a, b| a.id.cmp(&b.id));
    let fleet = Fleet {
        min: size(group.min_size),
        max: size(group.max_size),
        desired: size(group.desired_capacity),
        instances,
        refresh_in_progress,
        last_refresh_at,
        scheduled: Fleet::schedules_unread(),
        target_groups: group.target_group_arns.unwrap_or_default().into_iter().map(ResourceId::new).collect(),
    };
    let id = id.unwrap_or_else(|| ResourceId::new(format!("auto_scaling_group/{name}")));
    Ok(Resource { id, name, tags: tags.collect(), live: Live::AutoScalingGroup(fleet) })
}

/// Whether a refresh is under way, and when the newest one began.
async fn refreshes(client: &Client, name: &str) -> PortResult<(bool, Option<Timestamp>)> {
    let action = "autoscaling:DescribeInstanceRefreshes";
    let output = client.describe_instance_refreshes().auto_scaling_group_name(name).max_records(REFRESHES).send().await;
    let refreshes = output.map_err(|error| port_error(action, name, &error))?.instance_refreshes.unwrap_or_default();
    let under_way = refreshes.iter().any(|refresh| {
        matches!(
            refresh.status,
            Some(
                InstanceRefreshStatus::Pending
                    | InstanceRefreshStatus::InProgress
                    | InstanceRefreshStatus::Baking
                    | InstanceRefreshStatus::Cancelling
                    | InstanceRefreshStatus::RollbackInProgress
            )
        )
    });
    let newest = refreshes.iter().filter_map(|refresh| refresh.start_time).map(|at| at.secs()).max();
    Ok((under_way, newest.and_then(|at| Timestamp::from_second(at).ok())))
}

fn instance(instance: aws_sdk_autoscaling::types::Instance) -> Instance {
    Instance {
        id: instance.instance_id.unwrap_or_default(),
        in_service: instance.lifecycle_state == Some(LifecycleState::InService),
        healthy: instance.health_status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("healthy")),
        protected: instance.protected_from_scale_in.unwrap_or(false),
        instance_type: instance.instance_type,
    }
}

fn size(value: Option<i32>) -> u32 {
    value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0)
}
