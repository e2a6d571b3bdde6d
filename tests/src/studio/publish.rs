//! Sends datapoints with PutMetricData: one call per namespace, at most 1,000 datapoints each, as AWS allows.

use super::StudioError;
use crate::cloud::Cloud;
use crate::model::{Datum, Value};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use std::collections::BTreeMap;

/// Datapoints that one call may carry.
const DATA_PER_CALL: usize = 1_000;

/// Publishes datapoints, each with the start of its minute in virtual seconds since 1970.
///
/// # Errors
/// When the cloud refuses a call.
pub async fn publish(cloud: &Cloud, data: Vec<(f64, Datum)>) -> Result<(), StudioError> {
    let mut by_namespace: BTreeMap<&'static str, Vec<MetricDatum>> = BTreeMap::new();
    for (at_s, datum) in data {
        by_namespace.entry(datum.namespace).or_default().push(metric_datum(at_s, datum));
    }
    let cloudwatch = cloud.cloudwatch();
    let mut calls = Vec::new();
    for (namespace, data) in by_namespace {
        for chunk in data.chunks(DATA_PER_CALL) {
            let call = cloudwatch.put_metric_data().namespace(namespace).set_metric_data(Some(chunk.to_vec()));
            calls.push(async move { call.send().await.map_err(StudioError::call("PutMetricData", namespace)) });
        }
    }
    futures::future::try_join_all(calls).await.map(drop)
}

fn metric_datum(at_s: f64, datum: Datum) -> MetricDatum {
    let dimensions = datum.dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(value).build());
    let builder = MetricDatum::builder()
        .metric_name(datum.metric)
        .timestamp(DateTime::from_secs_f64(at_s))
        .unit(StandardUnit::from(datum.unit))
        .set_dimensions(Some(dimensions.collect()));
    match datum.value {
        Value::One(value) => builder.value(value),
        Value::Spread(spread) => {
            let (values, counts) = spread.into_iter().unzip();
            builder.set_values(Some(values)).set_counts(Some(counts))
        }
    }
    .build()
}
