//! Lets the events of a log group expire after some days.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_cloudwatchlogs::{Client, config};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &["logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:PutRetentionPolicy"];

const ACTION: &str = "logs:PutRetentionPolicy";

pub(crate) async fn set(client: &Client, group: &str, days: u32) -> PortResult<()> {
    let days = i32::try_from(days).map_err(|_| PortError::Rejected {
        operation: format!("{ACTION} on {group}"),
        why: format!("{days} days are more than any log group can be kept"),
    })?;
    let repeats = patient(client.config().retry_config());
    client
        .put_retention_policy()
        .log_group_name(group)
        .retention_in_days(days)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, group, &error))
}
