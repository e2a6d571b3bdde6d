//! EBS snapshots of the account's own, with the images that are made from them and whether their volumes still exist.

use super::whose::{VALUES_PER_FILTER, Whose, filter};
use super::{Account, item, read, volumes};
use crate::errors::port_error;
use crate::inventory::Tags;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Snapshot};
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{DiskSnapshot, Live, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};
use std::collections::{BTreeMap, BTreeSet};

/// Largest page.
const PAGE: i32 = 1_000;
const ACTION: &str = "ec2:DescribeSnapshots";
/// What Data Lifecycle Manager and AWS Backup name on the snapshots that they make and delete.
const POLICY_TAGS: [&str; 2] = ["aws:dlm:", "aws:backup:"];

pub(super) async fn survey(client: &Client, whose: Whose<'_>, account: &Account) -> PortResult<Vec<Item>> {
    let snapshots = whose.find(ResourceKind::DiskSnapshot, "snapshot-id", |filters| list(client, filters)).await?;
    let beside = Beside::read(client, &snapshots).await?;
    let items = snapshots.into_iter().map(|snapshot| {
        let created_at = read::moment(snapshot.start_time);
        let id = account.ec2("snapshot", snapshot.snapshot_id().unwrap_or_default());
        item(resource(snapshot, id, &beside), created_at)
    });
    Ok(whose.only(items.collect()))
}

/// One snapshot as it is now.
pub(crate) async fn read(client: &Client, id: &ResourceId, name: &str) -> PortResult<Resource> {
    let mut snapshots = list(client, vec![filter("snapshot-id", &[name.to_owned()])]).await?;
    snapshots.retain(|snapshot| snapshot.snapshot_id() == Some(name));
    let beside = Beside::read(client, &snapshots).await?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: name.to_owned() };
    Ok(resource(snapshots.pop().ok_or_else(gone)?, id.clone(), &beside))
}

async fn list(client: &Client, filters: Vec<Filter>) -> PortResult<Vec<Snapshot>> {
    let request = client.describe_snapshots().owner_ids("self").set_filters(Some(filters)).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut snapshots = Vec::new();
    while let Some(snapshot) = pages.next().await {
        snapshots.push(snapshot.map_err(|error| port_error(ACTION, "", &error))?);
    }
    Ok(snapshots)
}

/// What belongs to snapshots and is read apart from them.
#[derive(Debug, Default)]
struct Beside {
    images: BTreeMap<String, Vec<String>>,
    volumes: BTreeSet<String>,
}

impl Beside {
    async fn read(client: &Client, snapshots: &[Snapshot]) -> PortResult<Self> {
        let names = |of: fn(&Snapshot) -> Option<&str>| -> Vec<String> {
            let names: BTreeSet<&str> = snapshots.iter().filter_map(of).collect();
            names.into_iter().map(str::to_owned).collect()
        };
        let (own, of_volumes) = (names(Snapshot::snapshot_id), names(Snapshot::volume_id));
        let (images, volumes) = futures::join!(images(client, &own), volumes::existing(client, &of_volumes));
        Ok(Self { images: images?, volumes: volumes?.into_iter().collect() })
    }
}

/// Images by the snapshot that they are made from.
async fn images(client: &Client, snapshots: &[String]) -> PortResult<BTreeMap<String, Vec<String>>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for some in snapshots.chunks(VALUES_PER_FILTER) {
        // One that is disabled still needs its snapshots, and AWS leaves it out unless asked.
        let request = client.describe_images().owners("self").include_disabled(true).max_results(PAGE);
        let request = request.filters(filter("block-device-mapping.snapshot-id", some));
        let mut pages = request.into_paginator().items().send();
        while let Some(image) = pages.next().await {
            let image = image.map_err(|error| port_error("ec2:DescribeImages", "", &error))?;
            let Some(id) = image.image_id else { continue };
            let disks = image.block_device_mappings.unwrap_or_default().into_iter();
            for snapshot in disks.filter_map(|disk| disk.ebs?.snapshot_id) {
                found.entry(snapshot).or_default().push(id.clone());
            }
        }
    }
    Ok(found)
}

fn resource(snapshot: Snapshot, id: ResourceId, beside: &Beside) -> Resource {
    let name = snapshot.snapshot_id.unwrap_or_default();
    let volume = snapshot.volume_id.unwrap_or_default();
    let tags = read::tags(snapshot.tags);
    let live = DiskSnapshot {
        volume_exists: beside.volumes.contains(&volume),
        volume,
        size_gib: read::number(snapshot.volume_size).unwrap_or(0),
        images: beside.images.get(&name).cloned().unwrap_or_default(),
        has_policy: has_policy(&tags),
        delete_after: read::delete_after(&tags),
    };
    Resource { id, name, tags, live: Live::DiskSnapshot(live) }
}

pub(super) fn has_policy(tags: &Tags) -> bool {
    tags.keys().any(|key| POLICY_TAGS.iter().any(|start| key.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_of_a_policy_is_known_by_its_tags() {
        let tagged = |key: &str| has_policy(&Tags::from_iter([(key.to_owned(), "x".to_owned())]));
        assert!(tagged("aws:dlm:lifecycle-policy-id") && tagged("aws:backup:source-resource"));
        assert!(!tagged("dlm:managed") && !tagged("aws:cloudformation:stack-name"));
    }
}
