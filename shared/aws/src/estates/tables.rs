//! Tables of DynamoDB, with how their capacity is bought.

use super::whose::Whose;
use super::{Account, by_arn, item};
use crate::arn;
use crate::errors::port_error;
use crate::inventory::gathered;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{BillingMode, TableClass, TableDescription, TableStatus};
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::TableTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::BTreeMap;

const TYPES: &[&str] = &["dynamodb:table"];
const KIND: ResourceKind = ResourceKind::Table;
const DESCRIBE: &str = "dynamodb:DescribeTable";

pub(super) async fn survey(
    client: &Client,
    tagging: &Tagging,
    whose: Whose<'_>,
    account: &Account,
) -> PortResult<Vec<Item>> {
    let (mut arns, tags) = match whose {
        Whose::Rest => {
            let all = list(client).await?.iter().map(|name| account.table(name)).collect();
            (all, by_arn::tags(tagging, whose, TYPES, &[]).await?)
        }
        Whose::App(_) => {
            let listed: Vec<String> = whose.listed(KIND).iter().map(|name| account.table(name)).collect();
            let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
            (listed.into_iter().chain(tags.keys().cloned()).collect::<Vec<String>>(), tags)
        }
    };
    arns.sort_unstable();
    arns.dedup();
    let named = arns.into_iter().filter_map(|arn| {
        let name = arn::named(&arn).filter(|named| named.kind == KIND)?.name;
        let tags = tags.get(&arn).cloned().unwrap_or_default();
        let resource = Resource { id: ResourceId::new(arn), name, tags, live: Live::Table };
        Some(item(resource, None))
    });
    let mut meant = whose.only(named.collect());
    let described: BTreeMap<String, Option<TableDescription>> = {
        let calls = meant.iter().map(|item| describe(client, item.resource.name.clone())).collect();
        gathered(calls).await.into_iter().collect::<PortResult<_>>()?
    };
    meant.retain_mut(|item| {
        let Some(Some(table)) = described.get(&item.resource.name) else { return false };
        item.created_at = moment(table.creation_date_time());
        item.terms = Some(Terms::Table(terms(table)));
        true
    });
    Ok(meant)
}

async fn list(client: &Client) -> PortResult<Vec<String>> {
    let mut pages = client.list_tables().into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(name) = pages.next().await {
        names.push(name.map_err(|error| port_error("dynamodb:ListTables", "", &error))?);
    }
    Ok(names)
}

/// One table; none where it went in the meantime.
async fn describe(client: &Client, name: String) -> PortResult<(String, Option<TableDescription>)> {
    let output = client.describe_table().table_name(&name).send().await;
    match output.map_err(|error| port_error(DESCRIBE, &name, &error)) {
        Ok(output) => Ok((name, output.table)),
        Err(PortError::Gone { .. }) => Ok((name, None)),
        Err(error) => Err(error),
    }
}

fn moment(at: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_second(at.secs()).ok())
}

/// A table that was never anything but provisioned has no summary of its mode.
fn terms(table: &TableDescription) -> TableTerms {
    let mode = table.billing_mode_summary();
    let class = table.table_class_summary().and_then(|summary| summary.table_class());
    TableTerms {
        is_active: table.table_status() == Some(&TableStatus::Active),
        is_on_demand: mode.and_then(|mode| mode.billing_mode()) == Some(&BillingMode::PayPerRequest),
        since: mode.and_then(|mode| moment(mode.last_update_to_pay_per_request_date_time())),
        has_indexes: !table.global_secondary_indexes().is_empty(),
        is_replicated: !table.replicas().is_empty(),
        is_standard_class: class.is_none_or(|class| *class == TableClass::Standard),
    }
}
