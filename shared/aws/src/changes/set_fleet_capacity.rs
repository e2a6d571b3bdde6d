//! Sets the desired capacity of an Auto Scaling group, and sets it back.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_autoscaling::{Client, config};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:SetDesiredCapacity",
];

const ACTION: &str = "autoscaling:SetDesiredCapacity";

pub(crate) async fn set(client: &Client, group: &str, desired: u32) -> PortResult<()> {
    let desired = i32::try_from(desired).map_err(|_| PortError::Rejected {
        operation: format!("{ACTION} on {group}"),
        why: format!("{desired} is more than any group can have"),
    })?;
    let repeats = patient(client.config().retry_config());
    client
        .set_desired_capacity()
        .auto_scaling_group_name(group)
        .desired_capacity(desired)
        // The guards have their own cool-down; the group's would refuse an undo.
        .honor_cooldown(false)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, group, &error))
}
