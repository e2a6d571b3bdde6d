//! An application of any size: shops, each with web servers behind a load balancer, a worker service, database, cache,
//! queue, function and table. Every twentieth resource has been ill for twenty minutes.

use crate::report::Failure;
use config::{Config, ResolvedApp};
use domain::ids::{AppId, ResourceId};
use domain::observed::Observed;
use domain::reading::{Reading, Scene, assemble, readings};
use domain::resource::{Cache, CustomMetric, Database, Fleet, Instance, Live, Resource, Service, Tags};
use domain::series::Series;
use domain::signal::Judge;
use domain::snapshot::{HISTORY_S, Snapshot};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Web servers of a shop.
const SERVERS: u32 = 8;
/// One in so many resources is ill.
const ILL_EACH: usize = 20;
/// Seconds of illness before the snapshot.
const ILL_S: i64 = 1_200;

fn resource(id: String, name: String, live: Live) -> Resource {
    Resource { id: ResourceId::new(id), name, tags: Tags::default(), live }
}

fn fleet(number: usize, target_group: &str) -> Fleet {
    let instance = |server: u32| Instance {
        id: format!("i-{number:06x}{server:04x}"),
        in_service: true,
        healthy: true,
        protected: false,
        instance_type: Some("t4g.small".to_owned()),
    };
    Fleet {
        min: 2,
        max: 20,
        desired: SERVERS,
        instances: (0..SERVERS).map(instance).collect(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: vec![ResourceId::new(target_group.to_owned())],
    }
}

fn shop(number: usize) -> Vec<Resource> {
    let name = format!("shop-{number}");
    let (target_group, load_balancer) = (format!("targetgroup/{name}/1"), format!("app/{name}/2"));
    let service = Service {
        cluster: name.clone(),
        desired: 3,
        running: 3,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: Some((1, 10)),
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: domain::observed::Observed::Known(Vec::new()),
    };
    let database = Database {
        engine: "postgres".to_owned(),
        instance_class: "db.t4g.medium".to_owned(),
        connections_max: Some(450.0),
        storage_bytes: Some(1.0e11),
        memory_bytes: Some(4.0e9),
    };
    let cache = Cache {
        engine: "redis".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 6379,
        tls: false,
        nodes: vec![name.clone()],
    };
    let group_id = format!("tg/{name}");
    let fleet = fleet(number, &group_id);
    let kinds = [
        (group_id, Live::TargetGroup { target_group, load_balancer: load_balancer.clone() }),
        (format!("lb/{name}"), Live::LoadBalancer { load_balancer }),
        (format!("asg/{name}"), Live::AutoScalingGroup(fleet)),
        (format!("ecs/{name}"), Live::EcsService(service)),
        (format!("db/{name}"), Live::Database(database)),
        (format!("cache/{name}"), Live::Cache(cache)),
        (format!("queue/{name}"), Live::Queue),
        (format!("function/{name}"), Live::Function),
        (format!("table/{name}"), Live::Table),
    ];
    kinds.into_iter().map(|(id, live)| resource(id, name.clone(), live)).collect()
}

fn own_metric(number: usize) -> Resource {
    let metric = CustomMetric {
        namespace: "Shop".to_owned(),
        metric: format!("Orders{number}"),
        dimensions: BTreeMap::from([("Shop".to_owned(), "main".to_owned())]),
        stat: "Average".to_owned(),
        good: 100.0,
        bad: 10.0,
    };
    resource(format!("custom/{number}"), format!("orders-{number}"), Live::Custom(metric))
}

/// Resources with exactly so many metrics to read; what no whole shop fills are metrics of the application's own.
pub fn resources(metrics: usize) -> Vec<Resource> {
    let per_shop = readings(&shop(0)).len();
    let mut resources: Vec<Resource> = (0..metrics / per_shop).flat_map(shop).collect();
    resources.extend((0..metrics % per_shop).map(own_metric));
    resources
}

/// The application, as configured by nothing but its tag.
///
/// # Errors
/// When the defaults are no valid configuration.
pub fn app() -> Result<ResolvedApp, Failure> {
    Ok(Config::parse("").map_err(|error| error.to_string())?.resolve_tagged(&AppId::from("bench")))
}

/// A snapshot with so many signals, each with the minutes that a snapshot reaches back.
pub fn snapshot(app: &ResolvedApp, signals: usize, taken_at: Timestamp) -> Snapshot {
    let resources = resources(signals);
    let order: BTreeMap<&ResourceId, usize> =
        resources.iter().enumerate().map(|(index, resource)| (&resource.id, index)).collect();
    let answers = readings(&resources)
        .iter()
        .enumerate()
        .map(|(index, reading)| {
            let ill = order.get(&reading.resource.id).is_some_and(|index| index % ILL_EACH == 0);
            Observed::Known(series(app, reading, index, ill, taken_at))
        })
        .collect();
    let scene = Scene {
        app: app.id.clone(),
        taken_at,
        window_s: app.policy.window_s,
        alarms: Observed::Known(Vec::new()),
        undiscovered: Vec::new(),
    };
    assemble(scene, resources, answers)
}

fn series(app: &ResolvedApp, reading: &Reading<'_>, index: usize, ill: bool, end: Timestamp) -> Series {
    let judge = reading.spec.judge.and_then(|judge| judge(reading.resource, &app.objectives));
    let (well, sick) = judge.map_or(
        (50.0, 50.0),
        |Judge { good, bad, .. }| {
            if bad > good { (0.6 * good, bad) } else { (1.5 * good, bad) }
        },
    );
    let start = end - SignedDuration::from_secs(i64::from(HISTORY_S));
    let value = |minute: i64| {
        let at_s = start.as_second() + 60 * minute;
        let level = if ill && at_s >= end.as_second() - ILL_S { sick } else { well };
        // A scatter of some per cent, another one for each signal, the same in every run.
        let phase = (at_s / 60) as f64 * 2.399 + index as f64;
        Some(level * (1.0 + 0.03 * phase.sin() * (1.7 * phase).cos()))
    };
    Series { start, period_s: 60, values: (0..i64::from(HISTORY_S / 60)).map(value).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estate_has_exactly_the_metrics_that_were_asked_for() {
        for metrics in [1, 60, 500, 10_000] {
            assert_eq!(readings(&resources(metrics)).len(), metrics);
        }
    }
}
