//! What can be seen of the application: its resources, its metrics, its alarms.

use super::World;
use async_trait::async_trait;
use config::Selector;
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use domain::price::{Price, Sold};
use domain::resource::Resource;
use domain::series::Series;
use domain::snapshot::Alarm;
use engine::ports::{Alarms, Discovery, Inventory, MetricQuery, PortResult, Prices, Telemetry};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A metric that the world publishes.
#[derive(Clone)]
pub struct Published {
    namespace: String,
    metric: String,
    dimensions: BTreeMap<String, String>,
    value: Arc<Value>,
}

/// The value of the period that starts at a moment, for a statistic; none where nothing was published.
type Value = dyn Fn(Timestamp, &str) -> Option<f64> + Send + Sync;

#[async_trait]
impl Inventory for World {
    async fn discover(&self, selector: &Selector) -> PortResult<Discovery> {
        if let Some(discovery) = self.state().discovery.clone() {
            return Ok(discovery);
        }
        let mut resources = self.resources();
        resources.retain(|resource| {
            let by_tag = !selector.tags.is_empty()
                && selector
                    .tags
                    .iter()
                    .all(|(key, wanted)| resource.tags.get(key).is_some_and(|value| wanted == "*" || value == wanted));
            by_tag || selector.resources.contains(&resource.id)
        });
        Ok(Discovery { resources, undiscovered: Vec::new() })
    }

    async fn tagged_apps(&self) -> PortResult<Vec<AppId>> {
        Ok(self.state().tagged_apps.clone())
    }

    async fn alarm_tags(&self, alarm_arn: &str) -> PortResult<BTreeMap<String, String>> {
        Ok(self.state().alarm_tags.get(alarm_arn).cloned().unwrap_or_default())
    }
}

#[async_trait]
impl Telemetry for World {
    async fn read(
        &self,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
        period_s: u32,
    ) -> Vec<Observed<Series>> {
        let published = self.state().published.clone();
        queries.iter().map(|query| series_of(&published, query, from, to, period_s)).collect()
    }
}

#[async_trait]
impl Alarms for World {
    async fn alarms(&self, _app: &AppId, _resources: &[Resource]) -> PortResult<Vec<Alarm>> {
        Ok(self.state().alarms.clone())
    }
}

fn series_of(
    published: &[Published],
    query: &MetricQuery,
    from: Timestamp,
    to: Timestamp,
    period_s: u32,
) -> Observed<Series> {
    let asked: BTreeMap<String, String> =
        query.target.dimensions.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let found = published
        .iter()
        .find(|row| row.namespace == query.namespace && row.metric == query.metric && row.dimensions == asked);
    let Some(found) = found else { return Observed::Missing(Missing::NoData) };
    let mut values = Vec::new();
    let mut at = from;
    while at < to {
        values.push((found.value)(at, &query.stat).map(|value| value * query.scale));
        at += SignedDuration::from_secs(i64::from(period_s));
    }
    if values.iter().all(Option::is_none) {
        return Observed::Missing(Missing::NoData);
    }
    Observed::Known(Series { start: from, period_s, values })
}

impl World {
    /// Publishes a metric: the value of the period that starts at a moment, for a statistic.
    pub fn publish(
        &self,
        namespace: &str,
        metric: &str,
        dimensions: &[(&str, &str)],
        value: impl Fn(Timestamp, &str) -> Option<f64> + Send + Sync + 'static,
    ) {
        let dimensions = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let value = Arc::new(value);
        let row = Published { namespace: namespace.to_owned(), metric: metric.to_owned(), dimensions, value };
        self.state().published.push(row);
    }

    /// Answers every discovery with this instead of the world's resources.
    pub fn set_discovery(&self, discovery: Option<Discovery>) {
        self.state().discovery = discovery;
    }

    /// Names of the applications that are tagged.
    pub fn set_tagged_apps(&self, apps: &[&str]) {
        self.state().tagged_apps = apps.iter().map(|app| AppId::from(*app)).collect();
    }

    /// Tags of an alarm.
    pub fn set_alarm_tags(&self, alarm_arn: &str, tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.state().alarm_tags.insert(alarm_arn.to_owned(), tags);
    }

    /// The alarms of the application.
    pub fn set_alarms(&self, alarms: Vec<Alarm>) {
        self.state().alarms = alarms;
    }
}

#[async_trait]
impl Prices for World {
    async fn read(&self, sold: &BTreeSet<Sold>) -> Vec<Price> {
        let price = |of: &Sold| {
            let known = self.state().prices.get(of).copied();
            let unknown = || Observed::Missing(Missing::Denied("pricing:GetProducts".to_owned()));
            Price { of: of.clone(), usd_micros_hour: known.map_or_else(unknown, Observed::Known) }
        };
        sold.iter().map(price).collect()
    }
}
