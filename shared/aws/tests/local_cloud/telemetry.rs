//! Metrics and alarms from CloudWatch.

use crate::{Cloud, later};
use aws::Telemetry;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricDatum, StateValue, Statistic, Tag};
use domain::ids::{AppId, ResourceId};
use domain::observed::{Missing, Observed};
use domain::resource::{Live, Resource, Tags};
use domain::signal::Target;
use domain::snapshot::AlarmState;
use engine::ports::{Alarms as _, MetricQuery, Telemetry as _};
use jiff::Timestamp;

fn query(namespace: &str, metric: &str, queue: &str, stat: &str, scale: f64) -> MetricQuery {
    MetricQuery {
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        stat: stat.to_owned(),
        scale,
        target: Target::whole(vec![("QueueName", queue.to_owned())]).remove(0),
    }
}

/// The full minute some minutes before now.
fn minute(cloud: &Cloud, before: i64) -> Timestamp {
    let second = cloud.now().as_second().div_euclid(60) * 60 - before * 60;
    Timestamp::from_second(second).unwrap()
}

async fn publish(cloud: &Cloud, metric: &str, at: Timestamp, value: f64) {
    let datum = MetricDatum::builder()
        .metric_name(metric)
        .dimensions(Dimension::builder().name("QueueName").value("jobs").build())
        .timestamp(DateTime::from_secs(at.as_second()))
        .value(value)
        .build();
    let client = aws_sdk_cloudwatch::Client::new(&cloud.config);
    client.put_metric_data().namespace(&cloud.name).metric_data(datum).send().await.unwrap();
}

#[tokio::test]
async fn a_period_without_a_datapoint_is_a_gap_and_a_metric_without_any_is_missing() {
    let Some(cloud) = Cloud::connect("metrics").await else { return };
    let (from, to) = (minute(&cloud, 10), minute(&cloud, 5));
    for (index, value) in [(0, 0.5), (1, 0.25), (3, 2.0), (5, 9.0)] {
        publish(&cloud, "Depth", later(from, index * 60), value).await;
    }
    publish(&cloud, "Depth", later(from, 90), 0.75).await;
    let telemetry = Telemetry::new(&cloud.clients, cloud.clock);
    let queries = [
        query(&cloud.name, "Depth", "jobs", "Sum", 1_000.0),
        query(&cloud.name, "Depth", "other", "Sum", 1.0),
        query(&cloud.name, "Depth", "jobs", "Maximum", 1.0),
    ];
    let read = telemetry.read(&queries, from, later(to, 59), 60).await;
    assert_eq!(telemetry.calls(), 1);
    let Observed::Known(sums) = &read[0] else { panic!("{:?}", read[0]) };
    assert_eq!((sums.start, sums.period_s), (from, 60));
    assert_eq!(sums.values, [Some(500.0), Some(1_000.0), None, Some(2_000.0), None]);
    assert_eq!(read[1], Observed::Missing(Missing::NoData));
    let Observed::Known(maxima) = &read[2] else { panic!("{:?}", read[2]) };
    assert_eq!(maxima.values[1], Some(0.75));
}

#[tokio::test]
async fn five_hundred_queries_go_into_one_call() {
    let Some(cloud) = Cloud::connect("calls").await else { return };
    let (from, to) = (minute(&cloud, 10), minute(&cloud, 5));
    publish(&cloud, "Depth", from, 7.0).await;
    let telemetry = Telemetry::new(&cloud.clients, cloud.clock);
    let mut queries: Vec<MetricQuery> =
        (0..1_500).map(|number| query(&cloud.name, "Depth", &format!("q{number}"), "Sum", 1.0)).collect();
    queries[1_001] = query(&cloud.name, "Depth", "jobs", "Sum", 1.0);
    let read = telemetry.read(&queries, from, to, 60).await;
    assert_eq!((telemetry.calls(), read.len()), (3, 1_500));
    let known: Vec<usize> =
        read.iter().enumerate().filter(|(_, series)| !series.is_missing()).map(|(index, _)| index).collect();
    assert_eq!(known, [1_001], "answers keep the order of the questions");
}

#[tokio::test]
async fn a_window_in_which_nothing_is_over_has_no_data() {
    let Some(cloud) = Cloud::connect("windows").await else { return };
    let telemetry = Telemetry::new(&cloud.clients, cloud.clock);
    let now = cloud.now();
    let read = telemetry.read(&[query(&cloud.name, "Depth", "jobs", "Sum", 1.0)], now, now, 60).await;
    assert_eq!(read, [Observed::Missing(Missing::NoData)]);
    assert_eq!(telemetry.calls(), 0);
}

#[tokio::test]
async fn alarms_are_found_by_dimension_and_by_tag() {
    let Some(cloud) = Cloud::connect("alarms").await else { return };
    let client = aws_sdk_cloudwatch::Client::new(&cloud.config);
    let alarm = |name: &str, queue: &str| {
        client
            .put_metric_alarm()
            .alarm_name(format!("{}-{name}", cloud.name))
            .namespace("AWS/SQS")
            .metric_name("ApproximateNumberOfMessagesVisible")
            .dimensions(Dimension::builder().name("QueueName").value(queue).build())
            .statistic(Statistic::Average)
            .period(60)
            .evaluation_periods(1)
            .threshold(1_000.0)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            // No queue publishes here: a state that is set stays, whenever the alarm is evaluated.
            .treat_missing_data("ignore")
    };
    let queue = format!("{}-jobs", cloud.name);
    alarm("by-dimension", &queue).send().await.unwrap();
    let tag = Tag::builder().key("maintainer:app").value(&cloud.name).build();
    alarm("by-tag", "unnamed").tags(tag).send().await.unwrap();
    alarm("of-others", "unnamed").send().await.unwrap();
    let state =
        client.set_alarm_state().alarm_name(format!("{}-by-dimension", cloud.name)).state_value(StateValue::Alarm);
    state.state_reason("Threshold crossed").send().await.unwrap();

    let resource = Resource { id: ResourceId::from("q"), name: queue, tags: Tags::default(), live: Live::Queue };
    let telemetry = Telemetry::new(&cloud.clients, cloud.clock);
    let alarms = telemetry.alarms(&AppId::new(&cloud.name), &[resource]).await.unwrap();
    let names: Vec<&str> = alarms.iter().map(|alarm| alarm.name.as_str()).collect();
    assert_eq!(names, [format!("{}-by-dimension", cloud.name), format!("{}-by-tag", cloud.name)]);
    assert_eq!(alarms[0].state, AlarmState::Alarm);
    assert_eq!(alarms[0].reason, "Threshold crossed");
}
