//! A seeded account whose waste is known: hundreds of resources, wasteful ones and innocent ones that look like them.
//!
//! Each resource is made from a story ("detached five minutes ago", "a batch host, busy at night"), and the story says
//! what a rule must find, and what it must not. The same seed makes the same account; another seed other sizes, ages,
//! levels, times and tags. One file for each kind of resource.

mod balancers;
mod caches;
mod containers;
mod databases;
mod disks;
mod endpoints;
mod fleets;
mod forgotten;
mod functions;
mod load;
mod machines;
mod reserved;
mod search_domains;
mod services;
mod tables;
mod things;
mod warehouses;

use domain::cost::bill::PlanOffer;
use domain::cost::estate::{Estate, Item, Template};
use domain::cost::money::UsdMicros;
use domain::cost::on_demand::Metered;
use domain::cost::prices::{Balancer, PriceBook, PriceSource, Sold, StorageClass, UnitPrice};
use domain::cost::terms::Terms;
use domain::cost::usage::{HISTORY_DAYS, PERIOD_S, Profile, Quantity, Usage};
use domain::ids::{AppId, ResourceId};
use domain::observed::{Missing, Observed};
use domain::resource::{Live, Resource, Tags};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

/// Hours of a history.
pub const HOURS: i64 = HISTORY_DAYS as i64 * 24;

/// What is true of a resource, as far as one rule is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is waste, and the account shows it: the rule must claim it.
    Waste,
    /// It may be waste, but what would prove it is not known: advice is right, a change or an amount is not.
    Unproven,
    /// It looks like waste and is not: nothing may be claimed.
    Innocent,
}

/// One fact of the account.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The resource.
    pub resource: ResourceId,
    /// The rule that it concerns.
    pub rule: &'static str,
    /// What is true.
    pub verdict: Verdict,
    /// The story, in a few words.
    pub story: &'static str,
}

/// An account with what is true of it.
#[derive(Debug)]
pub struct Account {
    /// What is there.
    pub estate: Estate,
    /// What it costs.
    pub prices: PriceBook,
    /// What is true. Of what is not named here, nothing may be claimed.
    pub facts: Vec<Fact>,
}

/// The account of a seed, with so many resources of each story.
pub fn account(seed: u64, of_each: usize) -> Account {
    let mut rng = Rng::with_seed(seed);
    // Some hour of 2026 or 2027: weekdays, seasons and changes of the clock vary with the seed.
    let now = Timestamp::from_second(1_767_571_200 + 3_600 * rng.i64(0..17_520)).expect("a moment in two years");
    let mut made = Made {
        rng,
        now,
        number: 0,
        items: Vec::new(),
        usage: Vec::new(),
        meters: Vec::new(),
        facts: Vec::new(),
        plan: None,
    };
    reserved::plan(&mut made);
    for _ in 0..of_each {
        disks::add(&mut made);
        things::add(&mut made);
        endpoints::add(&mut made);
        machines::add(&mut made);
        fleets::add(&mut made);
        balancers::add(&mut made);
        databases::add(&mut made);
        caches::add(&mut made);
        warehouses::add(&mut made);
        search_domains::add(&mut made);
        tables::add(&mut made);
        forgotten::add(&mut made);
        containers::add(&mut made);
        functions::add(&mut made);
        services::add(&mut made);
    }
    for repetition in 0..of_each {
        reserved::add(&mut made, repetition);
    }
    let Made { mut rng, mut items, usage, meters, facts, plan, .. } = made;
    rng.shuffle(&mut items);
    let on_demand = Some(Observed::Known(reserved::on_demand(meters, plan)));
    let estate = Estate { app: AppId::from("seeded"), taken_at: now, items, unread: Vec::new(), usage, on_demand };
    Account { estate, prices: prices(), facts }
}

/// List prices of Frankfurt, rounded.
pub fn prices() -> PriceBook {
    let listed = [
        (Sold::VolumeGib("gp2".to_owned()), 119_000.0),
        (Sold::VolumeGib("gp3".to_owned()), 95_200.0),
        (Sold::VolumeIops("gp3".to_owned()), 6_000.0),
        (Sold::VolumeGib("io1".to_owned()), 149_000.0),
        (Sold::VolumeGib("io2".to_owned()), 149_000.0),
        (Sold::VolumeIops("io1".to_owned()), 78_000.0),
        (Sold::VolumeIops("io2".to_owned()), 78_000.0),
        (Sold::VolumeMibps("gp3".to_owned()), 48_000.0),
        (Sold::SnapshotGib, 54_000.0),
        (Sold::IdleAddressHour, 5_000.0),
        (Sold::LogGib, 32_400.0),
        (Sold::InstanceHour("m5.large".to_owned()), 115_000.0),
        (Sold::InstanceHour("m5.xlarge".to_owned()), 230_000.0),
        (Sold::InstanceHour("m5.2xlarge".to_owned()), 460_000.0),
        (Sold::InstanceHour("c5.9xlarge".to_owned()), 1_746_000.0),
        (Sold::InstanceHour("m4.xlarge".to_owned()), 240_000.0),
        (Sold::InstanceHour("m6i.xlarge".to_owned()), 230_000.0),
        (Sold::InstanceHour("r4.large".to_owned()), 160_000.0),
        (Sold::NatGatewayHour, 52_000.0),
        (Sold::NatGatewayGib, 52_000.0),
        (Sold::InterfaceEndpointHour, 12_000.0),
        (Sold::ImageRepositoryGib, 100_000.0),
        (Sold::WarehouseHour("ra3.xlplus".to_owned()), 1_200_000.0),
        (Sold::SearchHour("r6g.large.search".to_owned()), 200_000.0),
        (Sold::SearchHour("m6g.large.search".to_owned()), 150_000.0),
        (Sold::SearchHour("ultrawarm1.medium.search".to_owned()), 280_000.0),
        (Sold::SearchGib("gp3".to_owned()), 140_000.0),
        (Sold::Secret, 400_000.0),
        (Sold::AlarmMetric { is_high_resolution: false }, 100_000.0),
        (Sold::AlarmMetric { is_high_resolution: true }, 300_000.0),
        (Sold::ObjectGib(StorageClass::Standard), 24_500.0),
        (Sold::ObjectGib(StorageClass::Infrequent), 13_500.0),
        (Sold::TieredObject, 2.5),
        (Sold::TaskVcpuHour { is_arm: false }, 46_560.0),
        (Sold::TaskGbHour { is_arm: false }, 5_110.0),
        (Sold::TaskVcpuHour { is_arm: true }, 37_250.0),
        (Sold::TaskGbHour { is_arm: true }, 4_090.0),
        (Sold::FunctionGbSecond { is_arm: false }, 16.6667),
        (Sold::FunctionGbSecond { is_arm: true }, 13.3334),
        (Sold::LoadBalancerHour(Balancer::Application), 27_000.0),
        (Sold::LoadBalancerHour(Balancer::Network), 27_000.0),
        (Sold::LoadBalancerHour(Balancer::Classic), 30_000.0),
    ];
    let listed = listed.into_iter().chain(databases::prices()).chain(caches::prices()).chain(tables::prices());
    let listed = listed.chain(reserved::prices());
    let price = |usd_micros| Observed::Known(UnitPrice { usd_micros, from: PriceSource::List });
    PriceBook { units: listed.map(|(sold, usd_micros)| (sold, price(usd_micros))).collect() }
}

/// What is claimed of an account is worth at least this.
pub const LEAST: UsdMicros = UsdMicros(1_000_000);

/// An account in the making.
struct Made {
    rng: Rng,
    now: Timestamp,
    number: u32,
    items: Vec<Item>,
    usage: Vec<Usage>,
    meters: Vec<Metered>,
    facts: Vec<Fact>,
    plan: Option<PlanOffer>,
}

/// A resource in the making, with its histories.
struct Draft {
    item: Item,
    usage: Vec<Usage>,
}

impl Made {
    fn days_ago(&self, days: i64) -> Timestamp {
        self.now - SignedDuration::from_hours(24 * days)
    }

    /// Some days ago, as many as the seed says.
    fn some_days_ago(&mut self, days: std::ops::Range<i64>) -> Timestamp {
        let days = self.rng.i64(days);
        self.days_ago(days)
    }

    /// A resource of a service's kind in some Region, with tags that say nothing.
    fn draft(&mut self, service: &str, kind: &str, prefix: &str, live: Live) -> Draft {
        self.number += 1;
        let region = ["eu-central-1", "us-east-1", "ap-southeast-2", "ap-south-1", "us-west-2"][self.rng.usize(0..5)];
        let name = format!("{prefix}{:08x}{:04x}", self.number, self.rng.u32(0..0xffff));
        let id = format!("arn:aws:{service}:{region}:111122223333:{kind}{name}");
        let mut tags = Tags::new();
        for (key, values) in [
            ("team", ["orders", "search", "payments"]),
            ("cost-center", ["1200", "1300", "keep-track"]),
            ("Name", ["alpha", "beta-drive", "prodigy"]),
            ("role", ["web", "worker", "standard"]),
        ] {
            if self.rng.bool() {
                tags.insert(key.to_owned(), values[self.rng.usize(0..3)].to_owned());
            }
        }
        let resource = Resource { id: ResourceId::new(id), name, tags, live };
        let created_at = Some(self.some_days_ago(200..1_500));
        Draft {
            item: Item { resource, created_at, unused_since: None, managed_by: None, terms: None },
            usage: Vec::new(),
        }
    }

    fn put(&mut self, rule: &'static str, verdict: Verdict, story: &'static str, draft: Draft) {
        self.facts.push(Fact { resource: draft.item.resource.id.clone(), rule, verdict, story });
        self.items.push(draft.item);
        self.usage.extend(draft.usage);
    }

    /// Waste; some of it is managed by a template.
    fn waste(&mut self, rule: &'static str, story: &'static str, mut draft: Draft) {
        draft.item.managed_by = match self.rng.u8(0..8) {
            0 => Some(Template::CloudFormation { stack: "shop".to_owned(), logical_id: "Thing".to_owned() }),
            1 => Some(Template::Terraform { tag: "managed-by".to_owned() }),
            _ => None,
        };
        self.put(rule, Verdict::Waste, story, draft);
    }

    fn innocent(&mut self, rule: &'static str, story: &'static str, draft: Draft) {
        self.put(rule, Verdict::Innocent, story, draft);
    }

    /// One of the ways in which an owner says that something must stay.
    fn kept(&mut self, mut draft: Draft) -> Draft {
        let said = [
            ("maintainer:protected", "true"),
            ("do-not-delete", "yes"),
            ("Keep", "until the audit"),
            ("role", "standby"),
            ("Purpose", "disaster-recovery"),
            ("failover", "true"),
        ];
        let (key, value) = said[self.rng.usize(0..said.len())];
        draft.item.resource.tags.insert(key.to_owned(), value.to_owned());
        draft
    }
}

impl Draft {
    fn tag(mut self, key: &str, value: &str) -> Self {
        self.item.resource.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// With a history of hourly values; `value` is asked with the hour, 0 the oldest.
    fn history(mut self, made: &Made, quantity: Quantity, value: impl FnMut(i64) -> Option<f64>) -> Self {
        let start = made.now - SignedDuration::from_secs(HOURS * i64::from(PERIOD_S));
        let hourly: Vec<Option<f64>> = (0..HOURS).map(value).collect();
        let profile = Observed::Known(Profile::of(start, &hourly));
        self.usage.push(Usage { resource: self.item.resource.id.clone(), quantity, profile });
        self
    }

    /// With a history that could not be read.
    fn unread(mut self, quantity: Quantity) -> Self {
        let profile = Observed::Missing(Missing::Denied("cloudwatch:GetMetricData".to_owned()));
        self.usage.push(Usage { resource: self.item.resource.id.clone(), quantity, profile });
        self
    }

    fn created(mut self, at: Option<Timestamp>) -> Self {
        self.item.created_at = at;
        self
    }

    /// With what is bought.
    fn terms(mut self, terms: Terms) -> Self {
        self.item.terms = Some(terms);
        self
    }

    fn unused_since(mut self, at: Option<Timestamp>) -> Self {
        self.item.unused_since = at;
        self
    }
}
