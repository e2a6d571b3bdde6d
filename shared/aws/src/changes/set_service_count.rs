//! Sets the desired count of an ECS service, and sets it back.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ecs::{Client, config};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "application-autoscaling:DescribeScalableTargets",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:UpdateService",
];

const ACTION: &str = "ecs:UpdateService";

pub(crate) async fn set(client: &Client, cluster: &str, service: &str, desired: u32) -> PortResult<()> {
    let desired = i32::try_from(desired).map_err(|_| PortError::Rejected {
        operation: format!("{ACTION} on {service}"),
        why: format!("{desired} is more than any service can have"),
    })?;
    let repeats = patient(client.config().retry_config());
    client
        .update_service()
        .cluster(cluster)
        .service(service)
        .desired_count(desired)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, service, &error))
}
