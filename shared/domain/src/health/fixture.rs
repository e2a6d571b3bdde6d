//! A small shop in good health, for tests: four web servers behind a load balancer, a worker service behind a queue, a
//! cache, a database, as much history as a snapshot has. A test changes what it is about.

use super::analysis::Analysis;
use super::anomalies::Memory;
use super::plan::Tried;
use super::policy::Policy;
use crate::guard::Limits;
use crate::objective::Objectives;
use crate::observed::{Missing, Observed};
use crate::plan::Plan;
use crate::price::{Price, Sold};
use crate::resource::{Cache, CustomMetric, Database, Fleet, Instance, Live, Resource, Service, Tags, Task};
use crate::series::Series;
use crate::snapshot::{Alarm, AlarmState, HISTORY_S, Measurement, Snapshot, Week};
use jiff::{SignedDuration, Timestamp};

/// When every snapshot of a test is taken.
pub(super) const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// Minutes of history.
pub(super) const HISTORY_MIN: u32 = HISTORY_S / 60;
/// Members of the fleet.
pub(super) const MEMBERS: [&str; 4] = ["i-1", "i-2", "i-3", "i-4"];

/// The shop.
pub(super) struct Shop {
    pub(super) snapshot: Snapshot,
}

pub(super) fn minutes_ago(minutes: i64) -> Timestamp {
    NOW - SignedDuration::from_mins(minutes)
}

fn resource(id: &str, name: &str, live: Live) -> Resource {
    Resource { id: id.into(), name: name.to_owned(), tags: Tags::default(), live }
}

/// 0.0168 USD an hour.
fn price() -> Price {
    Price { of: Sold::Instance("t4g.small".to_owned()), usd_micros_hour: Observed::Known(16_800) }
}

pub(super) fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        in_service: true,
        healthy: true,
        protected: false,
        instance_type: Some("t4g.small".to_owned()),
    }
}

/// A task that runs since so many hours before the snapshot.
fn task(hours: i64) -> Task {
    Task { id: format!("t-{hours}"), started_at: Some(NOW - SignedDuration::from_hours(hours)) }
}

fn resources() -> Vec<Resource> {
    let fleet = Fleet {
        min: 2,
        max: 10,
        desired: 4,
        instances: MEMBERS.map(instance).to_vec(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: vec!["tg".into()],
    };
    let service = Service {
        cluster: "shop".to_owned(),
        desired: 3,
        running: 3,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: Some((1, 10)),
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: Observed::Known((1..=3).map(task).collect()),
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
        nodes: vec!["shop-cache".to_owned()],
    };
    let (target_group, load_balancer) = ("targetgroup/shop/1".to_owned(), "app/shop/2".to_owned());
    vec![
        resource("tg", "shop", Live::TargetGroup { target_group, load_balancer: load_balancer.clone() }),
        resource("lb", "shop", Live::LoadBalancer { load_balancer }),
        resource("asg", "shop-web", Live::AutoScalingGroup(fleet)),
        resource("ecs", "shop-worker", Live::EcsService(service)),
        resource("db", "shop-db", Live::Database(database)),
        resource("cache", "shop-cache", Live::Cache(cache)),
        resource("queue", "shop-jobs", Live::Queue),
        resource("fn", "shop-hook", Live::Function),
        resource("table", "shop-carts", Live::Table),
    ]
}

/// Signal, resource and healthy level.
const HEALTHY: &[(&str, &str, f64)] = &[
    ("latency_p95_ms", "tg", 75.0),
    ("requests", "tg", 10_800.0),
    ("errors_5xx", "tg", 1.0),
    ("hosts_healthy", "tg", 4.0),
    ("hosts_unhealthy", "tg", 0.0),
    ("lb_requests", "lb", 10_800.0),
    ("lb_errors_5xx", "lb", 0.0),
    ("fleet_cpu_pct", "asg", 47.0),
    ("fleet_memory_pct", "asg", 45.0),
    ("fleet_disk_pct", "asg", 41.0),
    ("fleet_desired", "asg", 4.0),
    ("service_cpu_pct", "ecs", 50.0),
    ("service_memory_pct", "ecs", 52.0),
    ("service_desired", "ecs", 3.0),
    ("db_cpu_pct", "db", 40.0),
    ("db_connections", "db", 21.0),
    ("db_free_storage_bytes", "db", 6.2e10),
    ("cache_hits", "cache", 10_400.0),
    ("cache_misses", "cache", 400.0),
    ("cache_evictions", "cache", 0.0),
    ("cache_memory_pct", "cache", 40.0),
    ("queue_depth", "queue", 5.0),
    ("queue_oldest_s", "queue", 1.0),
    ("queue_sent", "queue", 900.0),
    ("queue_deleted", "queue", 900.0),
    ("function_invocations", "fn", 300.0),
    ("function_errors", "fn", 0.0),
    ("function_throttles", "fn", 0.0),
    ("table_read_throttles", "table", 0.0),
    ("table_write_throttles", "table", 0.0),
];

/// A scatter of about one per cent, the same in every run.
pub(super) fn scattered(level: f64, ago_min: f64) -> f64 {
    level * (1.0 + 0.01 * (ago_min * 2.399).sin())
}

fn series(law: &dyn Fn(f64) -> Option<f64>, end: Timestamp) -> Series {
    Series {
        start: end - SignedDuration::from_mins(i64::from(HISTORY_MIN)),
        period_s: 60,
        values: (1..=HISTORY_MIN).rev().map(|ago| law(f64::from(ago))).collect(),
    }
}

impl Shop {
    /// In good health.
    pub(super) fn new() -> Self {
        let snapshot = Snapshot {
            app: "shop".into(),
            taken_at: NOW,
            window_s: 300,
            resources: resources(),
            measurements: Vec::new(),
            alarms: Observed::Known(Vec::new()),
            undiscovered: Vec::new(),
            prices: vec![price()],
            weeks: Vec::new(),
        };
        let mut shop = Self { snapshot };
        for (signal, resource, level) in HEALTHY {
            shop = shop.is(signal, resource, *level);
        }
        for member in MEMBERS {
            for (signal, level) in
                [("instance_cpu_pct", 47.0), ("instance_memory_pct", 45.0), ("instance_status_failed", 0.0)]
            {
                shop = shop.member(signal, member, move |ago| Some(scattered(level, ago)));
            }
        }
        shop
    }

    fn put(mut self, signal: &str, resource: &str, member: Option<&str>, series: Observed<Series>) -> Self {
        let same = |m: &Measurement| {
            m.signal.as_str() == signal && m.resource.as_str() == resource && m.member.as_deref() == member
        };
        self.snapshot.measurements.retain(|m| !same(m));
        let (signal, resource, member) = (signal.into(), resource.into(), member.map(str::to_owned));
        self.snapshot.measurements.push(Measurement { signal, resource, member, series });
        self
    }

    /// A signal stands at a level, with a little scatter.
    pub(super) fn is(self, signal: &str, resource: &str, level: f64) -> Self {
        self.law(signal, resource, move |ago| Some(scattered(level, ago)))
    }

    /// A signal has been at a level for some minutes, and healthy before.
    pub(super) fn became(self, signal: &str, resource: &str, level: f64, minutes: f64) -> Self {
        let before =
            HEALTHY.iter().find(|(id, on, _)| *id == signal && *on == resource).expect("a signal of the shop").2;
        self.law(signal, resource, move |ago| Some(scattered(if ago <= minutes { level } else { before }, ago)))
    }

    /// A signal follows a law of the minutes before now.
    pub(super) fn law(self, signal: &str, resource: &str, law: impl Fn(f64) -> Option<f64>) -> Self {
        let series = series(&law, self.snapshot.taken_at);
        self.put(signal, resource, None, Observed::Known(series))
    }

    /// A signal of a member of the fleet follows a law.
    pub(super) fn member(self, signal: &str, member: &str, law: impl Fn(f64) -> Option<f64>) -> Self {
        let series = series(&law, self.snapshot.taken_at);
        self.put(signal, "asg", Some(member), Observed::Known(series))
    }

    /// A signal could not be read.
    pub(super) fn missing(self, signal: &str, resource: &str, reason: Missing) -> Self {
        self.put(signal, resource, None, Observed::Missing(reason))
    }

    /// An alarm stands.
    pub(super) fn alarm(mut self, name: &str) -> Self {
        let alarm = Alarm { name: name.to_owned(), state: AlarmState::Alarm, since: None, reason: String::new() };
        if let Observed::Known(alarms) = &mut self.snapshot.alarms {
            alarms.push(alarm);
        }
        self
    }

    /// A custom metric, judged, at a level.
    pub(super) fn custom(mut self, id: &str, metric: CustomMetric, level: impl Fn(f64) -> Option<f64>) -> Self {
        self.snapshot.resources.push(resource(id, id, Live::Custom(metric)));
        self.law("custom", id, level)
    }

    /// Changes a resource.
    pub(super) fn with(mut self, id: &str, change: impl FnOnce(&mut Resource)) -> Self {
        change(
            self.snapshot
                .resources
                .iter_mut()
                .find(|resource| resource.id.as_str() == id)
                .expect("a resource of the shop"),
        );
        self
    }

    /// Changes the fleet.
    pub(super) fn fleet(self, change: impl FnOnce(&mut Fleet)) -> Self {
        self.with("asg", |resource| match &mut resource.live {
            Live::AutoScalingGroup(fleet) => change(fleet),
            other => panic!("not a fleet: {other:?}"),
        })
    }

    /// Changes the service.
    pub(super) fn service(self, change: impl FnOnce(&mut Service)) -> Self {
        self.with("ecs", |resource| match &mut resource.live {
            Live::EcsService(service) => change(service),
            other => panic!("not a service: {other:?}"),
        })
    }

    /// Another resource.
    pub(super) fn also(mut self, id: &str, live: Live) -> Self {
        self.snapshot.resources.push(resource(id, id, live));
        self
    }

    /// Moves the whole snapshot to a later time.
    pub(super) fn at(mut self, taken_at: Timestamp) -> Self {
        let shift = taken_at.duration_since(self.snapshot.taken_at);
        self.snapshot.taken_at = taken_at;
        for measurement in &mut self.snapshot.measurements {
            if let Observed::Known(series) = &mut measurement.series {
                series.start += shift;
            }
        }
        for measurement in self.snapshot.weeks.iter_mut().flat_map(|week| &mut week.measurements) {
            if let Observed::Known(series) = &mut measurement.series {
                series.start += shift;
            }
        }
        self
    }

    /// With an earlier week, in which the minutes before now were as in this shop.
    pub(super) fn week(mut self, days_ago: u32, then: &Shop) -> Self {
        let shift_s = i64::from(days_ago) * 86_400;
        let mut measurements = then.snapshot.measurements.clone();
        for measurement in &mut measurements {
            if let Observed::Known(series) = &mut measurement.series {
                series.start -= SignedDuration::from_secs(shift_s);
            }
        }
        self.snapshot.weeks.push(Week { days_ago, shift_s, disturbed: None, measurements });
        self
    }

    /// Analyzed with the default objectives and thresholds.
    pub(super) fn analysis(&self) -> Analysis {
        super::analyze(&self.snapshot, &Objectives::default(), &Policy::default(), Memory::default()).0
    }

    /// Its score, if it has one.
    pub(super) fn score(&self) -> Option<f64> {
        self.analysis().score.known().copied()
    }

    /// Planned with the default thresholds and limits.
    pub(super) fn plan(&self, tried: &[Tried]) -> Plan {
        super::plan(&self.snapshot, &self.analysis(), &Policy::default(), &Limits::default(), tried, &"run".into(), 1)
    }

    /// Ids of the rules that find something.
    pub(super) fn rules(&self) -> Vec<String> {
        self.analysis().findings.iter().map(|finding| finding.rule.to_string()).collect()
    }
}
