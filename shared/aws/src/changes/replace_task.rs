//! Stops one task of an ECS service, which starts another.

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
    "ecs:StopTask",
];

const ACTION: &str = "ecs:StopTask";

/// The change's id is the reason that ECS shows with the stopped task.
pub(crate) async fn stop(client: &Client, cluster: &str, service: &str, task: &str, change_id: &str) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .stop_task()
        .cluster(cluster)
        .task(task)
        .reason(format!("replaced by the infrastructure maintainer, change {change_id}"))
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, &format!("{task} of {service}"), &error))
}
