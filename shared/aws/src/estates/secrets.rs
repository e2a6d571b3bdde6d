//! Secrets of Secrets Manager, by what is noted about them; no value is ever read.

use super::item;
use super::read::moment;
use super::whose::Whose;
use crate::errors::port_error;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::SecretListEntry;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, Secret};
use engine::ports::PortResult;

/// Largest page.
const PAGE: i32 = 100;
const ACTION: &str = "secretsmanager:ListSecrets";

pub(super) async fn survey(client: &Client, whose: Whose<'_>, region: &str) -> PortResult<Vec<Item>> {
    let mut pages = client.list_secrets().max_results(PAGE).into_paginator().send();
    let mut items = Vec::new();
    while let Some(page) = pages.next().await {
        let secrets = page.map_err(|error| port_error(ACTION, "", &error))?.secret_list.unwrap_or_default();
        // One that is to be deleted costs nothing.
        items.extend(secrets.into_iter().filter(|of| of.deleted_date.is_none()).map(|of| found(of, region)));
    }
    Ok(whose.only(items))
}

fn found(secret: SecretListEntry, region: &str) -> Item {
    let live = Secret {
        last_accessed: moment(secret.last_accessed_date),
        last_changed: moment(secret.last_changed_date),
        is_owned_by_service: secret.owning_service.is_some(),
        is_rotated: secret.rotation_enabled.unwrap_or(false),
        is_replica: secret.primary_region.as_ref().is_some_and(|primary| primary != region),
    };
    let tags = secret.tags.unwrap_or_default().into_iter();
    let tags = tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect();
    let id = ResourceId::new(secret.arn.unwrap_or_default());
    let resource = Resource { id, name: secret.name.unwrap_or_default(), tags, live: Live::Secret(live) };
    item(resource, moment(secret.created_date))
}
