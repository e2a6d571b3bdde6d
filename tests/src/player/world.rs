//! The state of an application at the end, read back from the cloud.

use super::stack::StackError;
use crate::cloud::Cloud;
use crate::model::Names;
use crate::redis::RedisError;
use crate::studio::{Resources, cache, postgres};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_ec2::types::{Filter, Volume};
use domain::resource::APP_TAG;
use std::collections::{BTreeMap, BTreeSet};

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Wanted size of the web group.
    pub servers: f64,
    /// Wanted count of worker tasks.
    pub tasks: f64,
    /// Ids of the instances.
    pub instances: BTreeSet<String>,
    /// Types of its disks, by their names; those that are gone are not there.
    pub disks: BTreeMap<String, String>,
    /// Scheduled actions of its groups, by what stands behind the application in their names; those without are not there.
    pub scheduled: BTreeMap<String, usize>,
    /// The cache holds the faulty job's entries.
    pub cache_poisoned: Option<bool>,
    /// Orders are found over an index, and none is unfinished; `None` without a database.
    pub indexed: Option<bool>,
    /// Mean levels of the last five minutes by name; those that were not published are not there.
    pub levels: BTreeMap<&'static str, f64>,
}

/// Minutes over which levels are averaged.
const WINDOW_MIN: u32 = 5;

/// Reads everything, in the cloud where the application lives.
///
/// # Errors
/// When the cloud does not answer.
pub async fn see(cloud: &Cloud, app: &str, resources: &Resources) -> Result<Seen, StackError> {
    let names = &resources.names;
    let mut seen = Seen::default();
    let groups = cloud.autoscaling().describe_auto_scaling_groups().auto_scaling_group_names(&names.group);
    let groups = groups.send().await.map_err(StackError::call("DescribeAutoScalingGroups", &names.group))?;
    for group in groups.auto_scaling_groups() {
        seen.servers = f64::from(group.desired_capacity().unwrap_or(0));
        let serving = group
            .instances()
            .iter()
            .filter(|instance| instance.lifecycle_state().is_some_and(|state| state.as_str() == "InService"));
        seen.instances = serving.filter_map(|instance| instance.instance_id().map(str::to_owned)).collect();
    }
    let services = cloud.ecs().describe_services().cluster(&names.cluster).services(&names.service);
    let services = services.send().await.map_err(StackError::call("DescribeServices", &names.service))?;
    seen.tasks = services.services().first().map_or(0.0, |service| f64::from(service.desired_count()));
    seen.disks = disks(cloud, app).await?;
    seen.scheduled = scheduled(cloud, app).await?;
    seen.cache_poisoned = poisoned(resources).ok();
    if let Some(port) = resources.postgres_port {
        seen.indexed = postgres::is_indexed(port).await.ok();
    }
    seen.levels = levels(cloud, names).await?;
    Ok(seen)
}

async fn disks(cloud: &Cloud, app: &str) -> Result<BTreeMap<String, String>, StackError> {
    let of_app = Filter::builder().name(format!("tag:{APP_TAG}")).values(app).build();
    let found = cloud.ec2().describe_volumes().filters(of_app).send().await;
    let found = found.map_err(StackError::call("DescribeVolumes", app))?;
    let name = |volume: &Volume| {
        let tag = volume.tags().iter().find(|tag| tag.key() == Some("Name"))?.value()?;
        Some((tag.to_owned(), volume.volume_type()?.as_str().to_owned()))
    };
    Ok(found.volumes().iter().filter_map(name).collect())
}

async fn scheduled(cloud: &Cloud, app: &str) -> Result<BTreeMap<String, usize>, StackError> {
    let mut actions = cloud.autoscaling().describe_scheduled_actions().into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(action) = actions.next().await {
        let action = action.map_err(StackError::call("DescribeScheduledActions", app))?;
        let group = action.auto_scaling_group_name().unwrap_or_default();
        if let Some(name) = group.strip_prefix(app).and_then(|rest| rest.strip_prefix('-')) {
            *found.entry(name.to_owned()).or_default() += 1;
        }
    }
    Ok(found)
}

fn poisoned(resources: &Resources) -> Result<bool, RedisError> {
    cache::junk_left(resources.cache_port)
}

/// Namespace, metric, statistic, dimensions and factor of each level.
type Source<'a> = (&'static str, &'static str, &'static str, &'static str, Vec<(&'static str, &'a str)>, f64);

fn sources(names: &Names) -> Vec<Source<'_>> {
    let targets = vec![("TargetGroup", names.target_group.as_str()), ("LoadBalancer", names.load_balancer.as_str())];
    let group = vec![("AutoScalingGroupName", names.group.as_str())];
    let queue = vec![("QueueName", names.queue.as_str())];
    let elb = "AWS/ApplicationELB";
    vec![
        ("p95_ms", elb, "TargetResponseTime", "p95", targets.clone(), 1_000.0),
        ("requests", elb, "RequestCount", "Sum", targets.clone(), 1.0),
        ("errors", elb, "HTTPCode_Target_5XX_Count", "Sum", targets, 1.0),
        ("cpu_pct", "AWS/EC2", "CPUUtilization", "Average", group.clone(), 1.0),
        ("memory_pct", "CWAgent", "mem_used_percent", "Average", group, 1.0),
        ("queue_depth", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", queue, 1.0),
    ]
}

async fn levels(cloud: &Cloud, names: &Names) -> Result<BTreeMap<&'static str, f64>, StackError> {
    let now_s = cloud.clock.now_s();
    let end_s = now_s - now_s.rem_euclid(60.0);
    let queries = sources(names).into_iter().map(|(id, namespace, metric, stat, dimensions, _)| {
        let dimensions = dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
        let metric =
            Metric::builder().namespace(namespace).metric_name(metric).set_dimensions(Some(dimensions.collect()));
        let stat = MetricStat::builder().metric(metric.build()).period(60).stat(stat).build();
        MetricDataQuery::builder().id(id).metric_stat(stat).build()
    });
    let answer = cloud
        .cloudwatch()
        .get_metric_data()
        .set_metric_data_queries(Some(queries.collect()))
        .start_time(DateTime::from_secs_f64(end_s - 60.0 * f64::from(WINDOW_MIN)))
        .end_time(DateTime::from_secs_f64(end_s))
        .send()
        .await
        .map_err(StackError::call("GetMetricData", &names.group))?;
    let mut levels = BTreeMap::new();
    for (id, .., factor) in sources(names) {
        let result = answer.metric_data_results().iter().find(|result| result.id() == Some(id));
        let values = result.map_or(&[][..], |result| result.values());
        let count = f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX));
        if count > 0.0 {
            levels.insert(id, factor * values.iter().sum::<f64>() / count);
        }
    }
    if let Some(requests) = levels.get("requests").copied().filter(|requests| *requests > 0.0) {
        // A minute without errors publishes none; the mean over those with errors is too high, never too low.
        levels.insert("error_pct", 100.0 * levels.get("errors").copied().unwrap_or(0.0) / requests);
    }
    Ok(levels)
}
