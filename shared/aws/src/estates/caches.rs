//! Cache clusters of ElastiCache, as the inventory reads them, with what is bought. CloudWatch keeps metrics by cluster,
//! so each node of a replication group is an item of its own.

use super::whose::Whose;
use super::{by_arn, item};
use crate::errors::port_error;
use crate::inventory::caches;
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::{CacheCluster, ReplicationGroup};
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::CacheTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind};
use engine::ports::PortResult;
use jiff::Timestamp;

/// What the tagging API calls them; AWS copies the tags of a group to its clusters.
const TYPES: &[&str] = &["elasticache:cluster"];

pub(super) async fn survey(client: &Client, tagging: &Tagging, whose: Whose<'_>) -> PortResult<Vec<Item>> {
    let (clusters, groups) = futures::join!(clusters(client), groups(client));
    let (clusters, groups) = (clusters?, groups?);
    // Who lists a group means its clusters.
    let names = whose.listed(ResourceKind::Cache);
    let is_listed = |cluster: &CacheCluster| {
        let ids = [cluster.cache_cluster_id(), cluster.replication_group_id()];
        ids.into_iter().flatten().any(|id| names.iter().any(|name| name == id))
    };
    let listed: Vec<String> = clusters.iter().filter(|of| is_listed(of)).filter_map(|of| of.arn.clone()).collect();
    let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
    let all = clusters.clone();
    let items = clusters.into_iter().map(|cluster| {
        let created_at = cluster.cache_cluster_create_time.and_then(|at| Timestamp::from_second(at.secs()).ok());
        let terms = terms(&cluster, &all, &groups);
        let arn = cluster.arn().unwrap_or_default().to_owned();
        let name = cluster.cache_cluster_id().unwrap_or_default().to_owned();
        let tags = tags.get(&arn).cloned().unwrap_or_default();
        let live = Live::Cache(caches::of_cluster(&name, cluster));
        let mut item = item(Resource { id: ResourceId::new(arn), name, tags, live }, created_at);
        item.terms = Some(Terms::Cache(terms));
        item
    });
    let (by_list, others): (Vec<Item>, Vec<Item>) =
        items.partition(|item| listed.iter().any(|arn| arn == item.resource.id.as_str()));
    Ok(by_list.into_iter().chain(whose.only(others)).collect())
}

async fn clusters(client: &Client) -> PortResult<Vec<CacheCluster>> {
    let mut pages = client.describe_cache_clusters().show_cache_node_info(true).into_paginator().items().send();
    let mut clusters = Vec::new();
    while let Some(cluster) = pages.next().await {
        clusters.push(cluster.map_err(|error| port_error("elasticache:DescribeCacheClusters", "", &error))?);
    }
    Ok(clusters)
}

async fn groups(client: &Client) -> PortResult<Vec<ReplicationGroup>> {
    let mut pages = client.describe_replication_groups().into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        groups.push(group.map_err(|error| port_error("elasticache:DescribeReplicationGroups", "", &error))?);
    }
    Ok(groups)
}

fn terms(cluster: &CacheCluster, all: &[CacheCluster], groups: &[ReplicationGroup]) -> CacheTerms {
    let group = cluster.replication_group_id();
    let is_peer = |of: &&CacheCluster| {
        group.is_some() && of.replication_group_id() == group && of.cache_cluster_id() != cluster.cache_cluster_id()
    };
    // A group that is not there any more, or not yet, is none to make claims about.
    let of_group = groups.iter().find(|of| of.replication_group_id() == group);
    let is_global = of_group.is_some_and(|of| {
        of.global_replication_group_info().is_some_and(|info| info.global_replication_group_id().is_some())
    });
    let is_steady = group.is_none() || of_group.is_some_and(|of| of.status() == Some("available"));
    CacheTerms {
        is_available: cluster.cache_cluster_status() == Some("available") && is_steady,
        node_type: cluster.cache_node_type().unwrap_or_default().to_owned(),
        nodes: cluster.num_cache_nodes().and_then(|count| u32::try_from(count).ok()).unwrap_or(1),
        group: group.map(str::to_owned),
        peers: all.iter().filter(is_peer).filter_map(|of| of.cache_cluster_id.clone()).collect(),
        is_global,
    }
}
