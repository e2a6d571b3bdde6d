//! Deletes a volume. EC2 refuses one that is attached.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ec2::{Client, config};
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] =
    &["ec2:DeleteVolume", "ec2:DescribeSnapshots", "ec2:DescribeVolumes", "ec2:DescribeVolumesModifications"];

const ACTION: &str = "ec2:DeleteVolume";

pub(crate) async fn delete(client: &Client, volume: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .delete_volume()
        .volume_id(volume)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, volume, &error))
}
