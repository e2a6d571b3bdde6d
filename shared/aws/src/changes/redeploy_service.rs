//! Restarts an ECS service by a new deployment of the task definition it runs.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_ecs::{Client, config};
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "application-autoscaling:DescribeScalableTargets",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:UpdateService",
];

const ACTION: &str = "ecs:UpdateService";

pub(crate) async fn deploy(client: &Client, cluster: &str, service: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .update_service()
        .cluster(cluster)
        .service(service)
        .force_new_deployment(true)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, service, &error))
}
