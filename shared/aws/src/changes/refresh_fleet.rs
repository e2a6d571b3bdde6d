//! Restarts a fleet by an instance refresh.

use super::once;
use crate::errors::port_error;
use aws_sdk_autoscaling::types::{RefreshPreferences, RefreshStrategy};
use aws_sdk_autoscaling::{Client, config};
use engine::ports::PortResult;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:StartInstanceRefresh",
];

const ACTION: &str = "autoscaling:StartInstanceRefresh";

/// Share of the fleet that stays in service, in per cent: nothing is taken away before its successor serves.
const MIN_HEALTHY_PCT: i32 = 100;
/// Share of the fleet that may run at a time, in per cent. AWS launches at least one more, so a fleet of fewer than
/// twenty goes one by one.
const MAX_HEALTHY_PCT: i32 = 110;

pub(crate) async fn start(client: &Client, group: &str) -> PortResult<()> {
    let preferences = RefreshPreferences::builder()
        .min_healthy_percentage(MIN_HEALTHY_PCT)
        .max_healthy_percentage(MAX_HEALTHY_PCT)
        // Instances that already match the launch template are replaced too: the restart is the purpose.
        .skip_matching(false)
        .build();
    client
        .start_instance_refresh()
        .auto_scaling_group_name(group)
        .strategy(RefreshStrategy::Rolling)
        .preferences(preferences)
        .customize()
        .config_override(config::Config::builder().retry_config(once()))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, group, &error))
}
