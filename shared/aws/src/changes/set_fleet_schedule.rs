//! Gives an Auto Scaling group two scheduled actions by one call, and takes them away again.

use super::throttled::{OnlyTheThrottled, patient};
use crate::errors::port_error;
use aws_sdk_autoscaling::types::{FailedScheduledUpdateGroupActionRequest, ScheduledUpdateGroupActionRequest};
use aws_sdk_autoscaling::{Client, config};
use domain::resource::{ScheduledAction, Sizes};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "autoscaling:BatchDeleteScheduledAction",
    "autoscaling:BatchPutScheduledUpdateGroupAction",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DescribeScheduledActions",
    "autoscaling:UpdateAutoScalingGroup",
];

const PUT: &str = "autoscaling:BatchPutScheduledUpdateGroupAction";
const DELETE: &str = "autoscaling:BatchDeleteScheduledAction";
const RESIZE: &str = "autoscaling:UpdateAutoScalingGroup";

/// All at once, those that come last first: a start before its stop, should the service get no further. It answers for each by
/// itself; where it refuses one, the others are deleted again.
pub(crate) async fn put(client: &Client, group: &str, actions: &[ScheduledAction]) -> PortResult<()> {
    let requests = actions.iter().rev().map(|action| request(group, action)).collect::<PortResult<Vec<_>>>()?;
    let repeats = patient(client.config().retry_config());
    let output = client
        .batch_put_scheduled_update_group_action()
        .auto_scaling_group_name(group)
        .set_scheduled_update_group_actions(Some(requests))
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map_err(|error| port_error(PUT, group, &error))?;
    let done = all_done(PUT, group, output.failed_scheduled_update_group_actions());
    if let Err(refused) = &done {
        let names: Vec<&str> = actions.iter().map(|action| action.name.as_str()).collect();
        // Where they can't be, some of them stand: that is found by reading.
        delete(client, group, &names).await.map_err(|error| PortError::Unknown {
            operation: PUT.to_owned(),
            why: format!("{refused}; what was made of it could not be deleted: {error}"),
        })?;
    }
    done
}

/// Deletes these actions. One that is gone already counts as deleted.
pub(crate) async fn delete(client: &Client, group: &str, names: &[&str]) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    let output = client
        .batch_delete_scheduled_action()
        .auto_scaling_group_name(group)
        .set_scheduled_action_names(Some(names.iter().map(|name| (*name).to_owned()).collect()))
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map_err(|error| port_error(DELETE, group, &error))?;
    let failed = output.failed_scheduled_actions().iter().filter(|failed| !is_gone(failed)).cloned();
    all_done(DELETE, group, &failed.collect::<Vec<_>>())
}

/// Gives a group these sizes.
pub(crate) async fn resize(client: &Client, group: &str, sizes: Sizes) -> PortResult<()> {
    let repeats = patient(client.config().retry_config());
    client
        .update_auto_scaling_group()
        .auto_scaling_group_name(group)
        .min_size(count(RESIZE, group, sizes.min)?)
        .desired_capacity(count(RESIZE, group, sizes.desired)?)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(RESIZE, group, &error))
}

fn request(group: &str, action: &ScheduledAction) -> PortResult<ScheduledUpdateGroupActionRequest> {
    let size = |size: Option<u32>| size.map(|size| count(PUT, group, size)).transpose();
    let request = ScheduledUpdateGroupActionRequest::builder()
        .scheduled_action_name(&action.name)
        .set_recurrence(action.recurrence.clone())
        .set_time_zone(action.time_zone.clone())
        .set_min_size(size(action.min)?)
        .set_max_size(size(action.max)?)
        .set_desired_capacity(size(action.desired)?)
        .build();
    Ok(request)
}

fn count(operation: &str, group: &str, size: u32) -> PortResult<i32> {
    i32::try_from(size).map_err(|_| rejected(operation, group, &format!("{size} is more than any group can have")))
}

fn is_gone(failed: &FailedScheduledUpdateGroupActionRequest) -> bool {
    failed.error_message().is_some_and(|message| message.contains("not found"))
}

fn all_done(operation: &str, group: &str, failed: &[FailedScheduledUpdateGroupActionRequest]) -> PortResult<()> {
    let Some(first) = failed.first() else { return Ok(()) };
    let why = format!(
        "{}: {} ({})",
        first.scheduled_action_name().unwrap_or_default(),
        first.error_message().unwrap_or("no reason"),
        first.error_code().unwrap_or("no code"),
    );
    Err(rejected(operation, group, &why))
}

fn rejected(operation: &str, group: &str, why: &str) -> PortError {
    PortError::Rejected { operation: format!("{operation} on {group}"), why: why.to_owned() }
}
