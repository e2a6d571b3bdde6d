//! Restarts a fleet by an instance refresh.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_autoscaling::types::{RefreshPreferences, RefreshStrategy};
use aws_sdk_autoscaling::{Client, config};
use domain::changes::Pace;
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:StartInstanceRefresh",
];

const ACTION: &str = "autoscaling:StartInstanceRefresh";

pub(crate) async fn start(client: &Client, group: &str, pace: Pace) -> PortResult<()> {
    let pct = |share: u32| i32::try_from(share).unwrap_or(i32::MAX);
    let preferences = RefreshPreferences::builder()
        .min_healthy_percentage(pct(pace.min_healthy_pct))
        .max_healthy_percentage(pct(pace.max_healthy_pct))
        // Instances that already match the launch template are replaced too: the restart is the purpose.
        .skip_matching(false)
        .build();
    let repeats = patient(client.config().retry_config());
    client
        .start_instance_refresh()
        .auto_scaling_group_name(group)
        .strategy(RefreshStrategy::Rolling)
        .preferences(preferences)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, group, &error))
}
