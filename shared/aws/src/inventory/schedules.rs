//! Scheduled actions of Auto Scaling groups.

use crate::errors::port_error;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::ScheduledUpdateGroupAction;
use domain::observed::Observed;
use domain::resource::{Live, Resource, ScheduledAction};
use engine::ports::PortResult;
use std::collections::BTreeMap;

/// Largest page of DescribeScheduledActions.
const PAGE: i32 = 100;
const ACTION: &str = "autoscaling:DescribeScheduledActions";
/// Groups up to which each is asked for its own; for more all of the account are read.
const BY_NAME_MAX: usize = 3;

/// Gives these groups their scheduled actions: known, or missing with the reason. Other resources stay as they are.
pub(crate) async fn add(client: &Client, resources: &mut [Resource]) {
    let names: Vec<&str> = resources.iter().map(|resource| resource.name.as_str()).collect();
    let read = match names.as_slice() {
        [] => return,
        few if few.len() <= BY_NAME_MAX => {
            let calls = few.iter().map(|name| of(client, Some(name)));
            futures::future::try_join_all(calls).await.map(|of_each| of_each.into_iter().flatten().collect())
        }
        _ => of(client, None).await,
    };
    let mut by_group: BTreeMap<String, Vec<ScheduledAction>> = BTreeMap::new();
    let missing = match read {
        Ok(read) => {
            for (group, action) in read {
                by_group.entry(group).or_default().push(action);
            }
            None
        }
        Err(error) => Some(error.missing()),
    };
    for resource in resources {
        if let Live::AutoScalingGroup(fleet) = &mut resource.live {
            fleet.scheduled = match &missing {
                Some(why) => Observed::Missing(why.clone()),
                None => Observed::Known(by_group.remove(&resource.name).unwrap_or_default()),
            };
        }
    }
}

/// The scheduled actions of one group, or of all.
pub(crate) async fn of(client: &Client, group: Option<&str>) -> PortResult<Vec<(String, ScheduledAction)>> {
    let request = client.describe_scheduled_actions().set_auto_scaling_group_name(group.map(str::to_owned));
    let mut pages = request.max_records(PAGE).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(action) = pages.next().await {
        let action = action.map_err(|error| port_error(ACTION, group.unwrap_or_default(), &error))?;
        found.push((action.auto_scaling_group_name.clone().unwrap_or_default(), scheduled(action)));
    }
    Ok(found)
}

fn scheduled(action: ScheduledUpdateGroupAction) -> ScheduledAction {
    let size = |size: Option<i32>| size.and_then(|size| u32::try_from(size).ok());
    ScheduledAction {
        name: action.scheduled_action_name.unwrap_or_default(),
        recurrence: action.recurrence,
        time_zone: action.time_zone,
        min: size(action.min_size),
        max: size(action.max_size),
        desired: size(action.desired_capacity),
    }
}
