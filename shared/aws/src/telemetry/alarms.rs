//! Alarms of an application: those whose dimensions name one of its resources, and those tagged for it.
//!
//! All alarms are read by page and the tags in one query, never a call per alarm.

use crate::errors::port_error;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm, StateValue};
use aws_sdk_resourcegroupstagging::types::TagFilter;
use domain::ids::AppId;
use domain::resource::{APP_TAG, Live, Resource};
use domain::signals;
use domain::snapshot::{Alarm, AlarmState};
use engine::ports::PortResult;
use jiff::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Largest page of DescribeAlarms.
const PAGE: i32 = 100;
/// Longest reason that is passed on, in characters.
const REASON_MAX: usize = 500;

/// All metric alarms of the account and Region.
pub(super) async fn all(client: &aws_sdk_cloudwatch::Client) -> PortResult<Vec<MetricAlarm>> {
    let mut pages =
        client.describe_alarms().alarm_types(AlarmType::MetricAlarm).max_records(PAGE).into_paginator().send();
    let mut alarms = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| port_error("cloudwatch:DescribeAlarms", "", &error))?;
        alarms.extend(page.metric_alarms.unwrap_or_default());
    }
    Ok(alarms)
}

/// ARNs of the alarms that are tagged for the application.
pub(super) async fn tagged(
    client: &aws_sdk_resourcegroupstagging::Client,
    app: &AppId,
) -> PortResult<BTreeSet<String>> {
    let filter = TagFilter::builder().key(APP_TAG).values(app.as_str()).build();
    let mut pages = client
        .get_resources()
        .tag_filters(filter)
        .resource_type_filters("cloudwatch:alarm")
        .resources_per_page(100)
        .into_paginator()
        .send();
    let mut arns = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| port_error("tag:GetResources", "", &error))?;
        arns.extend(
            page.resource_tag_mapping_list.unwrap_or_default().into_iter().filter_map(|mapping| mapping.resource_arn),
        );
    }
    Ok(arns)
}

/// The alarms that concern the application, by name.
pub(super) fn of_app(alarms: Vec<MetricAlarm>, tagged: &BTreeSet<String>, resources: &[Resource]) -> Vec<Alarm> {
    let identities = identities(resources);
    let concerns = |alarm: &MetricAlarm| {
        alarm.alarm_arn().is_some_and(|arn| tagged.contains(arn))
            || watched(alarm).any(|watched| identities.iter().any(|identity| identity.is_in(&watched)))
    };
    let mut found: Vec<Alarm> = alarms.into_iter().filter(concerns).map(translated).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The dimensions by which CloudWatch knows a resource.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    /// Namespace and metric, where only they tell a custom metric from others.
    metric: Option<(String, String)>,
    dimensions: Vec<(Cow<'static, str>, String)>,
}

/// A metric that an alarm watches.
struct Watched<'a> {
    namespace: Option<&'a str>,
    metric: Option<&'a str>,
    dimensions: &'a [Dimension],
}

impl Identity {
    fn is_in(&self, watched: &Watched<'_>) -> bool {
        let same_metric = self.metric.as_ref().is_none_or(|(namespace, metric)| {
            watched.namespace == Some(namespace.as_str()) && watched.metric == Some(metric.as_str())
        });
        let has = |(name, value): &(Cow<'static, str>, String)| {
            watched
                .dimensions
                .iter()
                .any(|dimension| dimension.name() == Some(name.as_ref()) && dimension.value() == Some(value.as_str()))
        };
        same_metric && (self.metric.is_some() || !self.dimensions.is_empty()) && self.dimensions.iter().all(has)
    }
}

fn identities(resources: &[Resource]) -> BTreeSet<Identity> {
    let mut identities = BTreeSet::new();
    for resource in resources {
        let metric = match &resource.live {
            Live::Custom(custom) => Some((custom.namespace.clone(), custom.metric.clone())),
            _ => None,
        };
        for (_, targets) in signals::of_resource(resource) {
            for target in targets {
                identities.insert(Identity { metric: metric.clone(), dimensions: target.dimensions });
            }
        }
    }
    identities
}

/// The metric of a plain alarm, or all those of an alarm on an expression.
fn watched(alarm: &MetricAlarm) -> impl Iterator<Item = Watched<'_>> {
    let own = Watched { namespace: alarm.namespace(), metric: alarm.metric_name(), dimensions: alarm.dimensions() };
    let of_expression = alarm.metrics().iter().filter_map(|query| query.metric_stat()?.metric()).map(|metric| {
        Watched { namespace: metric.namespace(), metric: metric.metric_name(), dimensions: metric.dimensions() }
    });
    std::iter::once(own).chain(of_expression)
}

fn translated(alarm: MetricAlarm) -> Alarm {
    // An unknown state is one that tells nothing.
    let state = match alarm.state_value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    };
    let since = alarm.state_transitioned_timestamp.or(alarm.state_updated_timestamp);
    Alarm {
        name: alarm.alarm_name.unwrap_or_default(),
        state,
        since: since.and_then(|at| Timestamp::from_second(at.secs()).ok()),
        reason: alarm.state_reason.unwrap_or_default().chars().filter(|c| !c.is_control()).take(REASON_MAX).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ResourceId;
    use domain::resource::Service;
    use domain::resource::Tags;

    fn alarm(name: &str, dimensions: &[(&str, &str)]) -> MetricAlarm {
        let dimensions =
            dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build()).collect();
        MetricAlarm::builder()
            .alarm_name(name)
            .alarm_arn(format!("arn:{name}"))
            .set_dimensions(Some(dimensions))
            .state_value(StateValue::Alarm)
            .build()
    }

    fn service() -> Resource {
        let service = Service {
            cluster: "shop".to_owned(),
            desired: 1,
            running: 1,
            deployment_in_progress: false,
            last_deployment_at: None,
            bounds: None,
            bounds_missing: None,
            min_healthy_pct: 100,
            max_pct: 200,
            fargate_task: None,
            tasks: domain::observed::Observed::Known(Vec::new()),
        };
        Resource {
            id: ResourceId::from("s"),
            name: "shop-worker".to_owned(),
            tags: Tags::default(),
            live: Live::EcsService(service),
        }
    }

    #[test]
    fn an_alarm_belongs_by_all_dimensions_of_a_resource_or_by_its_tag() {
        let alarms = vec![
            alarm("z-service", &[("ServiceName", "shop-worker"), ("ClusterName", "shop")]),
            alarm("cluster-only", &[("ClusterName", "shop")]),
            alarm("other-service", &[("ClusterName", "shop"), ("ServiceName", "blog")]),
            alarm("no-dimension", &[]),
            alarm("a-tagged", &[]),
        ];
        let found = of_app(alarms, &BTreeSet::from(["arn:a-tagged".to_owned()]), &[service()]);
        assert_eq!(found.iter().map(|alarm| alarm.name.as_str()).collect::<Vec<_>>(), ["a-tagged", "z-service"]);
    }

    #[test]
    fn an_alarm_without_a_known_state_has_insufficient_data() {
        let alarm = MetricAlarm::builder().alarm_name("x").build();
        assert_eq!(translated(alarm).state, AlarmState::InsufficientData);
    }
}
