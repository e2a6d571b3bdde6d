//! Thirty days of hourly values of everything that rules look at.

use domain::cost::Estate;
use domain::cost::estate::Item;
use domain::cost::usage::{HISTORY_DAYS, PERIOD_S, Profile, SOURCES, Source, Usage};
use domain::observed::{Missing, Observed};
use domain::series::Series;
use domain::signal::Target;
use engine::ports::{Clock, MetricQuery, Telemetry};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// What is measured of an item.
type Asked<'a> = (&'a Item, &'static Source);

/// Queries that are read at once: two full calls of GetMetricData. Their series are some 12 MB; those of a large estate, all at
/// once, would be more than the memory of a function. A month of two full calls takes eight seconds of the service's limit on
/// datapoints, so larger parts would not be read sooner.
const QUERIES_AT_ONCE: usize = 1_000;
/// No part is begun after this. Each may take a minute, and the function has five for all it does.
const BEGIN_MAX: SignedDuration = SignedDuration::from_secs(120);

/// The histories of an estate; what could not be read is missing with its reason. They are read in parts, of which only the profiles
/// are kept. Once a part was refused as too much altogether, or time is up, the rest is missing as throttled.
pub(crate) async fn read(estate: &Estate, telemetry: &dyn Telemetry, clock: &dyn Clock) -> Vec<Usage> {
    let to = whole_hour(estate.taken_at);
    let from = to.checked_sub(SignedDuration::from_hours(24 * i64::from(HISTORY_DAYS))).unwrap_or(Timestamp::MIN);
    let asked: Vec<Asked<'_>> = estate
        .items
        .iter()
        .flat_map(|item| {
            let kind = item.resource.kind();
            SOURCES.iter().filter(move |source| source.kind == kind).map(move |source| (item, source))
        })
        .collect();
    let began = clock.now();
    let mut usage = Vec::with_capacity(asked.len());
    let mut is_over = false;
    for part in parts(&asked) {
        is_over |= clock.now().duration_since(began) > BEGIN_MAX;
        let profiles = if is_over { refused(part) } else { read_part(part, telemetry, from, to).await };
        is_over |= profiles.iter().all(|usage| matches!(usage.profile, Observed::Missing(Missing::Throttled)));
        usage.extend(profiles);
    }
    usage
}

/// In order, each of as many as are read at once; at least one.
fn parts<'a, 'b>(asked: &'b [Asked<'a>]) -> Vec<&'b [Asked<'a>]> {
    let (mut parts, mut rest) = (Vec::new(), asked);
    while !rest.is_empty() {
        let mut queries = 0;
        let fit = rest.iter().take_while(|(_, source)| {
            queries += source.metrics.len();
            queries <= QUERIES_AT_ONCE
        });
        let (part, others) = rest.split_at(fit.count().max(1));
        parts.push(part);
        rest = others;
    }
    parts
}

async fn read_part(part: &[Asked<'_>], telemetry: &dyn Telemetry, from: Timestamp, to: Timestamp) -> Vec<Usage> {
    let queries: Vec<MetricQuery> = part
        .iter()
        .flat_map(|(item, source)| source.metrics.iter().map(|metric| query(source, metric, &item.resource.name)))
        .collect();
    let mut answers = telemetry.read(&queries, from, to, PERIOD_S).await.into_iter();
    let profile = |asked: &Asked<'_>| {
        let series: Vec<Observed<Series>> = answers.by_ref().take(asked.1.metrics.len()).collect();
        usage(*asked, of_parts(series, from))
    };
    part.iter().map(profile).collect()
}

fn refused(part: &[Asked<'_>]) -> Vec<Usage> {
    part.iter().map(|asked| usage(*asked, Observed::Missing(Missing::Throttled))).collect()
}

fn usage((item, source): Asked<'_>, profile: Observed<Profile>) -> Usage {
    Usage { resource: item.resource.id.clone(), quantity: source.quantity, profile }
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
            Observed::Missing(Missing::NoData) => {}
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

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use domain::cost::usage::Quantity;
    use domain::ids::{AppId, ResourceId};
    use domain::resource::{Live, LogGroup, Machine, Resource};
    use domain::snapshot::Alarm;
    use engine::ports::{Alarms, PortResult};
    use std::sync::Mutex;

    const START: Timestamp = Timestamp::constant(1_767_571_200, 0);

    /// Answers each query with the number of its resource, or refuses from a reading on; notes how many queries each reading has.
    struct Numbers {
        readings: Mutex<Vec<usize>>,
        refuses_from: usize,
        takes: SignedDuration,
    }

    impl Clock for Numbers {
        /// Only readings take time.
        fn now(&self) -> Timestamp {
            let readings = self.readings.lock().unwrap().len();
            START + self.takes * i32::try_from(readings).unwrap()
        }
    }

    #[async_trait]
    impl Alarms for Numbers {
        async fn alarms(&self, _: &AppId, _: &[Resource]) -> PortResult<Vec<Alarm>> {
            Ok(Vec::new())
        }
    }

    #[async_trait]
    impl Telemetry for Numbers {
        async fn read(
            &self,
            queries: &[MetricQuery],
            from: Timestamp,
            _: Timestamp,
            period_s: u32,
        ) -> Vec<Observed<Series>> {
            let before = {
                let mut readings = self.readings.lock().unwrap();
                readings.push(queries.len());
                readings.len() - 1
            };
            let answer = |query: &MetricQuery| {
                let number = query.target.dimensions[0].1.parse().unwrap();
                match before < self.refuses_from {
                    true => Observed::Known(Series { start: from, period_s, values: vec![Some(number)] }),
                    false => Observed::Missing(Missing::Throttled),
                }
            };
            queries.iter().map(answer).collect()
        }
    }

    fn numbers(refuses_from: usize, takes_s: i64) -> Numbers {
        Numbers { readings: Mutex::default(), refuses_from, takes: SignedDuration::from_secs(takes_s) }
    }

    /// Machines, with four metrics each, and before every third of them a log group, with one.
    fn estate(machines: usize) -> Estate {
        let machine = Machine {
            instance_type: "m5.large".to_owned(),
            is_running: true,
            since: None,
            volumes: Vec::new(),
            architecture: "x86_64".to_owned(),
        };
        let item = |number: usize, live: Live| {
            let id = ResourceId::new(format!("{:?}/{number}", live.kind()));
            let resource = Resource { id, name: number.to_string(), tags: std::collections::BTreeMap::new(), live };
            Item { resource, created_at: None, unused_since: None, managed_by: None, terms: None }
        };
        let group = || Live::LogGroup(LogGroup { retention_days: None, stored_bytes: 0 });
        let items = (0..machines).flat_map(|number| {
            let group = (number % 3 == 0).then(|| item(number, group()));
            group.into_iter().chain([item(number, Live::Machine(machine.clone()))])
        });
        Estate {
            app: AppId::from("shop"),
            taken_at: START,
            items: items.collect(),
            unread: Vec::new(),
            usage: Vec::new(),
        }
    }

    #[tokio::test]
    async fn regression_a_large_estate_is_read_in_parts_and_each_profile_is_that_of_its_own_resource() {
        let (estate, telemetry) = (estate(700), numbers(usize::MAX, 0));
        let usage = read(&estate, &telemetry, &telemetry).await;
        let readings = telemetry.readings.into_inner().unwrap();
        assert_eq!(readings.iter().sum::<usize>(), 700 * 4 + 234);
        assert!(readings.len() > 3 && readings.iter().all(|queries| *queries <= QUERIES_AT_ONCE), "{readings:?}");
        assert!(readings.iter().rev().skip(1).all(|queries| *queries > QUERIES_AT_ONCE - 2), "{readings:?}");
        assert_eq!(usage.len(), 700 * 3 + 234);
        for of in &usage {
            let number: f64 = of.resource.as_str().rsplit('/').next().unwrap().parse().unwrap();
            let metrics = if of.quantity == Quantity::NetworkBytes { 2.0 } else { 1.0 };
            assert_eq!(of.profile.known().map(|profile| profile.max), Some(number * metrics), "{of:?}");
        }
    }

    #[tokio::test]
    async fn what_comes_after_a_part_that_was_refused_altogether_is_not_asked_for_and_missing() {
        let (estate, telemetry) = (estate(1_000), numbers(1, 0));
        let usage = read(&estate, &telemetry, &telemetry).await;
        assert_eq!(telemetry.readings.into_inner().unwrap().len(), 2);
        let (known, missing): (Vec<_>, Vec<_>) = usage.iter().partition(|usage| usage.profile.known().is_some());
        assert_eq!(known.len() + missing.len(), 1_000 * 3 + 334);
        assert!(
            !known.is_empty() && missing.iter().all(|usage| usage.profile == Observed::Missing(Missing::Throttled))
        );
    }

    #[tokio::test]
    async fn no_part_begins_when_time_is_up() {
        let (estate, telemetry) = (estate(1_500), numbers(usize::MAX, 50));
        let usage = read(&estate, &telemetry, &telemetry).await;
        assert_eq!(telemetry.readings.into_inner().unwrap().len(), 3, "at 0, 50 and 100 s");
        assert_eq!(usage.last().map(|usage| &usage.profile), Some(&Observed::Missing(Missing::Throttled)));
    }
}
