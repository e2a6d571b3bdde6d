//! Sets the type of a volume with its I/O, and sets it back.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ec2::types::VolumeType;
use aws_sdk_ec2::{Client, config};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] =
    &["ec2:DescribeSnapshots", "ec2:DescribeVolumes", "ec2:DescribeVolumesModifications", "ec2:ModifyVolume"];

const ACTION: &str = "ec2:ModifyVolume";

/// Which of its I/O a type takes as a value of its own; the others follow from the size, and EC2 refuses them.
fn takes(volume_type: &str) -> (bool, bool) {
    match volume_type {
        "gp3" => (true, true),
        "io1" | "io2" => (true, false),
        _ => (false, false),
    }
}

pub(crate) async fn set(
    client: &Client,
    volume: &str,
    volume_type: &str,
    iops: Option<u32>,
    throughput_mibps: Option<u32>,
) -> PortResult<()> {
    let (has_iops, has_throughput) = takes(volume_type);
    let number = |value: Option<u32>| {
        value.map(i32::try_from).transpose().map_err(|_| PortError::Rejected {
            operation: format!("{ACTION} on {volume}"),
            why: "that is more I/O than any volume can have".to_owned(),
        })
    };
    let repeats = patient(client.config().retry_config());
    client
        .modify_volume()
        .volume_id(volume)
        .volume_type(VolumeType::from(volume_type))
        .set_iops(number(iops.filter(|_| has_iops))?)
        .set_throughput(number(throughput_mibps.filter(|_| has_throughput))?)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, volume, &error))
}
