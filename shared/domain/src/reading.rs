//! What to read of an application, and how the answers become a snapshot.
//!
//! Decides which metrics belong to which resource and what a gap means. It reads nothing.

use crate::ids::{AppId, SignalId};
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Resource, ResourceKind};
use crate::series::Series;
use crate::signal::{Gap, SignalSpec, Target};
use crate::signals;
use crate::snapshot::{Alarm, Measurement, Snapshot};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// One metric to read: a signal of a resource or of a member of it.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The signal.
    pub spec: &'static SignalSpec,
    /// The resource.
    pub resource: &'a Resource,
    /// Dimensions and member.
    pub target: Target,
}

impl Reading<'_> {
    /// Namespace, metric name and statistic; those of a custom metric come from its resource.
    pub fn source(&self) -> (&str, &str, &str) {
        match &self.resource.live {
            Live::Custom(metric) => (&metric.namespace, &metric.metric, &metric.stat),
            _ => (self.spec.namespace, self.spec.metric, self.spec.stat),
        }
    }
}

/// Every metric to read for these resources, in the order of resources and of [`signals::TABLE`].
pub fn readings(resources: &[Resource]) -> Vec<Reading<'_>> {
    resources
        .iter()
        .flat_map(|resource| {
            signals::of_resource(resource).flat_map(move |(spec, targets)| {
                targets.into_iter().map(move |target| Reading { spec, resource, target })
            })
        })
        .collect()
}

/// True when a dimension set of an alarm names this resource or a member of it.
pub fn names_resource(resource: &Resource, dimensions: &BTreeMap<String, String>) -> bool {
    signals::of_resource(resource).any(|(_, targets)| {
        targets.iter().any(|target| {
            !target.dimensions.is_empty()
                && target.dimensions.iter().all(|(name, value)| dimensions.get(name.as_ref()) == Some(value))
        })
    })
}

/// What was read of an application besides its metrics.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Application.
    pub app: AppId,
    /// When the reading ended.
    pub taken_at: Timestamp,
    /// Observed window in seconds.
    pub window_s: u32,
    /// Alarms.
    pub alarms: Observed<Vec<Alarm>>,
    /// Kinds that could not be discovered.
    pub undiscovered: Vec<(ResourceKind, Missing)>,
}

/// Puts answers and resources together. `answers` are in the order of [`readings`] of the same resources.
pub fn assemble(scene: Scene, resources: Vec<Resource>, answers: Vec<Observed<Series>>) -> Snapshot {
    let measurements = measured(&readings(&resources), answers);
    Snapshot {
        app: scene.app,
        taken_at: scene.taken_at,
        window_s: scene.window_s,
        measurements,
        resources,
        alarms: scene.alarms,
        undiscovered: scene.undiscovered,
        prices: Vec::new(),
        weeks: Vec::new(),
    }
}

/// What the answers to some readings mean, in their order.
pub fn measured(readings: &[Reading<'_>], answers: Vec<Observed<Series>>) -> Vec<Measurement> {
    let mut measurements: Vec<Measurement> = readings
        .iter()
        .zip(answers)
        .map(|(reading, series)| Measurement {
            signal: SignalId::from(reading.spec.id),
            resource: reading.resource.id.clone(),
            member: reading.target.member.clone(),
            series: explain(reading.spec, series),
        })
        .collect();
    fill_gaps(readings, &mut measurements);
    measurements
}

/// No data of a signal that needs setting up is "not published", which names what to set up.
fn explain(spec: &SignalSpec, series: Observed<Series>) -> Observed<Series> {
    match (series, spec.needs) {
        (Observed::Missing(Missing::NoData), Some(needs)) => Observed::Missing(Missing::NotPublished(needs.to_owned())),
        (series, _) => series,
    }
}

/// Counts that AWS publishes only when they are not zero: a gap is zero where the witness is known.
fn fill_gaps(readings: &[Reading<'_>], measurements: &mut [Measurement]) {
    fn key<'a>(signal: &'static str, reading: &'a Reading<'_>) -> (&'static str, &'a str, Option<&'a str>) {
        (signal, reading.resource.id.as_str(), reading.target.member.as_deref())
    }
    let places: HashMap<_, usize> =
        readings.iter().enumerate().map(|(index, reading)| (key(reading.spec.id, reading), index)).collect();
    for (index, reading) in readings.iter().enumerate() {
        let Gap::ZeroWhere { witness } = reading.spec.gap else { continue };
        let Some(place) = places.get(&key(witness, reading)).filter(|place| **place != index) else { continue };
        let Ok([seen, own]) = measurements.get_disjoint_mut([*place, index]) else { continue };
        if let Some(seen) = seen.series.known() {
            zero_where(seen, &mut own.series);
        }
    }
}

/// Puts zeros into the gaps of the series wherever the witness has a value; not when it failed rather than being empty.
fn zero_where(witness: &Series, series: &mut Observed<Series>) {
    let mut values = match series {
        Observed::Known(series) => std::mem::take(&mut series.values),
        Observed::Missing(Missing::NoData) => vec![None; witness.values.len()],
        Observed::Missing(_) => return,
    };
    values.truncate(witness.values.len());
    for (value, seen) in values.iter_mut().zip(&witness.values) {
        *value = value.or_else(|| seen.is_some().then_some(0.0));
    }
    *series = Observed::Known(Series { start: witness.start, period_s: witness.period_s, values });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Tags;

    fn target_group() -> Resource {
        Resource {
            id: "arn:tg".into(),
            name: "shop".into(),
            tags: Tags::default(),
            live: Live::TargetGroup { target_group: "targetgroup/shop/1".into(), load_balancer: "app/shop/2".into() },
        }
    }

    fn snapshot(answer: impl Fn(&str) -> Observed<Series>) -> Snapshot {
        let resources = vec![target_group()];
        let answers = readings(&resources).iter().map(|reading| answer(reading.spec.id)).collect();
        let scene = Scene {
            app: "shop".into(),
            taken_at: Timestamp::UNIX_EPOCH,
            window_s: 300,
            alarms: Observed::Known(Vec::new()),
            undiscovered: Vec::new(),
        };
        assemble(scene, resources, answers)
    }

    fn series(values: &[Option<f64>]) -> Observed<Series> {
        Observed::Known(Series { start: Timestamp::UNIX_EPOCH, period_s: 60, values: values.to_vec() })
    }

    #[test]
    fn a_count_without_data_is_zero_only_where_requests_are_known() {
        let seen = snapshot(|id| match id {
            "requests" => series(&[Some(10.0), None, Some(12.0)]),
            "errors_5xx" => series(&[None, None, Some(3.0)]),
            _ => Observed::Missing(Missing::NoData),
        });
        let errors = seen.measurement("errors_5xx", &"arn:tg".into()).unwrap();
        assert_eq!(errors.series, series(&[Some(0.0), None, Some(3.0)]));
    }

    #[test]
    fn a_failed_read_is_never_filled_with_zeros() {
        let seen = snapshot(|id| match id {
            "requests" => series(&[Some(10.0)]),
            _ => Observed::Missing(Missing::Throttled),
        });
        let errors = seen.measurement("errors_5xx", &"arn:tg".into()).unwrap();
        assert_eq!(errors.series, Observed::Missing(Missing::Throttled));
    }

    #[test]
    fn an_alarm_names_a_resource_only_with_all_of_its_dimensions() {
        let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let resource = target_group();
        assert!(names_resource(
            &resource,
            &pairs(&[("TargetGroup", "targetgroup/shop/1"), ("LoadBalancer", "app/shop/2")])
        ));
        assert!(!names_resource(&resource, &pairs(&[("LoadBalancer", "app/shop/2")])));
        assert!(!names_resource(&resource, &BTreeMap::new()));
    }
}
