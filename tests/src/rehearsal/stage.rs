//! A cloud in miniature for one application: instances that take a minute to come, a refresh that replaces one after the
//! other, tasks, a cache, alarms. The same times as the local cloud's.

use super::Rehearsal;
use super::store::Store;
use crate::model::{
    App, CacheSeen, Event, Happening, InstanceSeen, Metrics, Names, Sample, ServiceSeen, World, data, effects_at,
    first_change,
};
use crate::scenario::AppScenario;
use crate::studio::{AlarmPlan, alarm_plans, names_of};
use domain::change::{Action, Change};
use domain::health::{Ask, Minutes};
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::reading::{Reading, Scene, assemble, readings};
use domain::resource::{Cache, Database, Fleet, Instance, Live, Resource, Service, Tags, Task};
use domain::series::Series;
use domain::snapshot::{Alarm, AlarmState, Snapshot, Week};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Minute 0 of every rehearsal: 2026-01-01T00:00Z, in minutes since 1970.
const START_MIN: i64 = 29_454_240;
/// Minutes of history.
const PAST_MIN: i64 = 190;
/// The same of an earlier week: what a verdict looks at of it.
const WEEK_PAST_MIN: i64 = 25;
/// Minutes that an instance or a task needs to come up.
const BOOT_MIN: i64 = 1;
/// Minutes between two replacements of a refresh: boot and warm-up.
const REFRESH_STEP_MIN: i64 = 2;
/// Minutes that a deployment takes.
const DEPLOY_MIN: i64 = 2;

#[derive(Clone, Debug)]
struct Server {
    id: String,
    launched_min: i64,
}

/// The stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// What has been published.
    pub store: Store,
    app: String,
    names: Names,
    model: App,
    events: Vec<Event>,
    now_min: i64,
    servers: Vec<Server>,
    launched: u32,
    desired: u32,
    refresh: Option<(i64, Vec<String>)>,
    last_refresh_min: Option<i64>,
    tasks: Vec<Server>,
    started: u32,
    deployed_min: i64,
    poisoned: bool,
    poison_done: bool,
    warm: f64,
    plans: Vec<AlarmPlan>,
    /// The same minutes of earlier weeks, the last one first.
    weeks: Vec<Stage>,
}

impl Stage {
    /// An application with its past.
    pub fn new(app: &str, scenario: &AppScenario, seed: u64) -> Self {
        Self::with_past(app, scenario, seed, PAST_MIN)
    }

    /// The same with so many minutes of past.
    pub fn with_past(app: &str, scenario: &AppScenario, seed: u64, past_min: i64) -> Self {
        let weekly = AppScenario { events: scenario.weekly_events(), ..scenario.clone() };
        let week = |week: u32| Self::since(app, &weekly, seed.wrapping_add(1_000 * u64::from(week)), WEEK_PAST_MIN);
        let weeks = (1..=scenario.past_weeks).map(week).collect();
        Self { weeks, ..Self::since(app, scenario, seed, past_min) }
    }

    fn since(app: &str, scenario: &AppScenario, seed: u64, past_min: i64) -> Self {
        let mut stage = Self::to_be_lived(app, scenario, seed, past_min);
        for _ in 0..past_min {
            stage.live();
        }
        stage
    }

    /// An application that stands so many minutes before the scenario's beginning and has not lived yet.
    pub fn to_be_lived(app: &str, scenario: &AppScenario, seed: u64, past_min: i64) -> Self {
        let params = scenario.sizes.clone();
        let mut names = names_of(app);
        names.target_group = format!("targetgroup/{app}/1");
        names.load_balancer = format!("app/{app}/2");
        let plans = alarm_plans(app, &names, &params);
        let long_ago = -20_000;
        let servers =
            (0..params.web.servers).map(|n| Server { id: format!("i-{n:04}"), launched_min: long_ago }).collect();
        Self {
            store: Store::default(),
            app: app.to_owned(),
            names,
            events: scenario.events.clone(),
            now_min: -past_min,
            servers,
            launched: params.web.servers,
            desired: params.web.servers,
            refresh: None,
            last_refresh_min: None,
            tasks: (0..params.workers.tasks)
                .map(|n| Server { id: format!("t-{n:04}"), launched_min: long_ago })
                .collect(),
            started: params.workers.tasks,
            deployed_min: long_ago,
            poisoned: false,
            poison_done: false,
            warm: 1.0,
            plans,
            weeks: Vec::new(),
            model: App::new(params, seed),
        }
    }

    /// Forgets the earlier weeks, which then need not be lived through any more; gives them.
    pub fn forget_weeks(&mut self) -> Vec<Self> {
        std::mem::take(&mut self.weeks)
    }

    /// Remembers earlier weeks that it was made to forget.
    pub fn remember_weeks(&mut self, weeks: Vec<Self>) {
        self.weeks = weeks;
    }

    /// Minutes since the scenario began.
    pub fn minute(&self) -> i64 {
        self.now_min
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        time(self.now_min)
    }

    /// Wanted size of the web group and count of tasks.
    pub fn sizes(&self) -> (u32, u32) {
        (self.desired, small(self.tasks.len()))
    }

    /// Ids of the instances.
    pub fn instances(&self) -> Vec<&str> {
        self.servers.iter().map(|server| server.id.as_str()).collect()
    }

    /// One minute, with what is published of it.
    pub fn live(&mut self) -> Sample {
        let minute = START_MIN + self.now_min;
        let (sample, metrics) = self.live_unseen();
        if metrics == Metrics::Arrive {
            for datum in data(&self.names, &sample) {
                self.store.put(minute, datum);
            }
        }
        for week in &mut self.weeks {
            week.live();
        }
        sample
    }

    /// Lets minutes pass in which nothing is computed.
    pub fn skip(&mut self, minutes: i64) {
        self.now_min += minutes;
    }

    /// One minute of which nothing is kept, and whether anything of it would arrive: for a past that no snapshot reaches.
    pub fn live_unseen(&mut self) -> (Sample, Metrics) {
        #[allow(clippy::cast_precision_loss, reason = "a few thousand minutes")]
        let at = self.now_min as f64;
        self.step_refresh();
        self.step_cache(at);
        let params = self.model.params();
        if self.sizes() != (params.web.servers, params.workers.tasks) {
            first_change(&mut self.events, at);
        }
        let effects = effects_at(&self.events, at);
        let sample = self.model.step(&self.world(), &effects, at);
        self.now_min += 1;
        (sample, effects.metrics)
    }

    /// The weeks that verdicts on these changes look at, each made at its time, before this snapshot.
    pub fn weeks(&self, made: &[(&Change, Timestamp)], after: &Snapshot, rules: &Rehearsal) -> Vec<Week> {
        let ask = Ask::of(made, after, &rules.policy, rules.limits.snapshot_age_s_max);
        let Some(ask) = ask.filter(|_| !self.weeks.is_empty()) else { return Vec::new() };
        let readings = ask.readings(&after.resources);
        let week = |(minutes, then): (Minutes, &Self)| {
            // Each week counts its minutes as today does.
            let today = |at: Timestamp| (at.as_second() + minutes.shift_s) / 60;
            let read = |reading: &Reading<'_>| {
                let series = then.store.read(reading, today(minutes.from), today(minutes.to));
                series.map(|series| {
                    let start = series.start - SignedDuration::from_secs(minutes.shift_s);
                    Series { start, ..series }
                })
            };
            minutes.week(&readings, readings.iter().map(read).collect(), &[])
        };
        ask.minutes(&TimeZone::UTC).into_iter().zip(&self.weeks).map(week).collect()
    }

    fn world(&self) -> World {
        let instances = self
            .servers
            .iter()
            .map(|server| InstanceSeen {
                id: server.id.clone(),
                age_min: self.age_min(server),
                in_service: self.serves(server),
            })
            .collect();
        let memory_pct = if self.poisoned { 99.0 } else { 16.0 };
        World {
            instances,
            desired: self.desired,
            service: ServiceSeen {
                desired: small(self.tasks.len()),
                running: self.running(),
                ages_min: self.tasks.iter().filter(|task| self.serves(task)).map(|task| self.age_min(task)).collect(),
            },
            cache: CacheSeen { warm_share: self.warm, memory_pct, evictions: 0.0, reachable: true },
            query_ms: None,
        }
    }

    fn serves(&self, server: &Server) -> bool {
        self.now_min - server.launched_min >= BOOT_MIN
    }

    /// Minutes since an instance or a task has come up.
    fn age_min(&self, server: &Server) -> f64 {
        f64::from(small(usize::try_from(self.now_min - server.launched_min - BOOT_MIN).unwrap_or(0)))
    }

    fn running(&self) -> u32 {
        small(self.tasks.iter().filter(|task| self.serves(task)).count())
    }

    fn tasks_seen(&self) -> Vec<Task> {
        let started = |task: &Server| self.serves(task).then(|| time(task.launched_min + BOOT_MIN));
        self.tasks.iter().map(|task| Task { id: task.id.clone(), started_at: started(task) }).collect()
    }

    fn start_task(&mut self, launched_min: i64) {
        self.tasks.push(Server { id: format!("t-{:04}", self.started), launched_min });
        self.started += 1;
    }

    fn recount(&mut self, desired: u32) {
        let wanted = usize::try_from(desired).unwrap_or(usize::MAX);
        while self.tasks.len() < wanted {
            self.start_task(self.now_min);
        }
        self.tasks.truncate(wanted);
    }

    fn step_cache(&mut self, minute: f64) {
        let due = self.events.iter().any(|event| event.happens == Happening::PoisonCache {} && minute >= event.at_min);
        if due && !self.poison_done {
            (self.poison_done, self.poisoned, self.warm) = (true, true, 0.0);
        } else if !self.poisoned {
            self.warm = (self.warm + self.model.params().cache.refill_share_per_min).min(1.0);
        }
    }

    fn step_refresh(&mut self) {
        let Some((next_min, mut queue)) = self.refresh.take() else { return };
        if self.now_min < next_min {
            self.refresh = Some((next_min, queue));
        } else if let Some(id) = queue.pop() {
            self.replace(&id);
            self.refresh = Some((self.now_min + REFRESH_STEP_MIN, queue));
        }
    }

    fn launch(&mut self) {
        self.servers.push(Server { id: format!("i-{:04}", self.launched), launched_min: self.now_min });
        self.launched += 1;
    }

    fn replace(&mut self, id: &str) {
        let before = self.servers.len();
        self.servers.retain(|server| server.id != id);
        if self.servers.len() < before {
            self.launch();
        }
    }

    /// Does what the cloud would do.
    pub fn apply(&mut self, action: &Action) {
        match action {
            Action::SetFleetCapacity { desired, .. } => self.resize(*desired),
            Action::SetServiceCount { desired, .. } => self.recount(*desired),
            Action::ReplaceTask { task, .. } => {
                self.tasks.retain(|running| running.id != *task);
                self.start_task(self.now_min);
            }
            Action::ReplaceInstance { instance, .. } => self.replace(instance),
            Action::RefreshFleet { .. } => {
                self.last_refresh_min = Some(self.now_min);
                self.refresh = Some((self.now_min, self.servers.iter().map(|server| server.id.clone()).collect()));
            }
            // All old tasks run until their successors do, so none is missing in between.
            Action::RedeployService { .. } => {
                self.deployed_min = self.now_min;
                for _ in 0..self.tasks.len() {
                    self.tasks.remove(0);
                    self.start_task(self.now_min - BOOT_MIN);
                }
            }
            Action::FlushCache { .. } => (self.poisoned, self.warm) = (false, 0.0),
            Action::InvalidateCdn { .. } => {}
            // Nothing of that is on this stage.
            Action::SetVolumeType { .. }
            | Action::MarkForDeletion { .. }
            | Action::SnapshotVolume { .. }
            | Action::DeleteVolume { .. }
            | Action::DeleteDiskSnapshot { .. }
            | Action::ReleaseAddress { .. }
            | Action::SetLogRetention { .. }
            | Action::SetFleetSchedule { .. }
            | Action::CreateIndex { .. }
            | Action::AnalyzeTable { .. } => {}
        }
    }

    /// Restores what a change of sizes has changed; other changes restore themselves.
    pub fn restore(&mut self, prior: &Live) {
        match prior {
            Live::AutoScalingGroup(fleet) => self.resize(fleet.desired),
            Live::EcsService(service) => self.recount(service.desired),
            _ => {}
        }
    }

    fn resize(&mut self, desired: u32) {
        self.desired = desired;
        let wanted = usize::try_from(desired).unwrap_or(usize::MAX);
        while self.servers.len() < wanted {
            self.launch();
        }
        self.servers.truncate(wanted);
    }

    /// What the maintainer would see now.
    pub fn snapshot(&self, window_s: u32) -> Snapshot {
        let resources = self.resources();
        let to = START_MIN + self.now_min;
        let answers = readings(&resources).iter().map(|reading| self.store.read(reading, to - 180, to)).collect();
        let scene = Scene {
            app: self.app.as_str().into(),
            taken_at: self.now(),
            window_s,
            alarms: Observed::Known(self.alarms()),
            undiscovered: Vec::new(),
        };
        assemble(scene, resources, answers)
    }

    /// The alarms as they stand.
    pub fn alarms(&self) -> Vec<Alarm> {
        self.plans
            .iter()
            .map(|plan| {
                let values = (1..=i64::from(plan.minutes)).map(|ago| {
                    self.store.value(
                        plan.namespace,
                        plan.metric,
                        &plan.dimensions,
                        plan.stat,
                        START_MIN + self.now_min - ago,
                    )
                });
                let values: Vec<Option<f64>> = values.collect();
                let state = match values {
                    _ if values.iter().all(|value| value.is_some_and(|value| value > plan.threshold)) => {
                        AlarmState::Alarm
                    }
                    _ if values.iter().all(Option::is_none) && plan.missing == "missing" => {
                        AlarmState::InsufficientData
                    }
                    _ => AlarmState::Ok,
                };
                Alarm { name: plan.name.clone(), state, since: None, reason: plan.description.clone() }
            })
            .collect()
    }

    /// The resources with their live state.
    pub fn resources(&self) -> Vec<Resource> {
        let tags = Tags::from_iter([("maintainer:app".to_owned(), self.app.clone())]);
        let names = &self.names;
        let target_group = format!("arn:aws:elasticloadbalancing:us-east-1:000000000000:{}", names.target_group);
        let resource = |id: &str, name: &str, live| Resource {
            id: ResourceId::from(id),
            name: name.to_owned(),
            tags: tags.clone(),
            live,
        };
        let instances = self.servers.iter().map(|server| Instance {
            id: server.id.clone(),
            in_service: self.serves(server),
            healthy: true,
            protected: false,
            instance_type: Some("t4g.small".to_owned()),
        });
        let web = &self.model.params().web;
        let fleet = Fleet {
            min: web.min,
            max: web.max,
            desired: self.desired,
            instances: instances.collect(),
            refresh_in_progress: self.refresh.is_some(),
            last_refresh_at: self.last_refresh_min.map(time),
            scheduled: Fleet::schedules_unread(),
            target_groups: vec![ResourceId::from(target_group.as_str())],
        };
        let service = Service {
            cluster: names.cluster.clone(),
            desired: small(self.tasks.len()),
            running: self.running(),
            deployment_in_progress: self.now_min - self.deployed_min < DEPLOY_MIN,
            last_deployment_at: Some(time(self.deployed_min)),
            bounds: Some((1, 10)),
            bounds_missing: None,
            min_healthy_pct: 100,
            max_pct: 200,
            fargate_task: None,
            tasks: Observed::Known(self.tasks_seen()),
        };
        let cache = Cache {
            engine: "redis".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: 1,
            tls: false,
            nodes: vec![names.cache.clone()],
        };
        let database = Database {
            engine: "postgres".to_owned(),
            instance_class: "db.t4g.medium".to_owned(),
            connections_max: Some(450.0),
            storage_bytes: Some(100.0 * 1_073_741_824.0),
            memory_bytes: Some(4.0 * 1_073_741_824.0),
        };
        let (group, balancer) = (names.target_group.clone(), names.load_balancer.clone());
        vec![
            resource(
                &target_group,
                &self.app,
                Live::TargetGroup { target_group: group, load_balancer: balancer.clone() },
            ),
            resource("arn:lb", &self.app, Live::LoadBalancer { load_balancer: balancer }),
            resource("arn:asg", &names.group, Live::AutoScalingGroup(fleet)),
            resource("arn:ecs", &names.service, Live::EcsService(service)),
            resource("arn:cache", &names.cache, Live::Cache(cache)),
            resource("arn:db", &names.database, Live::Database(database)),
            resource("arn:queue", &names.queue, Live::Queue),
        ]
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn time(minute: i64) -> Timestamp {
    Timestamp::from_second(60 * (START_MIN + minute)).unwrap_or(Timestamp::UNIX_EPOCH)
}
