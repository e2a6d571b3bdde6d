//! Terminates one instance of a group without shrinking it: the group launches another.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_autoscaling::{Client, config};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:TerminateInstanceInAutoScalingGroup",
];

const ACTION: &str = "autoscaling:TerminateInstanceInAutoScalingGroup";

pub(crate) async fn terminate(client: &Client, group: &str, instance: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .terminate_instance_in_auto_scaling_group()
        .instance_id(instance)
        .should_decrement_desired_capacity(false)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| match port_error(ACTION, instance, &error) {
            PortError::Gone { operation, .. } => PortError::Gone { operation, what: format!("{instance} of {group}") },
            other => other,
        })
}
