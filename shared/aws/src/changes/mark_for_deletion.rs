//! Marks a resource of EC2 with the day from which on it may be deleted, and removes the mark.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ec2::types::Tag;
use aws_sdk_ec2::{Client, config};
use domain::resource::DELETE_AFTER_TAG;
use engine::ports::PortResult;
use jiff::Timestamp;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:DescribeAddresses",
    "ec2:DescribeImages",
    "ec2:DescribeSnapshots",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
];

/// Sets the mark of a resource by its id (`vol-…`), whatever mark was there.
pub(crate) async fn mark(client: &Client, id: &str, delete_after: Timestamp) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .create_tags()
        .resources(id)
        .tags(Tag::builder().key(DELETE_AFTER_TAG).value(delete_after.to_string()).build())
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error("ec2:CreateTags", id, &error))
}

/// Removes the mark of a resource, whatever it says.
pub(crate) async fn unmark(client: &Client, id: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .delete_tags()
        .resources(id)
        .tags(Tag::builder().key(DELETE_AFTER_TAG).build())
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error("ec2:DeleteTags", id, &error))
}
