//! The studio in a real local cloud, without the maintainer: what it publishes is what it lives, alarms go off by
//! themselves, and turning the real knobs has real consequences.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail like tests")]

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StateValue};
use maintainer_tests::cloud::Cloud;
use maintainer_tests::local::{Launcher, root};
use maintainer_tests::redis::Redis;
use maintainer_tests::scenario::parse;
use maintainer_tests::studio::{Life, Minute};

const SPEED: f64 = 240.0;
/// Minutes that anything may take.
const PATIENCE_MIN: u32 = 60;

struct Studio {
    life: Life,
    cloud: Cloud,
    _launcher: Launcher,
}

async fn studio(name: &str, happens: &str) -> Studio {
    let text = format!(
        "name: {name}\nabout: x\ntime_limit_min: 60\napps:\n  shop:\n    events: [{{at_min: 1, happens: {happens}}}]\n    expect: {{status: none}}\n"
    );
    let scenario = parse(&text, name).unwrap();
    let launcher = Launcher::start(&root().join(".local/studio").join(name), SPEED, None).unwrap();
    let cloud = Cloud::from_state_file(launcher.state_file()).unwrap();
    let life = Life::begin(&cloud, "shop", &scenario.apps["shop"], None).await.unwrap();
    Studio { life, cloud, _launcher: launcher }
}

impl Studio {
    /// Lives until something holds.
    async fn until(&mut self, what: &str, holds: impl Fn(&Minute) -> bool) -> Minute {
        for _ in 0..PATIENCE_MIN {
            let minute = self.life.minute(&self.cloud).await.unwrap();
            if holds(&minute) {
                return minute;
            }
        }
        panic!("{what} did not come within {PATIENCE_MIN} minutes");
    }

    async fn rings(&self, alarm: &str) -> bool {
        let alarms = self.cloud.cloudwatch().describe_alarms().alarm_names(alarm).send().await.unwrap();
        alarms.metric_alarms()[0].state_value() == Some(&StateValue::Alarm)
    }

    async fn until_it_rings(&mut self, alarm: &str) {
        for _ in 0..PATIENCE_MIN {
            self.life.minute(&self.cloud).await.unwrap();
            if self.rings(alarm).await {
                return;
            }
        }
        panic!("{alarm} did not go off within {PATIENCE_MIN} minutes");
    }

    /// Values of the target group's p95 between two minutes of the scenario, as the maintainer would read them.
    async fn p95_ms(&self, from_min: f64, to_min: f64) -> Vec<f64> {
        let names = &self.life.resources().names;
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let metric = Metric::builder()
            .namespace("AWS/ApplicationELB")
            .metric_name("TargetResponseTime")
            .dimensions(dimension("TargetGroup", &names.target_group))
            .dimensions(dimension("LoadBalancer", &names.load_balancer))
            .build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("p95").build();
        let time = |minute: f64| DateTime::from_secs_f64(self.life.start_s() + 60.0 * minute);
        let answer = self
            .cloud
            .cloudwatch()
            .get_metric_data()
            .metric_data_queries(MetricDataQuery::builder().id("p95").metric_stat(stat).build())
            .start_time(time(from_min))
            .end_time(time(to_min))
            .scan_by(aws_sdk_cloudwatch::types::ScanBy::TimestampAscending)
            .send()
            .await
            .unwrap();
        answer.metric_data_results()[0].values().iter().map(|seconds| 1_000.0 * seconds).collect()
    }
}

#[tokio::test]
async fn what_is_read_back_is_what_was_lived_without_a_gap_in_three_hours() {
    let mut studio = studio("publishes", "{load: {factor: 1.0}}").await;
    let lived = studio.until("the third minute", |minute| minute.minute >= 3).await;
    let minute = f64::from(lived.minute);
    let read = studio.p95_ms(minute, minute + 1.0).await;
    let wrong_pct = 100.0 * (read[0] / lived.sample.latency.p95_ms() - 1.0).abs();
    assert!(wrong_pct < 0.1, "read {read:?}, lived {}", lived.sample.latency.p95_ms());
    assert_eq!(studio.p95_ms(minute - 179.0, minute + 1.0).await.len(), 180);
}

#[tokio::test]
async fn an_overloaded_fleet_sets_off_its_alarm_and_more_instances_calm_it() {
    let mut studio = studio("overload", "{load: {factor: 2.1}}").await;
    studio.until_it_rings("shop-cpu").await;
    let group = studio.life.resources().names.group.clone();
    let scale = studio.cloud.autoscaling().set_desired_capacity().auto_scaling_group_name(group).desired_capacity(7);
    scale.send().await.unwrap();
    let calm = studio.until("calm", |minute| minute.sample.servers.iter().all(|server| server.cpu_pct < 65.0)).await;
    assert_eq!(calm.sample.in_service, 7);
    assert!(calm.sample.latency.p95_ms() < 200.0);
}

#[tokio::test]
async fn a_poisoned_cache_floods_the_database_until_redis_is_really_emptied() {
    let mut studio = studio("poison", "{poison_cache: {}}").await;
    studio.until_it_rings("shop-latency-p95").await;
    let port = studio.life.resources().cache_port;
    Redis::connect(port).unwrap().call(&[["FLUSHALL"]]).unwrap();
    let warm = studio.until("a warm cache", |minute| minute.sample.cache.warm_share > 0.99).await;
    assert!(warm.sample.cache.memory_pct < 60.0);
    studio.until("speed", |minute| minute.sample.latency.p95_ms() < 200.0).await;
}
