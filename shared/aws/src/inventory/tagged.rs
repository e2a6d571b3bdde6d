//! The Resource Groups Tagging API: which resources carry which tags. It does not know Auto Scaling groups.

use super::Tags;
use crate::errors::port_error;
use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};
use domain::resource::ResourceKind;
use engine::ports::PortResult;
use std::collections::BTreeMap;

/// Resource types to look for in the own Region.
pub(super) const TYPES: &[&str] = &[
    "apigateway",
    "dynamodb:table",
    "ecs:service",
    "elasticache",
    "elasticloadbalancing",
    "lambda:function",
    "rds:db",
    "sqs",
];
/// Kinds that [`TYPES`] cover.
pub(super) const KINDS: &[ResourceKind] = &[
    ResourceKind::Api,
    ResourceKind::Table,
    ResourceKind::EcsService,
    ResourceKind::Cache,
    ResourceKind::TargetGroup,
    ResourceKind::LoadBalancer,
    ResourceKind::Function,
    ResourceKind::Database,
    ResourceKind::Queue,
];
/// Resource types that are kept in one Region for all.
pub(super) const GLOBAL_TYPES: &[&str] = &["cloudfront:distribution"];

/// Largest page of GetResources.
const PAGE: i32 = 100;
/// ARNs that one GetResources call takes.
const ARNS_PER_CALL: usize = 100;
const ACTION: &str = "tag:GetResources";

/// Resources that carry all of these tags; the value `*` stands for any.
pub(crate) async fn by_tags(
    client: &Client,
    tags: &BTreeMap<String, String>,
    types: &[&str],
) -> PortResult<Vec<(String, Tags)>> {
    let filters = tags.iter().map(|(key, value)| {
        let filter = TagFilter::builder().key(key);
        if value == "*" { filter.build() } else { filter.values(value).build() }
    });
    let types = types.iter().map(|kind| (*kind).to_owned());
    let mut pages = client
        .get_resources()
        .set_tag_filters(Some(filters.collect()))
        .set_resource_type_filters(Some(types.collect()))
        .resources_per_page(PAGE)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| port_error(ACTION, "", &error))?;
        found.extend(page.resource_tag_mapping_list.unwrap_or_default().into_iter().filter_map(mapping));
    }
    // A service that does not know a filter, or reads it more widely, would give what nobody has named.
    found.retain(|(_, of_resource)| carries(of_resource, tags));
    Ok(found)
}

/// Whether a resource with these tags carries all that are wanted; the value `*` stands for any.
pub(crate) fn carries(tags: &Tags, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(key, value)| tags.get(key).is_some_and(|has| value == "*" || has == value))
}

/// Tags of these resources. One that has never had a tag is not in the answer.
pub(crate) async fn by_arn(client: &Client, arns: &[&str]) -> PortResult<BTreeMap<String, Tags>> {
    let mut found = BTreeMap::new();
    for some in arns.chunks(ARNS_PER_CALL) {
        let arns = some.iter().map(|arn| (*arn).to_owned()).collect();
        let output = client.get_resources().set_resource_arn_list(Some(arns)).send().await;
        let output = output.map_err(|error| port_error(ACTION, "", &error))?;
        found.extend(output.resource_tag_mapping_list.unwrap_or_default().into_iter().filter_map(mapping));
    }
    Ok(found)
}

/// All values of a tag.
pub(super) async fn values(client: &Client, key: &str) -> PortResult<Vec<String>> {
    let mut values = Vec::new();
    let mut pages = client.get_tag_values().key(key).into_paginator().items().send();
    while let Some(value) = pages.next().await {
        values.push(value.map_err(|error| port_error("tag:GetTagValues", key, &error))?);
    }
    Ok(values)
}

fn mapping(mapping: ResourceTagMapping) -> Option<(String, Tags)> {
    let tags = mapping.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    Some((mapping.resource_arn?, tags))
}
