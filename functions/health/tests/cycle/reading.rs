//! What a snapshot asks of CloudWatch.

use crate::shop::{Shop, Weather, ready};
use async_trait::async_trait;
use aws::telemetry::{READING_MAX, RECENT_S};
use config::{Config, Selector};
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use domain::place::Place;
use domain::resource::Resource;
use domain::series::Series;
use domain::snapshot::Alarm;
use engine::ports::{Alarms, Discovery, Inventory, MetricQuery, PortError, PortResult, Telemetry};
use engine::step::StepError;
use health::observe::{World, observe};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Notes from when on it is asked.
#[derive(Default)]
struct Asked(Mutex<Vec<Timestamp>>);

#[async_trait]
impl Telemetry for Asked {
    async fn read(&self, queries: &[MetricQuery], from: Timestamp, _: Timestamp, _: u32) -> Vec<Observed<Series>> {
        self.0.lock().unwrap().push(from);
        queries.iter().map(|_| Observed::Missing(Missing::NoData)).collect()
    }
}

#[async_trait]
impl Alarms for Asked {
    async fn alarms(&self, _: &AppId, _: &[Resource]) -> PortResult<Vec<Alarm>> {
        Ok(Vec::new())
    }
}

/// CloudWatch has another limit on datapoints a second for windows that start more than three hours ago.
#[test]
fn regression_a_snapshot_starts_less_than_three_hours_before_its_last_call() {
    for seconds_of_the_minute in [0, 1, 59] {
        let shop = Shop::auto(Weather::default());
        shop.world.pass_s(seconds_of_the_minute);
        let app = shop.config.resolve_tagged(&"shop".into());
        let asked = Asked::default();
        let world = World { clock: &*shop.world, inventory: &*shop.world, telemetry: &asked };
        ready(observe(&app, None, &world)).unwrap();
        let from = asked.0.lock().unwrap()[0];
        let last_call_s = shop.world.now().as_second() + i64::try_from(READING_MAX.as_secs()).unwrap();
        let age_s = last_call_s - from.as_second();
        assert!(age_s <= RECENT_S, "{age_s} s before it");
    }
}

fn there() -> Place {
    Place { account: "444455556666".to_owned(), region: "eu-central-1".to_owned() }
}

#[test]
fn what_has_only_a_name_says_where_it_lies_unless_it_lies_at_home() {
    let shop = Shop::auto(Weather::default());
    let metrics = "applications:\n  shop:\n    metrics:\n      - {name: orders, namespace: Shop, metric: Orders, good: 9, bad: 1}\n";
    let app = Config::parse(metrics).unwrap().resolve_any(&"shop".into());
    let world = World { clock: &*shop.world, inventory: &*shop.world, telemetry: &*shop.world };
    let ids = |place: Option<&Place>| -> BTreeSet<String> {
        let snapshot = ready(observe(&app, place, &world)).unwrap();
        snapshot.resources.iter().map(|resource| resource.id.to_string()).collect()
    };
    let door = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1";
    let (at_home, elsewhere) = (ids(None), ids(Some(&there())));
    assert_eq!(at_home, ["asg/shop-web", "custom/orders", door].map(str::to_owned).into());
    let named = |name: &str| format!("{name}@444455556666/eu-central-1");
    assert_eq!(elsewhere, [named("asg/shop-web"), named("custom/orders"), door.to_owned()].into());
}

/// An inventory that can't be read.
struct Unread(fn() -> PortError);

#[async_trait]
impl Inventory for Unread {
    async fn discover(&self, _: &Selector) -> PortResult<Discovery> {
        Err((self.0)())
    }

    async fn tagged_apps(&self) -> PortResult<Vec<AppId>> {
        Err((self.0)())
    }

    async fn alarm_tags(&self, _: &str) -> PortResult<BTreeMap<String, String>> {
        Err((self.0)())
    }
}

/// No endpoint answers for a Region that does not exist, and one that is not enabled takes no key.
#[test]
fn fault_a_place_that_does_not_answer_is_named_with_what_may_be_wrong_about_it() {
    let shop = Shop::auto(Weather::default());
    let app = shop.config.resolve_any(&"shop".into());
    let read = |place: Option<&Place>, error: fn() -> PortError| -> StepError {
        let world = World { clock: &*shop.world, inventory: &Unread(error), telemetry: &*shop.world };
        ready(observe(&app, place, &world)).unwrap_err()
    };
    let lost =
        || PortError::Unknown { operation: "tag:GetResources".to_owned(), why: "the connection failed".to_owned() };
    let denied =
        || PortError::Denied { operation: "tag:GetResources".to_owned(), permission: "tag:GetResources".to_owned() };
    let busy = || PortError::Throttled { operation: "tag:GetResources".to_owned() };
    let asks = "; maintainer.yaml says that the application lives in account 444455556666 in eu-central-1: is that a Region, and \
                is it enabled in that account?";
    for error in [lost, denied] {
        let (home, elsewhere) = (read(None, error), read(Some(&there()), error));
        assert_eq!(elsewhere.to_string(), format!("{home}{asks}"));
        assert_eq!(elsewhere.name(), home.name(), "what is to be done about it stays the same");
    }
    assert_eq!(read(Some(&there()), busy).to_string(), read(None, busy).to_string());
}
