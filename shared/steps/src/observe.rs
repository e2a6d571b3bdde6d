//! Reads one snapshot of an application. Reads only; what can't be read is missing with its reason.

use config::ResolvedApp;
use domain::observed::{Missing, Observed};
use domain::place::Place;
use domain::reading::{Reading, Scene, assemble, readings};
use domain::resource::{Live, PROTECTED_TAG, Resource};
use domain::series::Series;
use domain::snapshot::{HISTORY_S, Snapshot};
use engine::ports::{Clock, Inventory, MetricQuery, PortError, Telemetry};
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};

/// Length of a period in seconds: the resolution of AWS's own metrics.
pub const PERIOD_S: u32 = 60;

/// What observing needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Resources.
    pub inventory: &'a dyn Inventory,
    /// Metrics and alarms.
    pub telemetry: &'a dyn Telemetry,
}

/// Why nothing was found. AWS answers for a Region that does not exist with no connection and for one that is not enabled as for a
/// wrong key, so where the configuration has chosen the place, it is named.
fn in_its_place(error: PortError, place: Option<&Place>) -> StepError {
    let may_be_the_place = matches!(error, PortError::Unknown { .. } | PortError::Denied { .. });
    let error = StepError::from(error);
    match (place, error) {
        (Some(place), StepError::Transient(why)) if may_be_the_place => StepError::Transient(unless(&why, place)),
        (Some(place), StepError::Config(why)) if may_be_the_place => StepError::Config(unless(&why, place)),
        (_, error) => error,
    }
}

fn unless(why: &str, place: &Place) -> String {
    format!(
        "{why}; maintainer.yaml says that the application lives in {place}: is that a Region, and is it enabled in that account?"
    )
}

/// Takes a snapshot that ends now, with the ports of the place in which the application lives.
///
/// # Errors
/// When the resources can't be found at all, or the reading of their metrics failed as a whole: a verdict on that would be one on
/// nothing, and the same again may well succeed. Anything less is missing in the snapshot.
pub async fn observe(app: &ResolvedApp, place: Option<&Place>, world: &World<'_>) -> Result<Snapshot, StepError> {
    let found = world.inventory.discover(&app.selector).await.map_err(|error| in_its_place(error, place))?;
    let mut resources = found.resources;
    resources.extend(app.metrics.iter().cloned());
    for resource in &mut resources {
        as_configured(resource, app);
        if let Some(place) = place {
            resource.id = place.qualified(&resource.id);
        }
    }
    let to = whole_period(world.clock.now());
    let from = to.checked_sub(SignedDuration::from_secs(i64::from(HISTORY_S))).unwrap_or(Timestamp::MIN);
    let queries = queries(&readings(&resources));
    let answers = world.telemetry.read(&queries, from, to, PERIOD_S).await;
    if let Some(why) = failed_as_a_whole(&answers) {
        return Err(StepError::Transient(format!("no metric of {} could be read: {why}", app.id)));
    }
    let alarms = match world.telemetry.alarms(&app.id, &resources).await {
        Ok(alarms) => Observed::Known(alarms),
        Err(error) => Observed::Missing(error.missing()),
    };
    let scene = Scene {
        app: app.id.clone(),
        taken_at: to,
        window_s: app.policy.window_s,
        alarms,
        undiscovered: found.undiscovered,
    };
    Ok(assemble(scene, resources, answers))
}

/// Why not one metric could be read, where it is a failure that may pass and not what CloudWatch has or lets us see.
fn failed_as_a_whole(answers: &[Observed<Series>]) -> Option<&Missing> {
    let mut failures = answers.iter().map(|answer| match answer {
        Observed::Missing(why @ (Missing::Throttled | Missing::Failed(_))) => Some(why),
        _ => None,
    });
    let first = failures.next()??;
    failures.all(|failure| failure.is_some()).then_some(first)
}

/// What to ask for these readings, in their order.
pub fn queries(readings: &[Reading<'_>]) -> Vec<MetricQuery> {
    let query = |reading: &Reading<'_>| {
        let (namespace, metric, stat) = reading.source();
        MetricQuery {
            namespace: namespace.to_owned(),
            metric: metric.to_owned(),
            stat: stat.to_owned(),
            scale: reading.spec.scale,
            target: reading.target.clone(),
        }
    };
    readings.iter().map(query).collect()
}

/// What the configuration says about a resource besides AWS: bounds of a service, protection by name. Bounds that the owner
/// has set in AWS hold in any case; the configuration can only narrow them.
pub fn as_configured(resource: &mut Resource, app: &ResolvedApp) {
    if let (Live::EcsService(service), Some(bounds)) = (&mut resource.live, app.capacity.get(&resource.name)) {
        let configured = (bounds.min, bounds.max);
        service.bounds = Some(service.bounds.map_or(configured, |(min, max)| {
            let within = |count: u32| count.clamp(min, max.max(min));
            (within(configured.0), within(configured.1))
        }));
    }
    // Of an index that is not there yet people know the table and the database.
    let is_named = match &resource.live {
        Live::Index(index) => [&index.table, &index.database].iter().any(|name| app.protected.contains(*name)),
        Live::Statistics(of) => [&of.table, &of.database].iter().any(|name| app.protected.contains(*name)),
        _ => false,
    };
    if is_named || app.protected.contains(&resource.name) {
        resource.tags.insert(PROTECTED_TAG.to_owned(), "configured".to_owned());
    }
}

/// The start of the current period: only whole periods are read, or the last value would be half a value.
fn whole_period(now: Timestamp) -> Timestamp {
    let seconds = now.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(i64::from(PERIOD_S))).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::Config;
    use testkit::build;

    fn bounds(in_aws: Option<(u32, u32)>, configured: &str) -> Option<(u32, u32)> {
        let file = format!("applications:\n  shop:\n    capacity: {{worker: {configured}}}\n");
        let app = Config::parse(&file).unwrap().resolve_any(&"shop".into());
        let mut worker = build::service("worker", 4);
        if let Live::EcsService(service) = &mut worker.live {
            service.bounds = in_aws;
        }
        as_configured(&mut worker, &app);
        let Live::EcsService(service) = worker.live else { unreachable!("it is a service") };
        service.bounds
    }

    #[test]
    fn only_where_every_metric_failed_for_a_moment_there_is_nothing_to_judge_by() {
        let missing = Observed::<Series>::Missing;
        let known = Observed::Known(Series { start: Timestamp::UNIX_EPOCH, period_s: 60, values: vec![Some(1.0)] });
        let lost = || missing(Missing::Failed("the connection was reset".to_owned()));
        assert_eq!(failed_as_a_whole(&[lost(), missing(Missing::Throttled)]).map(|_| ()), Some(()));
        for other in [known, missing(Missing::NoData), missing(Missing::Denied("cloudwatch:GetMetricData".to_owned()))]
        {
            assert_eq!(failed_as_a_whole(&[lost(), other]), None);
        }
        assert_eq!(failed_as_a_whole(&[]), None);
    }

    #[test]
    fn the_configuration_can_only_narrow_what_the_owner_has_set_in_aws() {
        assert_eq!(bounds(None, "{min: 2, max: 8}"), Some((2, 8)));
        assert_eq!(bounds(Some((1, 10)), "{min: 2, max: 8}"), Some((2, 8)));
        assert_eq!(bounds(Some((3, 6)), "{min: 2, max: 8}"), Some((3, 6)));
        assert_eq!(bounds(Some((3, 6)), "{min: 4, max: 8}"), Some((4, 6)));
        assert_eq!(bounds(Some((3, 6)), "{min: 8, max: 9}"), Some((6, 6)), "where they don't meet, AWS's bound holds");
        assert_eq!(bounds(Some((3, 6)), "{min: 1, max: 2}"), Some((3, 3)));
    }
}
