//! An estate for tests: a few resources, list prices, and histories.

use super::estate::{Estate, Item};
use super::policy::Policy;
use super::prices::{Balancer, DatabaseClass, PriceBook, PriceSource, Sold, StorageClass, UnitPrice};
use super::usage::{PERIOD_S, Profile, Quantity, Usage};
use crate::ids::{AppId, ResourceId};
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Resource, Tags, Volume};
use jiff::{SignedDuration, Timestamp};

/// When it was read: a Monday, 00:00 UTC.
pub const NOW: Timestamp = Timestamp::constant(1_767_571_200, 0);

/// So many days before it was read.
pub fn days_ago(days: i64) -> Timestamp {
    NOW - SignedDuration::from_hours(24 * days)
}

/// An empty estate.
pub fn estate() -> Estate {
    Estate {
        app: AppId::from("shop"),
        taken_at: NOW,
        items: Vec::new(),
        unread: Vec::new(),
        usage: Vec::new(),
        on_demand: None,
    }
}

/// An item without tags that was created a year ago.
pub fn item(id: &str, live: Live) -> Item {
    let name = id.rsplit('/').next().unwrap_or(id).to_owned();
    let resource = Resource { id: ResourceId::from(id), name, tags: Tags::default(), live };
    Item { resource, created_at: Some(days_ago(365)), unused_since: None, managed_by: None, terms: None }
}

/// A volume of this type and size, attached to an instance or to nothing.
pub fn volume(volume_type: &str, size_gib: u32, attached_to: &[&str]) -> Volume {
    Volume {
        volume_type: volume_type.to_owned(),
        size_gib,
        iops: (volume_type == "gp2").then(|| (size_gib * 3).clamp(100, 16_000)),
        throughput_mibps: None,
        attached_to: attached_to.iter().map(|name| (*name).to_owned()).collect(),
        is_modifying: false,
        delete_after: None,
        final_snapshot: None,
    }
}

/// Thirty days of hourly values; `value` is asked for each hour, 0 the oldest.
pub fn history(of: &Item, quantity: Quantity, value: impl Fn(i64) -> Option<f64>) -> Usage {
    let hours = 720;
    let start = NOW - SignedDuration::from_secs(hours * i64::from(PERIOD_S));
    let hourly: Vec<Option<f64>> = (0..hours).map(value).collect();
    let profile = Observed::Known(Profile::of(start, &hourly));
    Usage { resource: of.resource.id.clone(), quantity, profile }
}

/// A history that could not be read.
pub fn unread(of: &Item, quantity: Quantity) -> Usage {
    let profile = Observed::Missing(Missing::Denied("cloudwatch:GetMetricData".to_owned()));
    Usage { resource: of.resource.id.clone(), quantity, profile }
}

/// List prices of Frankfurt, rounded, as an example.
pub fn prices() -> PriceBook {
    let listed = [
        (Sold::VolumeGib("gp2".to_owned()), 119_000.0),
        (Sold::VolumeGib("gp3".to_owned()), 95_200.0),
        (Sold::VolumeIops("gp3".to_owned()), 6_000.0),
        (Sold::VolumeIops("io2".to_owned()), 78_000.0),
        (Sold::VolumeMibps("gp3".to_owned()), 48_000.0),
        (Sold::SnapshotGib, 54_000.0),
        (Sold::IdleAddressHour, 5_000.0),
        (Sold::LogGib, 32_400.0),
        (Sold::InstanceHour("m5.large".to_owned()), 115_000.0),
        (Sold::InstanceHour("m5.xlarge".to_owned()), 230_000.0),
        (Sold::NatGatewayHour, 52_000.0),
        (Sold::NatGatewayGib, 52_000.0),
        (Sold::InterfaceEndpointHour, 12_000.0),
        (Sold::DatabaseHour(database_class("db.m5.xlarge")), 400_000.0),
        (Sold::DatabaseHour(database_class("db.m5.large")), 200_000.0),
        (Sold::DatabaseGib { storage_type: "gp3".to_owned(), is_multi_az: false }, 137_000.0),
        (Sold::DatabaseSnapshotGib, 103_000.0),
        (Sold::CacheHour { node_type: "cache.r6g.xlarge".to_owned(), engine: "redis".to_owned() }, 494_000.0),
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
        (Sold::ReadCapacityHour, 158.6),
        (Sold::WriteCapacityHour, 793.0),
        (Sold::ReadRequest, 0.1525),
        (Sold::WriteRequest, 0.7625),
        (Sold::TaskVcpuHour { is_arm: false }, 46_560.0),
        (Sold::TaskGbHour { is_arm: false }, 5_110.0),
        (Sold::FunctionGbSecond { is_arm: false }, 16.6667),
        (Sold::LoadBalancerHour(Balancer::Application), 27_000.0),
        (Sold::LoadBalancerHour(Balancer::Network), 27_000.0),
        (Sold::LoadBalancerHour(Balancer::Classic), 30_000.0),
    ];
    let price = |usd_micros| Observed::Known(UnitPrice { usd_micros, from: PriceSource::List });
    PriceBook { units: listed.into_iter().map(|(sold, usd_micros)| (sold, price(usd_micros))).collect() }
}

fn database_class(class: &str) -> DatabaseClass {
    let (class, engine) = (class.to_owned(), "postgres".to_owned());
    DatabaseClass { class, engine, is_multi_az: false, is_io_optimized: false }
}

/// What the rules find on these items with these histories.
pub fn found(items: Vec<Item>, usage: Vec<Usage>) -> Vec<super::Opportunity> {
    super::rules::find(&Estate { items, usage, ..estate() }, &Policy::default(), &prices())
}
