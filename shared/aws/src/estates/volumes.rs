//! EBS volumes, with the modification that may be under way and the final snapshot that may have been taken.

use super::whose::{VALUES_PER_FILTER, Whose, filter, literal};
use super::{Account, item, read};
use crate::errors::port_error;
use crate::inventory::Tags;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, SnapshotState, VolumeModification, VolumeModificationState as State, VolumeState};
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{FINAL_SNAPSHOT_TAG, FinalSnapshot, Live, Resource, ResourceKind, Volume};
use engine::ports::{PortError, PortResult};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Largest pages.
const PAGE: i32 = 1_000;
const MODIFICATIONS_PAGE: i32 = 500;
/// Volumes up to which they are asked for by name. Of more all of the Region is asked for: few volumes are modified, and few snapshots are the
/// final ones, so that is a page or two instead of a call for each two hundred.
const ASKED_BY_NAME_MAX: usize = 1_000;
const ACTION: &str = "ec2:DescribeVolumes";
/// How long after a modification EC2 refuses another one.
const REST: SignedDuration = SignedDuration::from_hours(6);

pub(super) async fn survey(
    client: &Client,
    whose: Whose<'_>,
    account: &Account,
    now: Timestamp,
) -> PortResult<Vec<Item>> {
    let one = |volume: aws_sdk_ec2::types::Volume| {
        let created_at = read::moment(volume.create_time);
        let id = account.ec2("volume", volume.volume_id().unwrap_or_default());
        item(resource(volume, id), created_at)
    };
    let items = whose.find(ResourceKind::Volume, "volume-id", |filters| list(client, filters, one)).await?;
    let mut items = whose.only(items);
    let names: Vec<String> = items.iter().map(|item| item.resource.name.clone()).collect();
    let beside = Beside::read(client, &names).await?;
    for item in &mut items {
        beside.complete(&mut item.resource, now);
    }
    Ok(items)
}

/// One volume as it is now.
pub(crate) async fn read(client: &Client, id: &ResourceId, name: &str, now: Timestamp) -> PortResult<Resource> {
    let names = [name.to_owned()];
    let volumes = list(client, vec![filter("volume-id", &names)], |volume| volume).await?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: name.to_owned() };
    let volume = volumes.into_iter().find(|volume| volume.volume_id() == Some(name)).ok_or_else(gone)?;
    let mut resource = resource(volume, id.clone());
    Beside::read(client, &names).await?.complete(&mut resource, now);
    Ok(resource)
}

/// Which of these volumes exist.
pub(super) async fn existing(client: &Client, names: &[String]) -> PortResult<Vec<String>> {
    let mut found = Vec::new();
    for some in names.chunks(VALUES_PER_FILTER) {
        let volumes = list(client, vec![filter("volume-id", some)], |volume| volume.volume_id).await?;
        found.extend(volumes.into_iter().flatten());
    }
    Ok(found)
}

/// The final snapshots of a volume that were not lost, the newest first.
pub(crate) async fn final_snapshots(client: &Client, volume: &str) -> PortResult<Vec<FinalSnapshot>> {
    let beside = finals(client, Some(&[volume.to_owned()])).await?;
    let mut found: Vec<_> = beside.into_iter().filter(|(of, ..)| of == volume).collect();
    found.sort_by_key(|(_, at, _)| std::cmp::Reverse(*at));
    Ok(found.into_iter().map(|(_, _, snapshot)| snapshot).collect())
}

/// What is made of each is kept; what the SDK makes of one is many times as large.
async fn list<T>(
    client: &Client,
    filters: Vec<Filter>,
    each: impl Fn(aws_sdk_ec2::types::Volume) -> T,
) -> PortResult<Vec<T>> {
    let request = client.describe_volumes().set_filters(Some(filters)).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut volumes = Vec::new();
    while let Some(volume) = pages.next().await {
        let volume = volume.map_err(|error| port_error(ACTION, "", &error))?;
        // One that is being deleted is paid for no longer.
        if !matches!(volume.state, Some(VolumeState::Deleting | VolumeState::Deleted)) {
            volumes.push(each(volume));
        }
    }
    Ok(volumes)
}

/// Tags of a volume.
pub(crate) async fn tags(client: &Client, name: &str) -> PortResult<Tags> {
    let volumes = list(client, vec![filter("volume-id", &[name.to_owned()])], |volume| volume).await?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: name.to_owned() };
    let volume = volumes.into_iter().find(|volume| volume.volume_id() == Some(name)).ok_or_else(gone)?;
    Ok(read::tags(volume.tags))
}

/// Volumes by their names, or all of the Region.
type Whole<'a> = Option<&'a [String]>;

/// What belongs to volumes and is read apart from them.
#[derive(Debug, Default)]
struct Beside {
    modifications: BTreeMap<String, VolumeModification>,
    snapshots: BTreeMap<String, (Option<Timestamp>, FinalSnapshot)>,
}

impl Beside {
    async fn read(client: &Client, names: &[String]) -> PortResult<Self> {
        let mut beside = Self::default();
        let asked: Vec<Whole<'_>> = match names.len() {
            0..=ASKED_BY_NAME_MAX => names.chunks(VALUES_PER_FILTER).map(Some).collect(),
            _ => vec![None],
        };
        for some in asked {
            let (modifications, finals) = futures::join!(modifications(client, some), finals(client, some));
            for modification in modifications? {
                let name = modification.volume_id.clone().unwrap_or_default();
                let began = |of: &VolumeModification| read::moment(of.start_time);
                match beside.modifications.get(&name) {
                    Some(newer) if began(newer) >= began(&modification) => {}
                    _ => drop(beside.modifications.insert(name, modification)),
                }
            }
            for (name, at, snapshot) in finals? {
                match beside.snapshots.get(&name) {
                    Some((newer, _)) if *newer >= at => {}
                    _ => drop(beside.snapshots.insert(name, (at, snapshot))),
                }
            }
        }
        Ok(beside)
    }

    /// Adds what is known of a volume from beside it.
    fn complete(&self, resource: &mut Resource, now: Timestamp) {
        let Live::Volume(live) = &mut resource.live else { return };
        live.final_snapshot = self.snapshots.get(&resource.name).map(|(_, snapshot)| snapshot.clone());
        let Some(of) = self.modifications.get(&resource.name) else { return };
        live.is_modifying = bars_another(of, now);
        if is_under_way(of) {
            // What it is becoming is what was set; EC2 shows the old values until the modification is far enough.
            if let Some(kind) = &of.target_volume_type {
                kind.as_str().clone_into(&mut live.volume_type);
                live.iops = read::number(of.target_iops);
                live.throughput_mibps = read::number(of.target_throughput);
            }
        }
    }
}

async fn modifications(client: &Client, names: Whole<'_>) -> PortResult<Vec<VolumeModification>> {
    // By filter, since a volume that was never modified is an error when it is asked for by its id.
    let filters = names.map(|names| vec![filter("volume-id", names)]);
    let request = client.describe_volumes_modifications().set_filters(filters);
    let mut pages = request.max_results(MODIFICATIONS_PAGE).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(modification) = pages.next().await {
        found.push(modification.map_err(|error| port_error("ec2:DescribeVolumesModifications", "", &error))?);
    }
    Ok(found)
}

/// Final snapshots with the volume that each is of and when it was begun. One that failed is none.
async fn finals(client: &Client, volumes: Whole<'_>) -> PortResult<Vec<(String, Option<Timestamp>, FinalSnapshot)>> {
    let tagged = match volumes {
        Some(names) => {
            let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
            filter(&format!("tag:{FINAL_SNAPSHOT_TAG}"), &names)
        }
        None => filter("tag-key", &[FINAL_SNAPSHOT_TAG.to_owned()]),
    };
    let request = client.describe_snapshots().owner_ids("self").filters(tagged).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(snapshot) = pages.next().await {
        let snapshot = snapshot.map_err(|error| port_error("ec2:DescribeSnapshots", "", &error))?;
        let Some(volume) = read::tags(snapshot.tags).remove(FINAL_SNAPSHOT_TAG) else { continue };
        if snapshot.state == Some(SnapshotState::Error) {
            continue;
        }
        let is_complete = snapshot.state == Some(SnapshotState::Completed);
        let at = read::moment(snapshot.start_time);
        found.push((volume, at, FinalSnapshot { id: snapshot.snapshot_id.unwrap_or_default(), is_complete }));
    }
    Ok(found)
}

/// A volume by itself.
fn resource(volume: aws_sdk_ec2::types::Volume, id: ResourceId) -> Resource {
    let name = volume.volume_id.unwrap_or_default();
    let tags = read::tags(volume.tags);
    let live = Volume {
        volume_type: volume.volume_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        size_gib: read::number(volume.size).unwrap_or(0),
        iops: read::number(volume.iops),
        throughput_mibps: read::number(volume.throughput),
        attached_to: read::slim(volume.attachments, |of| of.instance_id),
        is_modifying: false,
        delete_after: read::delete_after(&tags),
        final_snapshot: None,
    };
    Resource { id, name, tags, live: Live::Volume(live) }
}

fn is_under_way(of: &VolumeModification) -> bool {
    matches!(of.modification_state, Some(State::Modifying | State::Optimizing))
}

/// Under way, or over for less than six hours.
fn bars_another(of: &VolumeModification, now: Timestamp) -> bool {
    let ended = read::moment(of.end_time).or_else(|| read::moment(of.start_time));
    let is_fresh = ended.is_some_and(|at| now.duration_since(at) < REST);
    is_under_way(of) || (of.modification_state == Some(State::Completed) && is_fresh)
}
