//! Application and Network Load Balancers, with the health of their targets. The name of each is the CloudWatch
//! dimension, as in its ARN.

use super::whose::Whose;
use super::{by_arn, item};
use crate::arn;
use crate::errors::port_error;
use crate::inventory::gathered;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup, TargetHealthStateEnum};
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::BalancerTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind};
use engine::ports::PortResult;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What the tagging API calls them, of whichever kind.
pub(super) const TYPES: &[&str] = &["elasticloadbalancing:loadbalancer"];

/// Those of one of the two kinds.
pub(super) async fn survey(
    client: &Client,
    tagging: &Tagging,
    kind: ResourceKind,
    whose: Whose<'_>,
) -> PortResult<Vec<Item>> {
    let balancers: Vec<(String, LoadBalancer)> =
        list(client).await?.into_iter().filter_map(|balancer| Some((name(kind, &balancer)?, balancer))).collect();
    let arns: Vec<String> = balancers.iter().filter_map(|(_, balancer)| balancer.load_balancer_arn.clone()).collect();
    let mut tags = by_arn::tags(tagging, whose, TYPES, &by_arn::listed(whose, kind, &arns)).await?;
    let items = balancers.into_iter().map(|(name, balancer)| {
        let arn = balancer.load_balancer_arn.unwrap_or_default();
        let tags = tags.remove(&arn).unwrap_or_default();
        let created_at = balancer.created_time.and_then(|at| Timestamp::from_second(at.secs()).ok());
        let live = match kind {
            ResourceKind::LoadBalancer => Live::LoadBalancer { load_balancer: name.clone() },
            _ => Live::NetworkLoadBalancer,
        };
        let item = item(Resource { id: ResourceId::new(arn), name, tags, live }, created_at);
        (item, balancer.dns_name.unwrap_or_default())
    });
    let (items, names): (Vec<Item>, Vec<String>) = items.unzip();
    let names: BTreeMap<ResourceId, String> = items.iter().map(|item| item.resource.id.clone()).zip(names).collect();
    let mut meant = whose.only(items);
    let groups = if meant.is_empty() { Vec::new() } else { groups(client).await? };
    for item in &mut meant {
        let (targets, healthy) = health(client, item.resource.id.as_str(), &groups).await?;
        let dns_name = names.get(&item.resource.id).cloned().unwrap_or_default();
        item.terms = Some(Terms::LoadBalancer(BalancerTerms { dns_name, targets, healthy }));
    }
    Ok(meant)
}

/// Its name, where it is of this kind.
fn name(kind: ResourceKind, balancer: &LoadBalancer) -> Option<String> {
    arn::named(balancer.load_balancer_arn()?).filter(|named| named.kind == kind).map(|named| named.name)
}

async fn list(client: &Client) -> PortResult<Vec<LoadBalancer>> {
    let mut pages = client.describe_load_balancers().into_paginator().items().send();
    let mut balancers = Vec::new();
    while let Some(balancer) = pages.next().await {
        let action = "elasticloadbalancing:DescribeLoadBalancers";
        balancers.push(balancer.map_err(|error| port_error(action, "", &error))?);
    }
    Ok(balancers)
}

async fn groups(client: &Client) -> PortResult<Vec<TargetGroup>> {
    let mut pages = client.describe_target_groups().into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        let action = "elasticloadbalancing:DescribeTargetGroups";
        groups.push(group.map_err(|error| port_error(action, "", &error))?);
    }
    Ok(groups)
}

/// Targets in all groups of a load balancer, and those of them that are healthy. One that is being drained is on its way
/// out and does not count.
async fn health(client: &Client, balancer: &str, groups: &[TargetGroup]) -> PortResult<(u32, u32)> {
    let of_it = groups.iter().filter(|group| group.load_balancer_arns().iter().any(|arn| arn == balancer));
    let calls = of_it.filter_map(|group| group.target_group_arn()).map(|group| targets(client, group)).collect();
    let mut sum = (0, 0);
    for read in gathered(calls).await {
        let (targets, healthy) = read?;
        sum = (sum.0 + targets, sum.1 + healthy);
    }
    Ok(sum)
}

async fn targets(client: &Client, group: &str) -> PortResult<(u32, u32)> {
    let output = client.describe_target_health().target_group_arn(group).send().await;
    let output = output.map_err(|error| port_error("elasticloadbalancing:DescribeTargetHealth", group, &error))?;
    let states = output.target_health_descriptions.unwrap_or_default().into_iter();
    let states: Vec<_> = states.map(|of| of.target_health.and_then(|health| health.state)).collect();
    let count = |is: fn(&Option<TargetHealthStateEnum>) -> bool| {
        u32::try_from(states.iter().filter(|state| is(state)).count()).unwrap_or(u32::MAX)
    };
    let leaves = count(|state| *state == Some(TargetHealthStateEnum::Draining));
    // A group without health checks, and a Lambda function without them, say "unavailable": they serve.
    let healthy =
        count(|state| matches!(state, Some(TargetHealthStateEnum::Healthy | TargetHealthStateEnum::Unavailable)));
    Ok((count(|_| true) - leaves, healthy))
}
