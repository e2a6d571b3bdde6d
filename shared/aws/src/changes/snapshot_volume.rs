//! Takes the final snapshot of a volume, and deletes it again.
//!
//! EC2 has no token that would make this happen once. The snapshot is tagged with its volume in the same call, so one
//! that is there already, from a call whose answer was lost, is found by its tag and is the one.

use super::delete_disk_snapshot;
use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use crate::estates::volumes;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_sdk_ec2::{Client, config};
use domain::resource::{APP_TAG, FINAL_SNAPSHOT_TAG, FinalSnapshot};
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:DeleteSnapshot",
    "ec2:DescribeSnapshots",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
];

const ACTION: &str = "ec2:CreateSnapshot";

pub(crate) async fn take(client: &Client, volume: &str) -> PortResult<()> {
    if !volumes::final_snapshots(client, volume).await?.is_empty() {
        return Ok(());
    }
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
    // It belongs to whom its volume belongs to: on the bill, and for IAM, which lets nothing else be deleted again.
    let app = volumes::tags(client, volume).await?.remove(APP_TAG);
    let tags = [Some(tag(FINAL_SNAPSHOT_TAG, volume)), app.map(|app| tag(APP_TAG, &app))].into_iter().flatten();
    let tags = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(tags.collect())).build();
    let repeats = patient(client.config().retry_config());
    client
        .create_snapshot()
        .volume_id(volume)
        .description(format!("Final snapshot of {volume}, taken by the maintainer"))
        .tag_specifications(tags)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, volume, &error))
}

/// Deletes the final snapshots of a volume but the one that was there before.
pub(crate) async fn remove(client: &Client, volume: &str, before: Option<&FinalSnapshot>) -> PortResult<()> {
    for snapshot in volumes::final_snapshots(client, volume).await? {
        if before.is_none_or(|before| before.id != snapshot.id) {
            delete_disk_snapshot::delete(client, &snapshot.id).await?;
        }
    }
    Ok(())
}
