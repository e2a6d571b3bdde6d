//! Alarms of CloudWatch on metrics. Of those without data it is looked up whether what they watch is still there.

use super::whose::{VALUES_PER_FILTER, Whose, filter};
use super::{by_arn, item, volumes};
use crate::errors::port_error;
use crate::inventory::Tags;
use aws_sdk_autoscaling::Client as AutoScaling;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm, StateValue};
use aws_sdk_ec2::Client as Ec2;
use aws_sdk_rds::Client as Rds;
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Alarm, Live, Resource, ResourceKind, Watched};
use engine::ports::PortResult;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Largest page.
const PAGE: i32 = 100;
const ACTION: &str = "cloudwatch:DescribeAlarms";
const TYPES: &[&str] = &["cloudwatch:alarm"];
/// Groups that one call takes by name.
const GROUPS_PER_CALL: usize = 50;
/// States of an instance that is there.
const THERE: [&str; 4] = ["pending", "running", "stopping", "stopped"];
const INSTANCE: &str = "InstanceId";
const VOLUME: &str = "VolumeId";
const GROUP: &str = "AutoScalingGroupName";
const DATABASE: &str = "DBInstanceIdentifier";

/// Where it is asked.
#[derive(Clone, Copy)]
pub(super) struct Services<'a> {
    pub(super) cloudwatch: &'a Client,
    pub(super) ec2: &'a Ec2,
    pub(super) autoscaling: &'a AutoScaling,
    pub(super) rds: &'a Rds,
    pub(super) tagging: &'a Tagging,
}

pub(super) async fn survey(services: Services<'_>, whose: Whose<'_>) -> PortResult<Vec<Item>> {
    let alarms = list(services.cloudwatch).await?;
    let arns: Vec<String> = alarms.iter().filter_map(|alarm| alarm.alarm_arn.clone()).collect();
    let listed = by_arn::listed(whose, ResourceKind::Alarm, &arns);
    let tags = by_arn::tags(services.tagging, whose, TYPES, &listed).await?;
    let mut items = whose.only(alarms.iter().map(|alarm| found(alarm, &tags)).collect());
    let silent: BTreeSet<(String, String)> = items.iter().filter_map(unseen).collect();
    let there = there(services, &silent).await?;
    for item in &mut items {
        if let Live::Alarm(Alarm { watched: Some(watched), .. }) = &mut item.resource.live {
            let key = (watched.dimension.clone(), watched.name.clone());
            watched.exists = !silent.contains(&key) || there.contains(&key);
        }
    }
    Ok(items)
}

async fn list(client: &Client) -> PortResult<Vec<MetricAlarm>> {
    let request = client.describe_alarms().alarm_types(AlarmType::MetricAlarm).max_records(PAGE);
    let mut pages = request.into_paginator().send();
    let mut alarms = Vec::new();
    while let Some(page) = pages.next().await {
        alarms.extend(page.map_err(|error| port_error(ACTION, "", &error))?.metric_alarms.unwrap_or_default());
    }
    Ok(alarms)
}

/// What an alarm without data watches.
fn unseen(item: &Item) -> Option<(String, String)> {
    let Live::Alarm(alarm) = &item.resource.live else { return None };
    let watched = alarm.watched.as_ref().filter(|_| alarm.without_data_since.is_some())?;
    Some((watched.dimension.clone(), watched.name.clone()))
}

/// Those of these things that are there.
async fn there(services: Services<'_>, asked: &BTreeSet<(String, String)>) -> PortResult<BTreeSet<(String, String)>> {
    let named = |dimension: &str| -> Vec<String> {
        asked.iter().filter(|(of, _)| of == dimension).map(|(_, name)| name.clone()).collect()
    };
    let mut found = BTreeSet::new();
    let mut add = |dimension: &str, names: Vec<String>| {
        found.extend(names.into_iter().map(|name| (dimension.to_owned(), name)));
    };
    add(INSTANCE, instances(services.ec2, &named(INSTANCE)).await?);
    add(VOLUME, volumes::existing(services.ec2, &named(VOLUME)).await?);
    add(GROUP, groups(services.autoscaling, &named(GROUP)).await?);
    if !named(DATABASE).is_empty() {
        add(DATABASE, databases(services.rds).await?);
    }
    Ok(found)
}

async fn instances(client: &Ec2, names: &[String]) -> PortResult<Vec<String>> {
    let mut found = Vec::new();
    for some in names.chunks(VALUES_PER_FILTER) {
        let states = filter("instance-state-name", &THERE.map(str::to_owned));
        let request = client.describe_instances().filters(filter("instance-id", some)).filters(states);
        let mut pages = request.into_paginator().items().send();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(|error| port_error("ec2:DescribeInstances", "", &error))?;
            found.extend(reservation.instances.unwrap_or_default().into_iter().filter_map(|of| of.instance_id));
        }
    }
    Ok(found)
}

async fn groups(client: &AutoScaling, names: &[String]) -> PortResult<Vec<String>> {
    let mut found = Vec::new();
    for some in names.chunks(GROUPS_PER_CALL) {
        let request = client.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(some.to_vec()));
        let mut pages = request.into_paginator().items().send();
        while let Some(group) = pages.next().await {
            let group = group.map_err(|error| port_error("autoscaling:DescribeAutoScalingGroups", "", &error))?;
            found.extend(group.auto_scaling_group_name);
        }
    }
    Ok(found)
}

async fn databases(client: &Rds) -> PortResult<Vec<String>> {
    let mut pages = client.describe_db_instances().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(database) = pages.next().await {
        let database = database.map_err(|error| port_error("rds:DescribeDBInstances", "", &error))?;
        found.extend(database.db_instance_identifier);
    }
    Ok(found)
}

fn found(alarm: &MetricAlarm, tags: &BTreeMap<String, Tags>) -> Item {
    let arn = alarm.alarm_arn.clone().unwrap_or_default();
    let of_metrics = alarm.metrics().iter().filter_map(|query| query.metric_stat());
    let metrics = u32::try_from(of_metrics.clone().count()).unwrap_or(u32::MAX).max(1);
    let periods = alarm.period.into_iter().chain(of_metrics.filter_map(|stat| stat.period));
    let since = alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp);
    let is_without_data = alarm.state_value == Some(StateValue::InsufficientData);
    let live = Alarm {
        metrics,
        is_high_resolution: periods.min().is_some_and(|period_s| period_s < 60),
        without_data_since: since.filter(|_| is_without_data).and_then(|at| Timestamp::from_second(at.secs()).ok()),
        // One on several metrics may watch several things.
        watched: alarm.metrics().is_empty().then(|| watched(alarm.dimensions())).flatten(),
    };
    let name = alarm.alarm_name.clone().unwrap_or_default();
    let tags = tags.get(&arn).cloned().unwrap_or_default();
    let changed = alarm.alarm_configuration_updated_timestamp;
    let created_at = changed.and_then(|at| Timestamp::from_second(at.secs()).ok());
    item(Resource { id: ResourceId::new(arn), name, tags, live: Live::Alarm(live) }, created_at)
}

/// The one thing that these dimensions name, where it is one that can be looked up.
fn watched(dimensions: &[Dimension]) -> Option<Watched> {
    let named = dimensions
        .iter()
        .find(|of| [INSTANCE, VOLUME, GROUP, DATABASE].into_iter().any(|known| of.name() == Some(known)))?;
    Some(Watched { dimension: named.name.clone()?, name: named.value.clone()?, exists: true })
}
