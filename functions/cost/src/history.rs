//! Thirty days of hourly values of everything that rules look at.

use domain::cost::Estate;
use domain::cost::usage::{HISTORY_DAYS, PERIOD_S, Profile, SOURCES, Source, Usage};
use domain::observed::Observed;
use domain::series::Series;
use domain::signal::Target;
use engine::ports::{MetricQuery, Telemetry};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// The histories of an estate; what could not be read is missing with its reason.
pub(crate) async fn read(estate: &Estate, telemetry: &dyn Telemetry) -> Vec<Usage> {
    let to = whole_hour(estate.taken_at);
    let from = to.checked_sub(SignedDuration::from_hours(24 * i64::from(HISTORY_DAYS))).unwrap_or(Timestamp::MIN);
    let asked: Vec<(&domain::cost::Item, &Source)> = estate
        .items
        .iter()
        .flat_map(|item| {
            let kind = item.resource.kind();
            SOURCES.iter().filter(move |source| source.kind == kind).map(move |source| (item, source))
        })
        .collect();
    let queries: Vec<MetricQuery> = asked
        .iter()
        .flat_map(|(item, source)| source.metrics.iter().map(|metric| query(source, metric, &item.resource.name)))
        .collect();
    let mut answers = telemetry.read(&queries, from, to, PERIOD_S).await.into_iter();
    let profile = |(item, source): (&domain::cost::Item, &Source)| {
        let parts: Vec<Observed<Series>> = answers.by_ref().take(source.metrics.len()).collect();
        Usage { resource: item.resource.id.clone(), quantity: source.quantity, profile: of_parts(parts, from) }
    };
    asked.into_iter().map(profile).collect()
}

fn query(source: &Source, metric: &str, name: &str) -> MetricQuery {
    MetricQuery {
        namespace: source.namespace.to_owned(),
        metric: metric.to_owned(),
        stat: source.stat.to_owned(),
        scale: 1.0,
        target: Target { member: None, dimensions: vec![(Cow::Borrowed(source.dimension), name.to_owned())] },
    }
}

/// The sum of the parts, hour by hour; an hour without any part is a gap. One part that could not be read makes all unknown; one
/// that was read and has no datapoint in 30 days is known to have none.
fn of_parts(parts: Vec<Observed<Series>>, from: Timestamp) -> Observed<Profile> {
    let hours = usize::try_from(24 * HISTORY_DAYS).unwrap_or_default();
    let mut sum: Vec<Option<f64>> = vec![None; hours];
    for part in parts {
        match part {
            Observed::Known(series) => {
                for (hour, value) in sum.iter_mut().zip(&series.values) {
                    *hour = match (*hour, *value) {
                        (Some(sum), Some(value)) => Some(sum + value),
                        (sum, value) => sum.or(value),
                    };
                }
            }
            Observed::Missing(domain::observed::Missing::NoData) => {}
            Observed::Missing(reason) => return Observed::Missing(reason),
        }
    }
    Observed::Known(Profile::of(from, &sum))
}

/// The start of the current hour: only whole hours are read.
fn whole_hour(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(i64::from(PERIOD_S))).unwrap_or(at)
}
