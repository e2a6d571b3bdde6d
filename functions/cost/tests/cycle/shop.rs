//! A shop that wastes money: a database on an old kind of disk, and a disk and an address that nobody uses any more.

use async_trait::async_trait;
use config::Config;
use domain::cost::bill::Bill;
use domain::cost::estate::{Item, Template};
use domain::cost::prices::{PriceBook, PriceSource, Sold, UnitPrice};
use domain::execution::{Cycle, ExecutionRecord};
use domain::ids::{ExecutionId, ResourceId};
use domain::observed::Observed;
use domain::resource::{APP_TAG, Live, Resource, ResourceKind, Volume};
use engine::documents;
use engine::ports::{
    Billing, EntryState, Estates, Executions, Lease, PortError, PortResult, Scope, Surveyed, UnitPrices,
};
use engine::run::lease_key;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use testkit::{Landing, World, build};

/// The disk of the database.
pub const DISK: &str = "volume/vol-db";
/// The disk that nobody uses.
pub const SPARE: &str = "volume/vol-old";
/// The address that nobody uses.
pub const ADDRESS: &str = "address/eipalloc-1";
const DOOR: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1";

/// What Cost Explorer answers.
#[derive(Clone)]
pub enum Bills {
    /// Always this.
    Fixed(PortResult<Bill>),
    /// What has existed in the world, day by day.
    Living,
}

/// The shop.
pub struct Shop {
    /// Its world.
    pub world: Arc<World>,
    /// What is configured.
    pub config: Config,
    /// What the bill says when it is asked; each question is counted.
    pub bills: Bills,
    /// Questions to the bill.
    pub asked: Mutex<u32>,
    /// How much slower a disk of type gp3 answers.
    pub slower_on_gp3: f64,
}

impl Shop {
    /// A shop under this configuration, in which a disk of type gp3 answers slower by this factor.
    pub fn new(config: &str, slower_on_gp3: f64) -> Self {
        let mut disk = build::volume("vol-db");
        if let Live::Volume(volume) = &mut disk.live {
            volume.attached_to = vec!["i-db".to_owned()];
        }
        let door = Live::TargetGroup { target_group: "targetgroup/shop/1".into(), load_balancer: "app/shop/2".into() };
        let resources = vec![
            tagged(disk),
            tagged(build::volume("vol-old")),
            tagged(build::address("eipalloc-1")),
            tagged(build::resource(DOOR, "shop", door)),
        ];
        let world = Arc::new(World::of(resources));
        world.set_tagged_apps(&["shop"]);
        let shop = Self {
            world,
            config: Config::parse(config).unwrap(),
            bills: Bills::Fixed(Err(PortError::Denied {
                operation: "read the bill".to_owned(),
                permission: "ce:GetCostAndUsage".to_owned(),
            })),
            asked: Mutex::new(0),
            slower_on_gp3,
        };
        shop.publish(slower_on_gp3);
        shop
    }

    /// The same with everything on automatic.
    pub fn auto() -> Self {
        Self::new("applications:\n  shop:\n    mode: auto\n", 1.0)
    }

    /// The same shop in a world of its own, as it is now.
    pub fn fork(&self, config: Config) -> Self {
        let bills = self.bills.clone();
        let shop = Self { config, bills, ..Self::new("applications: {shop: {}}", self.slower_on_gp3) };
        shop.world.take_after(&self.world);
        shop
    }

    fn publish(&self, slower_on_gp3: f64) {
        let door = [("TargetGroup", "targetgroup/shop/1"), ("LoadBalancer", "app/shop/2")];
        let elb = "AWS/ApplicationELB";
        let world = Arc::downgrade(&self.world);
        self.world.publish(elb, "TargetResponseTime", &door, move |at, _| {
            // Slower from the moment at which the disk became a gp3 on.
            let world = world.upgrade()?;
            let is_gp3 = |live: &Live| matches!(live, Live::Volume(volume) if volume.volume_type == "gp3");
            let ledger = world.ledger();
            let mut writes = ledger.iter().filter(|write| write.resource.as_str() == DISK && write.at <= at);
            let slower = writes.next_back().is_some_and(|write| is_gp3(&write.after));
            let ripple = f64::from(u8::try_from(at.as_second().rem_euclid(420) / 60).unwrap()) / 1_000.0;
            Some((0.1 + ripple) * if slower { slower_on_gp3 } else { 1.0 })
        });
        self.world.publish(elb, "RequestCount", &door, |_, _| Some(6_000.0));
        self.world.publish(elb, "HTTPCode_Target_5XX_Count", &door, |_, _| Some(1.0));
        self.world.publish(elb, "HealthyHostCount", &door, |_, _| Some(2.0));
        self.world.publish(elb, "UnHealthyHostCount", &door, |_, _| Some(0.0));
        for metric in ["VolumeReadOps", "VolumeWriteOps"] {
            self.world.publish("AWS/EBS", metric, &[("VolumeId", "vol-db")], |_, _| Some(10.0));
        }
    }

    /// A volume now.
    pub fn volume(&self, id: &str) -> Option<Volume> {
        match self.world.resource(&ResourceId::from(id)).map(|resource| resource.live) {
            Some(Live::Volume(volume)) => Some(volume),
            _ => None,
        }
    }

    /// The record of a run.
    pub fn record(&self, run: &str) -> ExecutionRecord {
        ready(Executions::read(&*self.world, &ExecutionId::from(run))).unwrap().expect("the run has a record")
    }

    /// A document of a run.
    pub fn document<T: DeserializeOwned>(&self, run: &str, iteration: u32, name: &str) -> T {
        self.document_of("shop", run, iteration, name)
    }

    /// A document of a run on another application.
    pub fn document_of<T: DeserializeOwned>(&self, app: &str, run: &str, iteration: u32, name: &str) -> T {
        ready(documents::need(&*self.world, &format!("runs/{app}/{run}/{iteration}/{name}.json"))).unwrap()
    }

    /// The lease of the cost cycle.
    pub fn lease(&self) -> Option<Lease> {
        self.world.lease(&lease_key(Cycle::Cost, &"shop".into()))
    }

    /// Days go by.
    pub fn pass_days(&self, days: u32) {
        self.world.pass_s(days * 86_400);
    }

    /// Whatever happened: nothing is open, nothing was done twice, nothing without its intent, and the lease is free.
    pub fn assert_sound(&self, about: &str) {
        for entry in self.world.journal() {
            assert!(!entry.state.is_open(), "{about}: {} is left {:?}", entry.id(), entry.state);
        }
        let mut deeds = BTreeSet::new();
        for write in self.world.ledger() {
            match &write.landing {
                Landing::Applied(id, state) => {
                    assert!(deeds.insert((id.clone(), false)), "{about}: {id} was made twice");
                    assert_eq!(*state, Some(EntryState::Intended), "{about}: {id} was made before it was written down");
                }
                Landing::Restored(id, _) => assert!(deeds.insert((id.clone(), true)), "{about}: {id} was undone twice"),
                Landing::Outside => {}
            }
        }
        assert_eq!(self.lease(), None, "{about}: the lease is stuck");
    }
}

fn tagged(mut resource: Resource) -> Resource {
    resource.tags.insert(APP_TAG.to_owned(), "shop".to_owned());
    resource
}

#[async_trait]
impl Estates for Shop {
    async fn survey(&self, scope: &Scope) -> PortResult<Surveyed> {
        let of_estate = |resource: &Resource| {
            let is_kind = matches!(
                resource.kind(),
                ResourceKind::Volume | ResourceKind::Address | ResourceKind::LogGroup | ResourceKind::AutoScalingGroup
            );
            is_kind && resource.tags.contains_key(APP_TAG) == matches!(scope, Scope::App(_))
        };
        let item = |resource: Resource| Item {
            created_at: None,
            unused_since: None,
            managed_by: Template::of_tags(&resource.tags),
            terms: None,
            resource,
        };
        let items = self.world.resources().into_iter().filter(of_estate).map(item).collect();
        Ok(Surveyed { items, unread: Vec::new() })
    }
}

#[async_trait]
impl Billing for Shop {
    async fn read(&self, from: Date, to: Date) -> PortResult<Bill> {
        *self.asked.lock().unwrap() += 1;
        match &self.bills {
            Bills::Fixed(bill) => bill.clone(),
            Bills::Living => Ok(crate::bill::of(self, from, to)),
        }
    }
}

#[async_trait]
impl UnitPrices for Shop {
    async fn list(&self, sold: &[Sold]) -> PriceBook {
        let price = |sold: &Sold| {
            let usd_micros = match sold {
                Sold::VolumeGib(kind) if kind == "gp3" => 80_000.0,
                Sold::VolumeGib(_) => 100_000.0,
                Sold::VolumeIops(_) => 5_000.0,
                Sold::VolumeMibps(_) => 40_000.0,
                _ => 50_000.0,
            };
            (sold.clone(), Observed::Known(UnitPrice { usd_micros, from: PriceSource::List }))
        };
        PriceBook { units: sold.iter().map(price).collect() }
    }

    fn usage_type_prefix(&self) -> String {
        String::new()
    }
}

/// The answer of a fake, which never waits.
pub fn ready<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a fake waits"),
    }
}
