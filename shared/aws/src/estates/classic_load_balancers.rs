//! Classic Load Balancers, with the health of their instances.

use super::load_balancers::TYPES;
use super::whose::Whose;
use super::{Account, by_arn, item};
use crate::errors::port_error;
use crate::inventory::gathered;
use aws_sdk_elasticloadbalancing::Client;
use aws_sdk_elasticloadbalancing::types::LoadBalancerDescription;
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::BalancerTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind};
use engine::ports::PortResult;
use jiff::Timestamp;
use std::collections::BTreeMap;

const KIND: ResourceKind = ResourceKind::ClassicLoadBalancer;

pub(super) async fn survey(
    client: &Client,
    tagging: &Tagging,
    whose: Whose<'_>,
    account: &Account,
) -> PortResult<Vec<Item>> {
    let balancers = list(client).await?;
    let arn = |balancer: &LoadBalancerDescription| account.classic(balancer.load_balancer_name().unwrap_or_default());
    let arns: Vec<String> = balancers.iter().map(arn).collect();
    let tags = by_arn::tags(tagging, whose, TYPES, &by_arn::listed(whose, KIND, &arns)).await?;
    let mut by_name: BTreeMap<String, (String, u32)> = BTreeMap::new();
    let items = balancers.into_iter().map(|balancer| {
        let (arn, name) = (arn(&balancer), balancer.load_balancer_name.unwrap_or_default());
        let created_at = balancer.created_time.and_then(|at| Timestamp::from_second(at.secs()).ok());
        let instances = balancer.instances.map_or(0, |instances| instances.len());
        let instances = u32::try_from(instances).unwrap_or(u32::MAX);
        by_name.insert(name.clone(), (balancer.dns_name.unwrap_or_default(), instances));
        let tags = tags.get(&arn).cloned().unwrap_or_default();
        item(Resource { id: ResourceId::new(arn), name, tags, live: Live::ClassicLoadBalancer }, created_at)
    });
    let items: Vec<Item> = items.collect();
    let mut meant = whose.only(items);
    let healthy = gathered(meant.iter().map(|item| healthy(client, item.resource.name.clone())).collect()).await;
    for (item, healthy) in meant.iter_mut().zip(healthy) {
        let (dns_name, targets) = by_name.remove(&item.resource.name).unwrap_or_default();
        item.terms = Some(Terms::LoadBalancer(BalancerTerms { dns_name, targets, healthy: healthy? }));
    }
    Ok(meant)
}

async fn list(client: &Client) -> PortResult<Vec<LoadBalancerDescription>> {
    let mut pages = client.describe_load_balancers().into_paginator().items().send();
    let mut balancers = Vec::new();
    while let Some(balancer) = pages.next().await {
        let action = "elasticloadbalancing:DescribeLoadBalancers";
        balancers.push(balancer.map_err(|error| port_error(action, "", &error))?);
    }
    Ok(balancers)
}

/// Instances of one that are in service.
async fn healthy(client: &Client, name: String) -> PortResult<u32> {
    let output = client.describe_instance_health().load_balancer_name(&name).send().await;
    let action = "elasticloadbalancing:DescribeInstanceHealth";
    let states = output.map_err(|error| port_error(action, &name, &error))?.instance_states.unwrap_or_default();
    let healthy = states.iter().filter(|state| state.state() == Some("InService")).count();
    Ok(u32::try_from(healthy).unwrap_or(u32::MAX))
}
