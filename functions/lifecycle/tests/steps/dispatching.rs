//! dispatch: whose alarm it is, and what is no business of ours.

use crate::shop::{
    action, arn, defaults, deliver, deliver_well, event, inputs, lease_on, notification, shop, tagged_fleet,
};
use crate::wire::{Goes, Wire};
use config::Config;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::{Proof, World};

#[tokio::test]
async fn an_alarm_starts_one_run_of_its_application_and_takes_the_lease_in_its_name() {
    let world = shop();
    let answer = deliver_well(&event("shop-cpu", "shop-web", "ALARM", 0), &world).await;
    let [name] = answer.started.as_slice() else { panic!("{answer:?}") };
    assert_eq!(world.started().keys().collect::<Vec<_>>(), [name]);
    let input = &inputs(&world)[0];
    assert_eq!(
        (&input["app"], &input["trigger"], &input["alarms"]),
        (&json!("shop"), &json!("alarm"), &json!(["shop-cpu"]))
    );
    assert!(config::input::Input::parse(input).is_ok(), "{input}");
    assert_eq!(lease_on("shop", &world).unwrap().holder.as_str(), name);
}

#[tokio::test]
async fn one_transition_that_comes_three_ways_starts_one_run() {
    let ways = [event, notification, action];
    for first in 0..3 {
        let world = shop();
        let mut started = 0;
        for next in 0..3 {
            let event = ways[(first + next) % 3]("shop-cpu", "shop-web", "ALARM", 7);
            started += deliver_well(&event, &world).await.started.len();
        }
        assert_eq!((started, world.started().len()), (1, 1));
    }
}

#[tokio::test]
async fn a_hundred_deliveries_of_one_event_start_one_run_and_say_so() {
    let world = shop();
    let event = event("shop-cpu", "shop-web", "ALARM", 0);
    assert_eq!(deliver_well(&event, &world).await.started.len(), 1);
    for _ in 1..100 {
        let answer = deliver_well(&event, &world).await;
        assert_eq!(answer.ignored, ["shop-cpu: this transition was handled before"]);
        assert!(answer.started.is_empty() && answer.joined.is_empty());
    }
    assert_eq!(world.started().len(), 1);
}

#[tokio::test]
async fn the_tag_of_the_alarm_goes_before_its_dimensions() {
    let world = shop();
    world.set_alarm_tags(&arn("nightly"), &[("maintainer:app", "blog")]);
    deliver_well(&event("nightly", "shop-web", "ALARM", 0), &world).await;
    assert_eq!(inputs(&world)[0]["app"], "blog");
}

#[tokio::test]
async fn an_untagged_alarm_belongs_to_the_application_whose_resource_it_watches() {
    let world = Arc::new(World::of(vec![tagged_fleet("shop"), tagged_fleet("blog")]));
    deliver_well(&event("cpu", "blog-web", "ALARM", 0), &world).await;
    assert_eq!(inputs(&world)[0]["app"], "blog");
}

#[tokio::test]
async fn a_resource_that_is_only_listed_leads_to_its_application() {
    let mut fleet = tagged_fleet("shop");
    fleet.tags.clear();
    fleet.id = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/shop-web".into();
    let config = Config::parse(&format!("applications:\n  kiosk:\n    resources: [\"{}\"]\n", fleet.id)).unwrap();
    let world = Arc::new(World::of(vec![fleet]));
    let answer = deliver(&event("cpu", "shop-web", "ALARM", 0), &config, &Wire::sound(&world)).await.unwrap();
    assert_eq!((answer.started.len(), inputs(&world)[0]["app"].as_str()), (1, Some("kiosk")));
}

#[tokio::test]
async fn an_alarm_of_nobody_starts_nothing_and_says_what_to_do() {
    let world = shop();
    let answer = deliver_well(&event("cpu", "elsewhere", "ALARM", 0), &world).await;
    assert_eq!(answer.ignored, ["cpu: no application has it; tag the alarm or its resource with maintainer:app"]);
    untouched(&world);
}

#[tokio::test]
async fn a_state_other_than_alarm_starts_nothing() {
    for state in ["OK", "INSUFFICIENT_DATA"] {
        let world = shop();
        let answer = deliver_well(&event("shop-cpu", "shop-web", state, 0), &world).await;
        assert_eq!(answer.ignored, [format!("shop-cpu: its state is {state}, only ALARM starts a run")]);
        untouched(&world);
    }
}

#[tokio::test]
async fn alarms_of_two_applications_in_one_delivery_start_two_runs() {
    let world = Arc::new(World::of(vec![tagged_fleet("shop"), tagged_fleet("blog")]));
    let mut both = notification("a", "shop-web", "ALARM", 0);
    let other = notification("b", "blog-web", "ALARM", 1)["Records"][0].clone();
    both["Records"].as_array_mut().unwrap().push(other);
    assert_eq!(deliver_well(&both, &world).await.started.len(), 2);
    let apps: Vec<Value> = inputs(&world).iter().map(|input| input["app"].clone()).collect();
    assert_eq!(apps, ["blog", "shop"]);
}

#[tokio::test]
async fn an_event_that_is_not_understood_is_parked_once_with_one_sentence_and_changes_nothing() {
    let wrong_type = {
        let mut event = event("shop-cpu", "shop-web", "ALARM", 0);
        event["detail"]["alarmName"] = json!({"name": 7});
        event
    };
    let other_source =
        json!({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {}});
    let proof = Proof::begin("poison-events");
    let poison = [
        json!({}),
        json!([]),
        json!(null),
        json!("alarm"),
        json!({"Records": [{"Sns": {"Message": "hello"}}]}),
        wrong_type,
        other_source,
    ];
    for event in &poison {
        let world = shop();
        let wire = Wire::sound(&world);
        let answer = deliver(event, &defaults(), &wire).await.unwrap();
        let [(body, why)] = wire.parked().try_into().unwrap_or_else(|parked| panic!("{event}: {parked:?}"));
        assert_eq!(body, event.to_string(), "it is kept as it came");
        assert_eq!(answer.parked.as_deref(), Some(why.as_str()));
        assert!(why.contains("expected") && !why.contains('\n') && why.len() < 400, "{why}");
        untouched(&world);
    }
    proof.survived(poison.len());
}

#[tokio::test]
async fn a_huge_event_is_parked_by_its_head_and_changes_nothing() {
    let world = shop();
    let mut event = event("shop-cpu", "shop-web", "ALARM", 0);
    event["detail"]["padding"] = json!("ä".repeat(200_000));
    let wire = Wire::sound(&world);
    let answer = deliver(&event, &defaults(), &wire).await.unwrap();
    let parked = wire.parked();
    assert!(parked[0].0.len() < 10_000 && event.to_string().starts_with(&parked[0].0));
    assert!(answer.parked.unwrap().contains("262144 are the most that is looked at"));
    untouched(&world);
}

#[tokio::test]
async fn fault_an_event_that_can_t_be_parked_comes_again() {
    let world = shop();
    let wire = Wire::failing(&world, 0, crate::wire::Goes::Lost);
    assert!(deliver(&json!({}), &defaults(), &wire).await.is_err());
    deliver(&json!({}), &defaults(), &wire).await.unwrap();
    assert_eq!(wire.parked().len(), 1);
}

fn untouched(world: &World) {
    assert!(world.started().is_empty() && lease_on("shop", world).is_none() && world.messages().is_empty());
    assert!(world.ledger().is_empty() && world.artifact_keys().is_empty());
}

/// An alarm on a metric, in each of the three shapes.
fn about(metric: &str, second: u32) -> [Value; 3] {
    let mut bus = event("shop-slow", "shop-web", "ALARM", second);
    bus["detail"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] = json!(metric);
    let mut topic = notification("shop-slow", "shop-web", "ALARM", second);
    let message = topic["Records"][0]["Sns"]["Message"].as_str().unwrap();
    let mut message: Value = serde_json::from_str(message).unwrap();
    message["Trigger"]["MetricName"] = json!(metric);
    topic["Records"][0]["Sns"]["Message"] = json!(message.to_string());
    let mut called = action("shop-slow", "shop-web", "ALARM", second);
    called["alarmData"]["configuration"]["metrics"][0]["metricStat"]["metric"]["name"] = json!(metric);
    [bus, topic, called]
}

fn with_database() -> Config {
    Config::parse(
        "applications:\n  shop:\n    databases:\n      orders: {host: db.example.com, database: shop, read_secret: maintainer/read/shop}\n",
    )
    .unwrap()
}

fn cycles(world: &World) -> Vec<String> {
    world.started().keys().map(|name| name.split('-').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn where_users_wait_too_long_the_databases_are_looked_into_once_for_each_episode() {
    let world = shop();
    for (second, metric) in [(0, "TargetResponseTime"), (7, "Latency"), (9, "TargetResponseTime")] {
        for event in about(metric, second) {
            deliver(&event, &with_database(), &Wire::sound(&world)).await.unwrap();
        }
    }
    assert_eq!(cycles(&world), ["health", "performance"]);
    let of_performance = inputs(&world).into_iter().find(|input| input.get("episode").is_none()).unwrap();
    assert_eq!(of_performance, json!({"app": "shop", "trigger": "alarm", "alarms": ["shop-slow"]}));
    assert!(config::input::Input::parse(&of_performance).is_ok());
}

#[tokio::test]
async fn an_application_with_nothing_but_a_cache_is_looked_into_as_well() {
    let config =
        Config::parse("applications:\n  shop:\n    caches:\n      carts: {host: cache.example.com}\n").unwrap();
    let world = shop();
    deliver(&about("TargetResponseTime", 0)[0], &config, &Wire::sound(&world)).await.unwrap();
    assert_eq!(cycles(&world), ["health", "performance"]);
}

#[tokio::test]
async fn no_other_alarm_no_application_without_a_database_and_no_second_run_looks_into_databases() {
    let none = defaults();
    for (about_what, config) in [("CPUUtilization", &with_database()), ("TargetResponseTime", &none)] {
        for event in about(about_what, 0) {
            let world = shop();
            deliver(&event, config, &Wire::sound(&world)).await.unwrap();
            assert_eq!(cycles(&world), ["health"], "{about_what}");
        }
    }
    let world = shop();
    let key = engine::run::lease_key(domain::execution::Cycle::Performance, &"shop".into());
    let now = world.now();
    engine::ports::Leases::acquire(&*world, &key, &"by-hand".into(), now, 600).await.unwrap();
    deliver(&about("Latency", 0)[0], &with_database(), &Wire::sound(&world)).await.unwrap();
    assert_eq!(cycles(&world), ["health"], "one is under way");
}

#[tokio::test]
async fn fault_a_start_that_fails_comes_again_and_both_runs_are_started_once() {
    let event = &about("TargetResponseTime", 0)[0];
    let calls = {
        let wire = Wire::sound(&shop());
        deliver(event, &with_database(), &wire).await.unwrap();
        wire.calls()
    };
    for (call, goes) in (0..calls).flat_map(|call| Goes::ALL.map(|goes| (call, goes))) {
        let world = shop();
        let first = deliver(event, &with_database(), &Wire::failing(&world, call, goes)).await;
        deliver(event, &with_database(), &Wire::sound(&world)).await.unwrap();
        assert_eq!(cycles(&world), ["health", "performance"], "call {call}, {goes:?}: {first:?}");
    }
}
