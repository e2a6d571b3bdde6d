//! What a snapshot asks of CloudWatch.

use crate::shop::{Shop, Weather, ready};
use async_trait::async_trait;
use aws::telemetry::{READING_MAX, RECENT_S};
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use domain::resource::Resource;
use domain::series::Series;
use domain::snapshot::Alarm;
use engine::ports::{MetricQuery, PortResult, Telemetry};
use health::observe::{World, observe};
use jiff::Timestamp;
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
