//! Thirty days of hourly values of everything that rules look at.

use domain::cost::Estate;
use domain::cost::Policy;
use domain::cost::estate::Item;
use domain::cost::usage::{
    HISTORY_DAYS, PERIOD_S, Profile, Quantity, SOURCES, Source, Usage, dimensions, is_low, is_needed, waits_for_cpu,
};
use domain::ids::ResourceId;
use domain::observed::{Missing, Observed};
use domain::resource::Resource;
use domain::series::Series;
use domain::signal::Target;
use engine::ports::{Clock, MetricQuery, Telemetry};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;

/// What is measured of an item.
type Asked<'a> = (&'a Item, &'static Source);

/// Queries that are read at once: a full call of GetMetricData. Their series are some 6 MB; those of a large estate, all at
/// once, would be more than the memory of a function. A month of a full call takes four seconds of the pace at which datapoints are
/// read, so larger parts would not be read sooner.
const QUERIES_AT_ONCE: usize = 500;
/// No part is begun after this. Each may take a minute, and the function has five for all it does.
const BEGIN_MAX: SignedDuration = SignedDuration::from_secs(120);

/// The histories of an estate that rules look at; what could not be read is missing with its reason.
///
/// They are read in parts, of which only the profiles are kept; those that wait for another one after it. Once a part was refused as
/// too much altogether, or time is up, the rest is missing as throttled.
pub async fn read(estate: &Estate, policy: &Policy, telemetry: &dyn Telemetry, clock: &dyn Clock) -> Vec<Usage> {
    let to = whole_hour(estate.taken_at);
    let from = to.checked_sub(SignedDuration::from_hours(24 * i64::from(HISTORY_DAYS))).unwrap_or(Timestamp::MIN);
    let mut reading = Reading { telemetry, clock, began: clock.now(), from, to, is_over: false };
    let mut usage = reading.all(&asked(estate, |item, source| !waits_for_cpu(source) && is_needed(source, item))).await;
    let low: HashSet<&ResourceId> = usage
        .iter()
        .filter(|usage| usage.quantity == Quantity::CpuPct && is_low(&usage.profile, policy))
        .map(|usage| &usage.resource)
        .collect();
    let rest = asked(estate, |item, source| waits_for_cpu(source) && low.contains(&item.resource.id));
    let rest = reading.all(&rest).await;
    usage.extend(rest);
    usage
}

/// What is measured of the items, as far as it is wanted.
fn asked<'a>(estate: &'a Estate, is_wanted: impl Fn(&Item, &Source) -> bool) -> Vec<Asked<'a>> {
    let mut asked = Vec::new();
    for item in &estate.items {
        let kind = item.resource.kind();
        let sources = SOURCES.iter().filter(|source| source.kind == kind && is_wanted(item, source));
        asked.extend(sources.map(|source| (item, source)));
    }
    asked
}

/// A reading under way.
struct Reading<'a> {
    telemetry: &'a dyn Telemetry,
    clock: &'a dyn Clock,
    began: Timestamp,
    from: Timestamp,
    to: Timestamp,
    is_over: bool,
}

impl Reading<'_> {
    async fn all(&mut self, asked: &[Asked<'_>]) -> Vec<Usage> {
        let mut usage = Vec::with_capacity(asked.len());
        for part in parts(asked) {
            self.is_over |= self.clock.now().duration_since(self.began) > BEGIN_MAX;
            let profiles = match self.is_over {
                true => refused(part),
                false => read_part(part, self.telemetry, self.from, self.to).await,
            };
            self.is_over |= profiles.iter().all(|usage| matches!(usage.profile, Observed::Missing(Missing::Throttled)));
            usage.extend(profiles);
        }
        usage
    }
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
        .flat_map(|(item, source)| source.metrics.iter().map(|metric| query(source, metric, &item.resource)))
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

fn query(source: &Source, metric: &str, resource: &Resource) -> MetricQuery {
    MetricQuery {
        namespace: source.namespace.to_owned(),
        metric: metric.to_owned(),
        stat: source.stat.to_owned(),
        scale: 1.0,
        target: Target { member: None, dimensions: dimensions(source, resource) },
    }
}

/// The sum of the parts, hour by hour; an hour without any part is a gap. One part that could not be read makes all unknown; one
/// that was read and has no datapoint in 30 days is known to have none.
fn of_parts(parts: Vec<Observed<Series>>, from: Timestamp) -> Observed<Profile> {
    let hours = usize::try_from(24 * HISTORY_DAYS).unwrap_or_default();
    let mut sum: Vec<Option<f64>> = Vec::new();
    for part in parts {
        match part {
            Observed::Known(series) if sum.is_empty() => sum = series.values,
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
    sum.resize(hours, None);
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
    use domain::ids::AppId;
    use domain::resource::{Live, LogGroup, Machine, Tags, Volume};
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

    #[async_trait]
    impl Clock for Numbers {
        /// Only readings take time.
        fn now(&self) -> Timestamp {
            let readings = self.readings.lock().unwrap().len();
            START + self.takes * i32::try_from(readings).unwrap()
        }

        async fn wait(&self, _: u32) {}
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

    /// Nothing is too busy to be looked at.
    fn everything() -> Policy {
        Policy { cpu_pct_max: f64::INFINITY, ..Policy::default() }
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
            let resource = Resource { id, name: number.to_string(), tags: Tags::new(), live };
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
            on_demand: None,
        }
    }

    #[tokio::test]
    async fn regression_a_large_estate_is_read_in_parts_and_each_profile_is_that_of_its_own_resource() {
        let (estate, telemetry) = (estate(1_400), numbers(usize::MAX, 0));
        let usage = read(&estate, &everything(), &telemetry, &telemetry).await;
        let readings = telemetry.readings.into_inner().unwrap();
        assert_eq!(readings.iter().sum::<usize>(), 1_400 * 4 + 467);
        assert!(readings.iter().all(|queries| *queries <= QUERIES_AT_ONCE), "{readings:?}");
        assert_eq!(readings.len(), 4 + 9, "1,867 of CPU and logs, 4,200 of what comes after: {readings:?}");
        assert_eq!(usage.len(), 1_400 * 3 + 467);
        for of in &usage {
            let number: f64 = of.resource.as_str().rsplit('/').next().unwrap().parse().unwrap();
            let metrics = if of.quantity == Quantity::NetworkBytes { 2.0 } else { 1.0 };
            assert_eq!(of.profile.known().map(|profile| profile.max), Some(number * metrics), "{of:?}");
        }
    }

    #[tokio::test]
    async fn what_comes_after_a_part_that_was_refused_altogether_is_not_asked_for_and_missing() {
        let (estate, telemetry) = (estate(1_000), numbers(1, 0));
        let usage = read(&estate, &everything(), &telemetry, &telemetry).await;
        assert_eq!(telemetry.readings.into_inner().unwrap().len(), 2);
        let (known, missing): (Vec<_>, Vec<_>) = usage.iter().partition(|usage| usage.profile.known().is_some());
        // Of machines whose CPU was refused nothing more is wanted.
        let machines = known.iter().filter(|usage| usage.quantity == Quantity::CpuPct).count();
        assert_eq!(known.len() + missing.len(), 1_000 + 334 + 2 * machines);
        assert!(
            !known.is_empty() && missing.iter().all(|usage| usage.profile == Observed::Missing(Missing::Throttled))
        );
    }

    #[tokio::test]
    async fn no_part_begins_when_time_is_up() {
        let (estate, telemetry) = (estate(1_500), numbers(usize::MAX, 50));
        let usage = read(&estate, &everything(), &telemetry, &telemetry).await;
        assert_eq!(telemetry.readings.into_inner().unwrap().len(), 3, "at 0, 50 and 100 s");
        assert_eq!(usage.last().map(|usage| &usage.profile), Some(&Observed::Missing(Missing::Throttled)));
    }

    #[tokio::test]
    async fn memory_and_network_are_read_only_where_the_cpu_is_low_and_operations_only_of_what_is_attached_to_nothing()
    {
        let volume = |number: usize, attached_to: &[&str]| {
            let live = Live::Volume(Volume {
                volume_type: "gp3".to_owned(),
                size_gib: 8,
                iops: None,
                throughput_mibps: None,
                attached_to: attached_to.iter().map(|of| (*of).to_owned()).collect(),
                is_modifying: false,
                delete_after: None,
                final_snapshot: None,
            });
            let id = ResourceId::new(format!("volume/{number}"));
            let resource = Resource { id, name: number.to_string(), tags: Tags::new(), live };
            Item { resource, created_at: None, unused_since: None, managed_by: None, terms: None }
        };
        // The CPU of each machine is its number, in per cent: 0 to 29 are low.
        let (mut estate, telemetry) = (estate(100), numbers(usize::MAX, 0));
        estate.items.extend([volume(1, &[]), volume(2, &["i-1"])]);
        let usage = read(&estate, &Policy::default(), &telemetry, &telemetry).await;
        let asked: usize = telemetry.readings.into_inner().unwrap().iter().sum();
        assert_eq!(asked, 100 + 34 + 2 + 30 * 3, "CPU, logs, one volume, and the rest of thirty machines");
        let of = |quantity| usage.iter().filter(move |usage| usage.quantity == quantity);
        assert_eq!((of(Quantity::MemoryPct).count(), of(Quantity::NetworkBytes).count()), (30, 30));
        assert!(of(Quantity::MemoryPct).all(|usage| usage.profile.known().is_some_and(|profile| profile.max < 30.0)));
        assert_eq!(of(Quantity::DiskOps).map(|usage| usage.resource.as_str()).collect::<Vec<_>>(), ["volume/1"]);
    }
}
