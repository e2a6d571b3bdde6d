//! The life of one application: created, given a past, and then minute by minute.

use super::alarms::{CHECKS, alarm_plans, put, storm_plans};
use super::postgres::Orders;
use super::publish::publish;
use super::read::Eyes;
use super::setup::{Resources, calendars, create, disks, fleets};
use super::{StudioError, cache, page};
use crate::cloud::Cloud;
use crate::model::{App, Datum, Event, Happening, Metrics, Sample, Value, World, data, effects_at, first_change};
use crate::redis::RedisServer;
use crate::scenario::AppScenario;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Minutes of history that an application is given: what the maintainer looks back, and some to spare.
const PAST_MIN: u32 = 190;
/// Seconds of a week.
const WEEK_S: f64 = 7.0 * 86_400.0;
/// Minutes of an earlier week: from some before minute 0 to after the last verdict of a scenario that looks at them.
const WEEK_MIN: std::ops::Range<i32> = -20..180;
/// Virtual minutes from creation to the start of a scenario: long enough that nobody takes the creation of the worker
/// service for a deployment, or a server for a newcomer.
const SETTLED_MIN: f64 = 16.0;
/// Real time that fresh resources may take to come up.
const COME_UP_MAX: Duration = Duration::from_secs(30);
/// Minutes that are made up for when the machine was too slow; beyond that they are lost, as in an outage.
const CATCH_UP_MAX: u32 = 30;

/// A living application.
pub struct Life {
    app: String,
    events: Vec<Event>,
    seed: u64,
    weekly: Vec<Event>,
    past_weeks: u32,
    model: App,
    eyes: Eyes,
    world: World,
    resources: Resources,
    orders: Option<Orders>,
    // Dropped last: it stops the server.
    _redis: RedisServer,
    first_instances: BTreeSet<String>,
    start_s: f64,
    next_minute: u32,
    poisoned: BTreeSet<usize>,
}

/// One minute that was lived.
#[derive(Clone, Debug, PartialEq)]
pub struct Minute {
    /// Minutes since the scenario began.
    pub minute: u32,
    /// What was measured.
    pub sample: Sample,
}

impl Life {
    /// Creates the application with its alarms, waits until it is up, and publishes its past.
    ///
    /// # Errors
    /// When Redis or the cloud refuses.
    pub async fn begin(
        cloud: &Cloud,
        app: &str,
        scenario: &AppScenario,
        topic: Option<&str>,
    ) -> Result<Self, StudioError> {
        let redis = RedisServer::start(app, scenario.profiled.as_ref().map(|profiled| profiled.cache_port))?;
        if let Some(profiled) = &scenario.profiled {
            page::serve(profiled.page_port).map_err(StudioError::Page)?;
        }
        let params = scenario.sizes.clone();
        cache::warm_up(redis.port(), &params.cache)?;
        let created_s = cloud.clock.now_s();
        let mut resources = create(cloud, app, &params, redis.port()).await?;
        let orders = match &scenario.postgres {
            Some(postgres) => Some(Orders::begin(cloud, app, postgres).await?),
            None => None,
        };
        resources.postgres_port = scenario.postgres.as_ref().map(|postgres| postgres.port);
        disks(cloud, app, &scenario.disks).await?;
        fleets(cloud, app, &scenario.fleets).await?;
        calendars(cloud, app, &scenario.calendars).await?;
        let mut life = Self {
            app: app.to_owned(),
            events: scenario.events.clone(),
            seed: scenario.seed,
            weekly: scenario.weekly_events(),
            past_weeks: scenario.past_weeks,
            model: App::new(params, scenario.seed),
            eyes: Eyes::default(),
            world: World::default(),
            resources,
            orders,
            _redis: redis,
            first_instances: BTreeSet::new(),
            start_s: 0.0,
            next_minute: 0,
            poisoned: BTreeSet::new(),
        };
        life.come_up(cloud).await?;
        tokio::time::sleep(cloud.clock.until(created_s + 60.0 * SETTLED_MIN)).await;
        let now_s = cloud.clock.now_s();
        life.start_s = now_s - now_s.rem_euclid(60.0);
        life.past(cloud).await?;
        let mut alarms = alarm_plans(app, &life.resources.names, life.model.params());
        alarms.extend(storm_plans(app, scenario.storm_alarms()));
        put(cloud, app, &alarms, topic).await?;
        Ok(life)
    }

    /// Its name.
    pub fn app(&self) -> &str {
        &self.app
    }

    /// Its resources.
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Ids of the instances that were there at the start.
    pub fn first_instances(&self) -> &BTreeSet<String> {
        &self.first_instances
    }

    /// Virtual seconds since 1970 at which minute 0 begins.
    pub fn start_s(&self) -> f64 {
        self.start_s
    }

    /// Waits for the end of the current minute and lives through it. After a pause of the machine it lives through all
    /// minutes that went by; gives the last one.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn minute(&mut self, cloud: &Cloud) -> Result<Minute, StudioError> {
        tokio::time::sleep(cloud.clock.until(self.end_of(self.next_minute))).await;
        let mut data = Vec::new();
        let mut lived = 0;
        let minute = loop {
            let minute = f64::from(self.next_minute);
            if lived == 0 {
                self.act(minute)?;
                self.world =
                    self.eyes.look(cloud, &self.resources, &self.model.params().cache, minute.max(1.0)).await?;
                self.note_first_change(minute);
                if let Some(orders) = &mut self.orders {
                    self.world.query_ms = orders.minute(minute).await?;
                }
            }
            let sample = self.live(minute, &mut data);
            self.next_minute += 1;
            lived += 1;
            if cloud.clock.now_s() < self.end_of(self.next_minute) || lived >= CATCH_UP_MAX {
                break Minute { minute: self.next_minute - 1, sample };
            }
        };
        publish(cloud, data).await?;
        Ok(minute)
    }

    fn end_of(&self, minute: u32) -> f64 {
        self.start_s + 60.0 * (f64::from(minute) + 1.0)
    }

    /// One minute of the model; its datapoints, if they arrive, are appended.
    fn live(&mut self, minute: f64, out: &mut Vec<(f64, Datum)>) -> Sample {
        let effects = effects_at(&self.events, minute);
        let sample = self.model.step(&self.world, &effects, minute);
        let at_s = self.start_s + 60.0 * minute;
        if effects.metrics == Metrics::Arrive {
            out.extend(data(&self.resources.names, &sample).into_iter().map(|datum| (at_s, datum)));
        }
        out.extend(self.failing_checks(minute).into_iter().map(|datum| (at_s, datum)));
        sample
    }

    /// Events may wait for the first change of the wanted sizes.
    fn note_first_change(&mut self, minute: f64) {
        let params = self.model.params();
        let (servers, tasks) = (params.web.servers, params.workers.tasks);
        if self.world.desired != servers || self.world.service.desired != tasks {
            first_change(&mut self.events, minute);
        }
    }

    /// What happens to the real cache.
    fn act(&mut self, minute: f64) -> Result<(), StudioError> {
        for (index, event) in self.events.iter().enumerate() {
            let due = event.happens == Happening::PoisonCache {} && minute >= event.at_min;
            if due && self.poisoned.insert(index) {
                cache::poison(self.resources.cache_port, &self.model.params().cache)?;
            }
        }
        Ok(())
    }

    fn failing_checks(&self, minute: f64) -> Vec<Datum> {
        let storms = self.events.iter().filter_map(|event| match event.happens {
            Happening::AlarmStorm { alarms } => {
                let over = event.for_min.is_some_and(|for_min| minute >= event.at_min + for_min);
                (minute >= event.at_min && !over).then_some(alarms)
            }
            _ => None,
        });
        (1..=storms.max().unwrap_or(0))
            .map(|number| Datum {
                namespace: CHECKS,
                metric: "CheckFailed",
                dimensions: vec![("App", self.app.clone()), ("Check", format!("{number:03}"))],
                unit: "Count",
                value: Value::One(1.0),
            })
            .collect()
    }

    /// Waits until everything that was asked for runs.
    async fn come_up(&mut self, cloud: &Cloud) -> Result<(), StudioError> {
        let begun = Instant::now();
        loop {
            self.world = self.eyes.look(cloud, &self.resources, &self.model.params().cache, 0.0).await?;
            let serving = u32::try_from(self.world.serving().count()).unwrap_or(u32::MAX);
            let params = self.model.params();
            if serving == params.web.servers && self.world.service.running == params.workers.tasks {
                self.first_instances = self.world.instances.iter().map(|instance| instance.id.clone()).collect();
                return Ok(());
            }
            if begun.elapsed() > COME_UP_MAX {
                return Err(StudioError::TooSlow { subject: self.app.clone(), seconds: COME_UP_MAX.as_secs() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The past, so that trends and comparisons have something to look at.
    async fn past(&mut self, cloud: &Cloud) -> Result<(), StudioError> {
        let mut data = Vec::new();
        for ago in (1..=PAST_MIN).rev() {
            self.live(-f64::from(ago), &mut data);
        }
        for week in 1..=self.past_weeks {
            self.week(week, &mut data);
        }
        publish(cloud, data).await
    }

    /// The same minutes so many weeks ago, in the configuration of today, with noise of their own.
    fn week(&self, week: u32, out: &mut Vec<(f64, Datum)>) {
        let mut model = App::new(self.model.params().clone(), self.seed.wrapping_add(1_000 * u64::from(week)));
        let start_s = self.start_s - WEEK_S * f64::from(week);
        for minute in WEEK_MIN.map(f64::from) {
            let sample = model.step(&self.world, &effects_at(&self.weekly, minute), minute);
            let at_s = start_s + 60.0 * minute;
            out.extend(data(&self.resources.names, &sample).into_iter().map(|datum| (at_s, datum)));
        }
    }
}
