//! Gives an Elastic IP address back. EC2 refuses one that is associated.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ec2::{Client, config};
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &["ec2:DescribeAddresses", "ec2:ReleaseAddress"];

const ACTION: &str = "ec2:ReleaseAddress";

pub(crate) async fn release(client: &Client, allocation: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .release_address()
        .allocation_id(allocation)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, allocation, &error))
}
