//! Log groups of CloudWatch Logs. Their tags come from the tagging API, all at once.

use super::whose::Whose;
use super::{Account, item};
use crate::errors::port_error;
use crate::inventory::{Tags, tagged};
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Live, LogGroup, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Largest page, and log groups that one call takes by name.
const PAGE: i32 = 50;
const NAMES_PER_CALL: usize = 50;
const TYPE: &[&str] = &["logs:log-group"];
const ACTION: &str = "logs:DescribeLogGroups";

pub(super) async fn survey(
    client: &Client,
    tagging: &Tagging,
    whose: Whose<'_>,
    account: &Account,
) -> PortResult<Vec<Item>> {
    let (groups, tags) = match whose {
        Whose::Rest => {
            let any = BTreeMap::new();
            let (groups, tags) = futures::join!(all(client), tagged::by_tags(tagging, &any, TYPE));
            (groups?, by_name(tags?))
        }
        Whose::App(selector) => {
            let listed = whose.listed(ResourceKind::LogGroup);
            let mut tags = BTreeMap::new();
            if !selector.tags.is_empty() {
                tags = by_name(tagged::by_tags(tagging, &selector.tags, TYPE).await?);
            }
            let arns: Vec<String> = listed.iter().map(|name| account.log_group(name)).collect();
            let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
            if !arns.is_empty() {
                tags.extend(by_name(tagged::by_arn(tagging, &arns).await?.into_iter().collect()));
            }
            let names: BTreeSet<&String> = tags.keys().chain(&listed).collect();
            let names: Vec<String> = names.into_iter().cloned().collect();
            (named(client, &names).await?, tags)
        }
    };
    let items = groups.into_iter().map(|group| {
        let created_at = group.creation_time.and_then(|at| Timestamp::from_millisecond(at).ok());
        let name = group.log_group_name().unwrap_or_default();
        let (id, tags) = (ResourceId::new(account.log_group(name)), tags.get(name).cloned().unwrap_or_default());
        item(resource(group, id, tags), created_at)
    });
    Ok(whose.only(items.collect()))
}

/// One log group as it is now.
pub(crate) async fn read(client: &Client, id: &ResourceId, name: &str) -> PortResult<Resource> {
    let groups = named(client, &[name.to_owned()]).await?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: name.to_owned() };
    let group = groups.into_iter().find(|group| group.log_group_name() == Some(name)).ok_or_else(gone)?;
    // Tags are asked for by the ARN without the ":*" that stands for all streams.
    let arn = group.log_group_arn().or(group.arn()).unwrap_or_default().trim_end_matches(":*").to_owned();
    let action = "logs:ListTagsForResource";
    let tags = client.list_tags_for_resource().resource_arn(arn).send().await;
    let tags = tags.map_err(|error| port_error(action, name, &error))?.tags.unwrap_or_default();
    Ok(resource(group, id.clone(), tags.into_iter().collect()))
}

async fn all(client: &Client) -> PortResult<Vec<aws_sdk_cloudwatchlogs::types::LogGroup>> {
    let mut pages = client.describe_log_groups().limit(PAGE).into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        groups.push(group.map_err(|error| port_error(ACTION, "", &error))?);
    }
    Ok(groups)
}

async fn named(client: &Client, names: &[String]) -> PortResult<Vec<aws_sdk_cloudwatchlogs::types::LogGroup>> {
    let mut groups = Vec::new();
    for some in names.chunks(NAMES_PER_CALL) {
        let request = client.describe_log_groups().set_log_group_identifiers(Some(some.to_vec()));
        // Names go with no limit of a page; there are no more of them than a page has by itself.
        let mut pages = request.into_paginator().items().send();
        while let Some(group) = pages.next().await {
            groups.push(group.map_err(|error| port_error(ACTION, "", &error))?);
        }
    }
    Ok(groups)
}

/// Tags by the name of the group.
fn by_name(tagged: Vec<(String, Tags)>) -> BTreeMap<String, Tags> {
    let named = tagged.into_iter().filter_map(|(arn, tags)| Some((crate::arn::named(&arn)?.name, tags)));
    named.collect()
}

fn resource(group: aws_sdk_cloudwatchlogs::types::LogGroup, id: ResourceId, tags: Tags) -> Resource {
    let live = LogGroup {
        retention_days: group.retention_in_days.and_then(|days| u32::try_from(days).ok()),
        stored_bytes: group.stored_bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
    };
    Resource { id, name: group.log_group_name.unwrap_or_default(), tags, live: Live::LogGroup(live) }
}
