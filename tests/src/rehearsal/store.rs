//! Datapoints by metric and minute, read as CloudWatch would be.

use crate::model::{Datum, Value};
use domain::observed::{Missing, Observed};
use domain::reading::Reading;
use domain::series::Series;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

type Key = (String, String, Vec<(String, String)>);

/// All datapoints.
#[derive(Clone, Debug, Default)]
pub struct Store {
    metrics: HashMap<Key, BTreeMap<i64, Value>>,
}

fn key<'a>(namespace: &str, metric: &str, dimensions: impl Iterator<Item = (&'a str, &'a str)>) -> Key {
    let mut dimensions: Vec<(String, String)> =
        dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    dimensions.sort();
    (namespace.to_owned(), metric.to_owned(), dimensions)
}

impl Store {
    /// Keeps the datapoint of a minute since 1970.
    pub fn put(&mut self, minute: i64, datum: Datum) {
        let dimensions = datum.dimensions.iter().map(|(name, value)| (*name, value.as_str()));
        let key = key(datum.namespace, datum.metric, dimensions);
        self.metrics.entry(key).or_default().insert(minute, datum.value);
    }

    /// One value of a metric.
    pub fn value(
        &self,
        namespace: &str,
        metric: &str,
        dimensions: &[(&str, String)],
        stat: &str,
        minute: i64,
    ) -> Option<f64> {
        let dimensions = dimensions.iter().map(|(name, value)| (*name, value.as_str()));
        statistic(self.metrics.get(&key(namespace, metric, dimensions))?.get(&minute)?, stat)
    }

    /// The answer to one reading over the minutes in `[from, to)`.
    pub fn read(&self, reading: &Reading<'_>, from: i64, to: i64) -> Observed<Series> {
        let (namespace, metric, stat) = reading.source();
        let dimensions = reading.target.dimensions.iter().map(|(name, value)| (name.as_ref(), value.as_str()));
        let Some(points) = self.metrics.get(&key(namespace, metric, dimensions)) else {
            return Observed::Missing(Missing::NoData);
        };
        let scale = reading.spec.scale;
        let values: Vec<Option<f64>> = (from..to)
            .map(|minute| points.get(&minute).and_then(|value| statistic(value, stat)).map(|value| value * scale))
            .collect();
        if values.iter().all(Option::is_none) {
            return Observed::Missing(Missing::NoData);
        }
        let start = Timestamp::from_second(60 * from).unwrap_or(Timestamp::UNIX_EPOCH);
        Observed::Known(Series { start, period_s: 60, values })
    }
}

fn statistic(value: &Value, stat: &str) -> Option<f64> {
    let spread = match value {
        Value::One(value) => vec![(*value, 1.0)],
        Value::Spread(spread) => spread.clone(),
    };
    let count: f64 = spread.iter().map(|(_, count)| count).sum();
    let sum: f64 = spread.iter().map(|(value, count)| value * count).sum();
    let values = || spread.iter().map(|(value, _)| *value);
    match stat {
        "Average" => Some(sum / count),
        "Sum" => Some(sum),
        "Minimum" => values().reduce(f64::min),
        "Maximum" => values().reduce(f64::max),
        _ => {
            let share: f64 = stat.strip_prefix('p')?.parse::<f64>().ok()? / 100.0;
            let mut sorted = spread.clone();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut seen = 0.0;
            sorted
                .iter()
                .find(|(_, each)| {
                    seen += each;
                    seen > share * (count - 1.0)
                })
                .map(|(value, _)| *value)
        }
    }
}
