//! Databases of RDS and Aurora, as the inventory reads them, with what is bought.

use super::item;
use super::whose::Whose;
use crate::inventory::{Tags, databases};
use aws_sdk_rds::Client;
use aws_sdk_rds::types::DbInstance;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::DatabaseTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource};
use engine::ports::PortResult;
use jiff::Timestamp;

/// Engines that the same API lists and that are other services.
const OTHERS: [&str; 2] = ["neptune", "docdb"];

/// Each comes with its tags, so all are read and those that are meant are taken.
pub(super) async fn survey(client: &Client, whose: Whose<'_>) -> PortResult<Vec<Item>> {
    let mut instances = databases::call(client, &[]).await?;
    instances.retain(|instance| !OTHERS.contains(&instance.engine().unwrap_or_default()));
    let items = instances.iter().map(|instance| {
        let created_at = instance.instance_create_time.and_then(|at| Timestamp::from_second(at.secs()).ok());
        let mut item = item(resource(instance), created_at);
        item.terms = Some(Terms::Database(terms(instance, &instances)));
        item
    });
    Ok(whose.only(items.collect()))
}

fn resource(instance: &DbInstance) -> Resource {
    let tags = instance.tag_list().iter();
    let tags: Tags = tags.filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()))).collect();
    Resource {
        id: ResourceId::new(instance.db_instance_arn().unwrap_or_default()),
        name: instance.db_instance_identifier().unwrap_or_default().to_owned(),
        tags,
        live: Live::Database(databases::database(instance)),
    }
}

fn terms(instance: &DbInstance, all: &[DbInstance]) -> DatabaseTerms {
    let storage_type = instance.storage_type().unwrap_or_default().to_owned();
    let cluster = instance.db_cluster_identifier().map(str::to_owned);
    let is_peer = |of: &&DbInstance| {
        cluster.is_some()
            && of.db_cluster_identifier() == cluster.as_deref()
            && of.db_instance_identifier() != instance.db_instance_identifier()
    };
    let peers = all.iter().filter(is_peer).filter_map(|of| of.db_instance_identifier.clone()).collect();
    let is_aurora = storage_type.starts_with("aurora");
    DatabaseTerms {
        is_available: instance.db_instance_status() == Some("available"),
        is_multi_az: instance.multi_az().unwrap_or(false) && !is_aurora,
        storage_gib: instance.allocated_storage().filter(|_| !is_aurora).and_then(|gib| u32::try_from(gib).ok()),
        storage_type,
        peers,
        is_replica: instance.read_replica_source_db_instance_identifier().is_some()
            || instance.read_replica_source_db_cluster_identifier().is_some(),
        has_replicas: !instance.read_replica_db_instance_identifiers().is_empty()
            || !instance.read_replica_db_cluster_identifiers().is_empty(),
        has_deletion_protection: instance.deletion_protection().unwrap_or(false),
        cluster,
    }
}
