//! The bill of the shop, computed from what has existed in its world day by day.

use crate::shop::Shop;
use domain::cost::bill::{AppLine, Bill, Line};
use domain::cost::money::UsdMicros;
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::resource::{APP_TAG, Live};
use jiff::civil::{Date, time};
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use std::collections::BTreeMap;

/// Service, usage type, unit.
type Sold = (&'static str, String, &'static str);

/// The bill of these days, at the prices of the shop's list.
pub fn of(shop: &Shop, from: Date, to: Date) -> Bill {
    let (mut lines, mut by_app) = (Vec::new(), Vec::new());
    let today = Offset::UTC.to_datetime(shop.world.now()).date();
    let mut day = from;
    while day < to.min(today) {
        for ((app, (service, usage_type, unit)), (quantity, usd)) in charges(shop, day) {
            let cost = UsdMicros(1_000_000).times(quantity * usd);
            let (usage_type, unit) = (usage_type.clone(), unit.to_owned());
            by_app.push(AppLine { day, app, usage_type: usage_type.clone(), cost, quantity, unit: unit.clone() });
            let service = service.to_owned();
            lines.push(Line { day, service, usage_type, cost, quantity, unit, is_estimated: false });
        }
        day = day.checked_add(1.day()).unwrap();
    }
    Bill {
        from,
        to,
        currency: "USD".to_owned(),
        lines,
        by_app,
        on_demand: Some(Vec::new()),
        plan: Observed::Known(None),
        calls: 2,
    }
}

/// Quantity and unit price of a day by application and by what is sold.
fn charges(shop: &Shop, day: Date) -> BTreeMap<(String, Sold), (f64, f64)> {
    let noon = Offset::UTC.to_timestamp(day.to_datetime(time(12, 0, 0, 0))).unwrap();
    let month = |units: u32| f64::from(units) / f64::from(day.days_in_month());
    let mut found = BTreeMap::new();
    for (app, live) in existing(shop, noon) {
        let mut add = |service, usage_type: &str, unit, quantity: f64, usd| {
            let sum = found.entry((app.clone(), (service, usage_type.to_owned(), unit))).or_insert((0.0, usd));
            sum.0 += quantity;
        };
        match live {
            Live::Volume(volume) => {
                let usage_type = format!("EBS:VolumeUsage.{}", volume.volume_type);
                let usd = if volume.volume_type == "gp3" { 0.08 } else { 0.1 };
                add("EC2 - Other", &usage_type, "GB-Mo", month(volume.size_gib), usd);
                let more = volume.throughput_mibps.unwrap_or_default().saturating_sub(125);
                if volume.volume_type == "gp3" && more > 0 {
                    let gibps = month(more) / 1_024.0;
                    add("EC2 - Other", "EBS:VolumeP-Throughput.gp3", "GiBps-mo", gibps, 0.04 * 1_024.0);
                }
            }
            Live::Address(_) => {
                add("Amazon Virtual Private Cloud", "USE1-PublicIPv4:IdleAddress", "Hrs", 24.0, 0.005);
            }
            _ => {}
        }
    }
    found
}

/// Everything that existed at a moment, with the application of its tag.
fn existing(shop: &Shop, at: Timestamp) -> Vec<(String, Live)> {
    let ledger = shop.world.ledger();
    let mut states: BTreeMap<ResourceId, Option<Live>> =
        shop.world.resources().into_iter().map(|resource| (resource.id, Some(resource.live))).collect();
    let tags: BTreeMap<ResourceId, String> = shop
        .world
        .resources()
        .into_iter()
        .filter_map(|mut resource| Some((resource.id, resource.tags.remove(APP_TAG)?)))
        .collect();
    // Backwards from now to that moment.
    for write in ledger.iter().rev().filter(|write| write.at > at) {
        states.insert(write.resource.clone(), Some(write.before.clone()));
    }
    // What is gone by now had the tag like everything else in the shop.
    let app = |id: &ResourceId| tags.get(id).cloned().unwrap_or_else(|| "shop".to_owned());
    states.into_iter().filter_map(|(id, live)| Some((app(&id), live?))).collect()
}
