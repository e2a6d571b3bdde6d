//! Deletes a snapshot. EC2 refuses one that an image is made from.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ec2::{Client, config};
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] =
    &["ec2:DeleteSnapshot", "ec2:DescribeImages", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"];

const ACTION: &str = "ec2:DeleteSnapshot";

pub(crate) async fn delete(client: &Client, snapshot: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .delete_snapshot()
        .snapshot_id(snapshot)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, snapshot, &error))
}
