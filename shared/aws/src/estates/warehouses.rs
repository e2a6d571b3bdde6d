//! Provisioned clusters of Redshift, each with its tags, and which of them share data with others.

use super::read::{moment, number};
use super::whose::Whose;
use super::{Account, item};
use crate::errors::port_error;
use aws_sdk_redshift::Client;
use aws_sdk_redshift::types::Cluster;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, Warehouse};
use engine::ports::PortResult;
use std::collections::BTreeSet;

/// Largest page.
const PAGE: i32 = 100;

pub(super) async fn survey(client: &Client, whose: Whose<'_>, account: &Account) -> PortResult<Vec<Item>> {
    let clusters = clusters(client).await?;
    let producers = if clusters.is_empty() { BTreeSet::new() } else { producers(client).await? };
    Ok(whose.only(clusters.into_iter().map(|cluster| found(cluster, &producers, account)).collect()))
}

async fn clusters(client: &Client) -> PortResult<Vec<Cluster>> {
    let mut pages = client.describe_clusters().max_records(PAGE).into_paginator().items().send();
    let mut clusters = Vec::new();
    while let Some(cluster) = pages.next().await {
        clusters.push(cluster.map_err(|error| port_error("redshift:DescribeClusters", "", &error))?);
    }
    Ok(clusters)
}

/// Namespaces that share data with others.
async fn producers(client: &Client) -> PortResult<BTreeSet<String>> {
    let mut pages = client.describe_data_shares().max_records(PAGE).into_paginator().items().send();
    let mut producers = BTreeSet::new();
    while let Some(share) = pages.next().await {
        producers.extend(share.map_err(|error| port_error("redshift:DescribeDataShares", "", &error))?.producer_arn);
    }
    Ok(producers)
}

fn found(cluster: Cluster, producers: &BTreeSet<String>, account: &Account) -> Item {
    let is = |text: Option<&str>, wanted: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(wanted));
    let live = Warehouse {
        node_type: cluster.node_type.unwrap_or_default(),
        nodes: number(cluster.number_of_nodes).unwrap_or(0),
        is_available: is(cluster.cluster_status.as_deref(), "available")
            && cluster.cluster_availability_status.is_none_or(|status| is(Some(&status), "Available")),
        is_multi_az: is(cluster.multi_az.as_deref(), "Enabled"),
        is_shared: cluster.cluster_namespace_arn.is_some_and(|namespace| producers.contains(&namespace)),
    };
    let name = cluster.cluster_identifier.unwrap_or_default();
    let id = ResourceId::new(account.warehouse(&name));
    let tags = cluster.tags.unwrap_or_default().into_iter();
    let tags = tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect();
    item(Resource { id, name, tags, live: Live::Warehouse(live) }, moment(cluster.cluster_create_time))
}
