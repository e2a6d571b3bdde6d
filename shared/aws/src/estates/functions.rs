//! Lambda functions, with what is bought of them.
//!
//! Provisioned concurrency is asked for function by function, and all functions of an account share a few calls a second
//! of Lambda's control plane: so it is asked only of those that Lambda Insights may measure, the others make no claim.

use super::whose::Whose;
use super::{by_arn, item};
use crate::errors::port_error;
use crate::inventory::gathered;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::{Architecture, FunctionConfiguration, PackageType};
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::FunctionTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use jiff::fmt::strtime;

const TYPES: &[&str] = &["lambda:function"];
/// Layers of AWS that have the extension: `LambdaInsightsExtension` and `LambdaInsightsExtension-Arm64`.
const INSIGHTS: &str = ":layer:LambdaInsightsExtension";
const LIST: &str = "lambda:ListFunctions";
const PROVISIONED: &str = "lambda:ListProvisionedConcurrencyConfigs";

pub(super) async fn survey(client: &Client, tagging: &Tagging, whose: Whose<'_>) -> PortResult<Vec<Item>> {
    let functions = list(client).await?;
    let all: Vec<String> = functions.iter().filter_map(|function| function.function_arn.clone()).collect();
    let listed = by_arn::listed(whose, ResourceKind::Function, &all);
    let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
    let items = functions.into_iter().map(|function| {
        let arn = function.function_arn().unwrap_or_default().to_owned();
        let name = function.function_name().unwrap_or_default().to_owned();
        let tags = tags.get(&arn).cloned().unwrap_or_default();
        let mut item = item(Resource { id: ResourceId::new(arn), name, tags, live: Live::Function }, None);
        item.terms = Some(Terms::Function(terms(&function)));
        item
    });
    let mut meant = whose.only(items.collect());
    let is_provisioned: Vec<PortResult<bool>> = {
        let calls = meant.iter().map(|item| is_provisioned(client, item)).collect();
        gathered(calls).await
    };
    for (item, is) in meant.iter_mut().zip(is_provisioned) {
        if let Some(Terms::Function(terms)) = &mut item.terms {
            terms.is_provisioned = is?;
        }
    }
    Ok(meant)
}

async fn list(client: &Client) -> PortResult<Vec<FunctionConfiguration>> {
    let mut pages = client.list_functions().into_paginator().items().send();
    let mut functions = Vec::new();
    while let Some(function) = pages.next().await {
        functions.push(function.map_err(|error| port_error(LIST, "", &error))?);
    }
    Ok(functions)
}

/// Some of its concurrency is provisioned, for any of its versions; of one that is gone none.
async fn is_provisioned(client: &Client, item: &Item) -> PortResult<bool> {
    let Some(Terms::Function(FunctionTerms { may_have_insights: true, .. })) = &item.terms else { return Ok(false) };
    let name = &item.resource.name;
    let output = client.list_provisioned_concurrency_configs().function_name(name).send().await;
    match output.map_err(|error| port_error(PROVISIONED, name, &error)) {
        // A page may be empty and have another behind it.
        Ok(output) => Ok(!output.provisioned_concurrency_configs().is_empty() || output.next_marker().is_some()),
        Err(PortError::Gone { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn terms(function: &FunctionConfiguration) -> FunctionTerms {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
    let has_layer = function.layers().iter().filter_map(|layer| layer.arn()).any(|arn| arn.contains(INSIGHTS));
    FunctionTerms {
        memory_mb: number(function.memory_size()),
        timeout_s: number(function.timeout()),
        is_arm: function.architectures().contains(&Architecture::Arm64),
        changed_at: function.last_modified().and_then(moment),
        may_have_insights: has_layer || function.package_type() == Some(&PackageType::Image),
        is_provisioned: false,
        has_own_capacity: function.capacity_provider_config().is_some(),
    }
}

/// Lambda writes `2026-01-02T03:04:05.678+0000`, without the colon of RFC 3339.
fn moment(text: &str) -> Option<Timestamp> {
    strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).ok()?.to_timestamp().ok()
}
