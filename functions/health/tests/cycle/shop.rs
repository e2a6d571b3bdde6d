//! A shop whose metrics follow from its load and from the size of its fleet at each moment.
//!
//! Utilization is load over capacity, response time grows with it as in a queue, and what finds no server fails.

use config::Config;
use domain::change::Action;
use domain::execution::{Cycle, ExecutionRecord};
use domain::ids::{ExecutionId, ResourceId};
use domain::resource::{APP_TAG, Live, Resource};
use engine::documents;
use engine::ports::{EntryState, Executions, Lease};
use engine::run::lease_key;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use testkit::{Landing, World, build};

/// Id of the fleet.
pub const FLEET: &str = "asg/shop-web";
/// Id of the target group.
const DOOR: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1";
/// Name of every run.
pub const RUN: &str = "run-1";
/// Servers in the beginning.
pub const SERVERS: u32 = 4;
/// Requests a minute that one server can answer.
const REQUESTS_PER_SERVER: f64 = 6_000.0;

/// What the shop is put through.
#[derive(Clone)]
pub struct Weather {
    /// Servers that the load would keep busy, at a moment.
    pub load: fn(Timestamp) -> f64,
    /// Extra response time in seconds, by capacity: what a database behind the servers adds.
    pub behind_s: fn(u32, Timestamp) -> f64,
    /// Whether metrics arrive, at a moment.
    pub arrives: fn(Timestamp) -> bool,
}

impl Default for Weather {
    fn default() -> Self {
        Self { load: |_| 2.0, behind_s: |_, _| 0.0, arrives: |_| true }
    }
}

/// Load that doubles ten minutes before the world begins.
pub fn surge(at: Timestamp) -> f64 {
    if at < build::after_s(-600) { 2.0 } else { 3.9 }
}

/// The shop.
pub struct Shop {
    /// Its world.
    pub world: Arc<World>,
    /// What is configured.
    pub config: Config,
    weather: Weather,
    published: Mutex<BTreeSet<String>>,
    sizes: Sizes,
}

/// Servers of the fleet from a moment on, in order.
type Sizes = Arc<Mutex<Vec<(Timestamp, u32)>>>;

impl Shop {
    /// A shop in this weather, under this configuration.
    pub fn new(weather: Weather, config: &str) -> Self {
        let mut fleet = build::fleet("shop-web", SERVERS);
        if let Live::AutoScalingGroup(live) = &mut fleet.live {
            live.target_groups = vec![DOOR.into()];
        }
        let door = Live::TargetGroup { target_group: "targetgroup/shop/1".into(), load_balancer: "app/shop/2".into() };
        let world = World::of(vec![tagged(fleet), tagged(build::resource(DOOR, "shop", door))]);
        world.set_tagged_apps(&["shop"]);
        let shop = Self {
            world: Arc::new(world),
            config: Config::parse(config).unwrap(),
            weather,
            published: Mutex::default(),
            sizes: Sizes::default(),
        };
        shop.publish_front();
        shop
    }

    /// The same with everything on automatic.
    pub fn auto(weather: Weather) -> Self {
        Self::new(weather, "applications:\n  shop:\n    mode: auto\n")
    }

    /// The same shop in a world of its own, as it is now.
    pub fn fork(&self, config: Config) -> Self {
        let shop = Self { config, ..Self::auto(self.weather.clone()) };
        shop.world.take_after(&self.world);
        shop
    }

    fn series(&self, namespace: &str, metric: &str, dimensions: &[(&str, &str)], of: fn(&Moment, &str) -> Option<f64>) {
        let (sizes, weather) = (Arc::clone(&self.sizes), self.weather.clone());
        self.world.publish(namespace, metric, dimensions, move |at, stat| {
            if !(weather.arrives)(at) {
                return None;
            }
            let servers = servers_at(&sizes, at);
            let behind_s = (weather.behind_s)(servers, at);
            of(&Moment { servers: f64::from(servers), load: (weather.load)(at), behind_s, at }, stat)
        });
    }

    fn publish_front(&self) {
        let door = [("TargetGroup", "targetgroup/shop/1"), ("LoadBalancer", "app/shop/2")];
        let elb = "AWS/ApplicationELB";
        self.series(elb, "TargetResponseTime", &door, |now, stat| {
            Some(now.response_s() * if stat == "p99" { 1.5 } else { 1.0 })
        });
        self.series(elb, "RequestCount", &door, |now, _| Some(now.load * REQUESTS_PER_SERVER));
        self.series(elb, "HTTPCode_Target_5XX_Count", &door, |now, _| {
            let lost = (now.load - now.servers) * REQUESTS_PER_SERVER;
            (lost > 0.0).then_some(lost)
        });
        self.series(elb, "HealthyHostCount", &door, |now, _| Some(now.servers));
        self.series(elb, "UnHealthyHostCount", &door, |_, _| Some(0.0));
        let group = [("AutoScalingGroupName", "shop-web")];
        self.series("AWS/EC2", "CPUUtilization", &group, |now, _| Some(now.cpu_pct()));
        self.series("AWS/AutoScaling", "GroupInServiceInstances", &group, |now, _| Some(now.servers));
        self.series("AWS/AutoScaling", "GroupDesiredCapacity", &group, |now, _| Some(now.servers));
    }

    /// Brings the metrics up to date with what was done to the fleet: sizes, and instances launched since.
    pub fn catch_up(&self) {
        let fleet: ResourceId = FLEET.into();
        let ledger = self.world.ledger();
        let writes = ledger.iter().filter(|write| write.resource == fleet);
        *self.sizes.lock().unwrap() = writes
            .filter_map(|write| match &write.after {
                Live::AutoScalingGroup(fleet) => Some((write.at, fleet.desired)),
                _ => None,
            })
            .collect();
        let Some(Live::AutoScalingGroup(fleet)) = self.world.resource(&fleet).map(|fleet| fleet.live) else { return };
        for instance in fleet.instances {
            if self.published.lock().unwrap().insert(instance.id.clone()) {
                let member = [("InstanceId", instance.id.as_str())];
                self.series("AWS/EC2", "CPUUtilization", &member, |now, _| Some(now.cpu_pct()));
                self.series("AWS/EC2", "StatusCheckFailed", &member, |_, _| Some(0.0));
            }
        }
    }

    /// Servers now.
    pub fn servers(&self) -> u32 {
        self.world.capacity(&FLEET.into()).unwrap()
    }

    /// The record of the run.
    pub fn record(&self) -> ExecutionRecord {
        self.record_of(RUN)
    }

    /// The record of a run by its name.
    pub fn record_of(&self, run: &str) -> ExecutionRecord {
        ready(Executions::read(&*self.world, &ExecutionId::from(run))).unwrap().expect("the run has a record")
    }

    /// A document of the run.
    pub fn document<T: DeserializeOwned>(&self, iteration: u32, name: &str) -> T {
        self.document_of(RUN, iteration, name)
    }

    /// A document of another run.
    pub fn document_of<T: DeserializeOwned>(&self, run: &str, iteration: u32, name: &str) -> T {
        ready(documents::need(&*self.world, &format!("runs/shop/{run}/{iteration}/{name}.json"))).unwrap()
    }

    /// The lease on the shop.
    pub fn lease(&self) -> Option<Lease> {
        self.world.lease(&lease_key(Cycle::Health, &"shop".into()))
    }

    /// What was done to the application by changes, in order: the change's id, true when it was undone.
    pub fn deeds(&self) -> Vec<(String, bool)> {
        let deed = |landing: &Landing| match landing {
            Landing::Applied(id, _) => Some((id.to_string(), false)),
            Landing::Restored(id, _) => Some((id.to_string(), true)),
            Landing::Outside => None,
        };
        self.world.ledger().iter().filter_map(|write| deed(&write.landing)).collect()
    }

    /// Whatever happened, this must hold afterwards: nothing is open, no change was made twice, none without its intent,
    /// none while the kill switch was seen, and never outside the owner's bounds.
    pub fn assert_sound(&self, about: &str) {
        for entry in self.world.journal() {
            assert!(!entry.state.is_open(), "{about}: {} is left {:?}", entry.id(), entry.state);
        }
        let deeds = self.deeds();
        let unique: BTreeSet<_> = deeds.iter().collect();
        assert_eq!(unique.len(), deeds.len(), "{about}: something was done twice: {deeds:?}");
        for write in self.world.ledger() {
            if let Landing::Applied(id, state) = &write.landing {
                assert_eq!(*state, Some(EntryState::Intended), "{about}: {id} was made before it was written down");
            }
            if let Live::AutoScalingGroup(fleet) = &write.after {
                assert!((fleet.min..=fleet.max).contains(&fleet.desired), "{about}: {} servers", fleet.desired);
            }
        }
        for entry in self.world.journal() {
            if let (EntryState::Kept, Action::SetFleetCapacity { desired, .. }) = (entry.state, &entry.change.action) {
                assert!(self.servers() >= *desired, "{about}: {} is kept and does not stand", entry.id());
            }
        }
    }
}

/// What the metrics of one period follow from.
struct Moment {
    servers: f64,
    load: f64,
    behind_s: f64,
    at: Timestamp,
}

impl Moment {
    /// Share of the servers that is busy, with the ripple that real metrics have.
    fn cpu_pct(&self) -> f64 {
        let ripple = f64::from(u8::try_from(self.at.as_second().rem_euclid(420) / 60).unwrap()) / 7.0 - 0.5;
        (100.0 * self.load / self.servers + ripple).clamp(0.0, 100.0)
    }

    fn response_s(&self) -> f64 {
        let busy = (self.load / self.servers).min(0.97);
        0.05 / (1.0 - busy) + self.behind_s
    }
}

/// Servers at a moment: what the last modification before it had left.
fn servers_at(sizes: &Sizes, at: Timestamp) -> u32 {
    sizes.lock().unwrap().iter().rev().find(|(since, _)| *since <= at).map_or(SERVERS, |(_, servers)| *servers)
}

fn tagged(mut resource: Resource) -> Resource {
    resource.tags.insert(APP_TAG.to_owned(), "shop".to_owned());
    resource
}

/// The answer of a fake, which never waits.
pub fn ready<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a fake waits"),
    }
}
