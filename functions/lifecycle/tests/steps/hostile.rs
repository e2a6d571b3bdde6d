//! Hostile text in the input of a run: what is handed to a state machine is JSON in which it is a string and nothing else.

use crate::shop::{HOME, defaults, deliver_well, inputs, shop, tagged_fleet};
use config::input::Input;
use lifecycle::resolve::{self, Answer, Request, resolve};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::World;

const HOSTILE: [&str; 12] = [
    "\"",
    "\\\"}",
    "\",\"mode\":\"auto\",\"x\":\"",
    "'; DROP TABLE changes; --",
    "$.run",
    "$$.Task.Token",
    "States.Format('{}', $.run)",
    "States.StringToJson($.x)",
    "{% $states.input %}",
    "${OptimizeFunction}",
    "<script>alert(1)</script>",
    "\u{1b}[31m@channel <!everyone>",
];

fn alarm(name: &str) -> Value {
    json!({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
        "resources": ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop"], "account": HOME.1, "region": HOME.0,
        "detail": {"alarmName": name, "state": {"value": "ALARM", "timestamp": "2026-01-01T00:00:00.000+0000", "reason": name},
            "configuration": {"description": name,
                "metrics": [{"metricStat": {"metric": {"dimensions": {"AutoScalingGroupName": "shop-web"}}}}]}}})
}

/// The names of keys at every level.
fn keys(value: &Value) -> Vec<String> {
    let Value::Object(fields) = value else { return Vec::new() };
    fields.iter().flat_map(|(key, value)| std::iter::once(key.clone()).chain(keys(value))).collect()
}

#[tokio::test]
async fn a_hostile_name_of_an_alarm_stays_one_string_of_the_input() {
    let world = shop();
    deliver_well(&alarm("plain"), &world).await;
    let plain = inputs(&world).pop().unwrap();
    for name in HOSTILE {
        let world = shop();
        let answer = deliver_well(&alarm(name), &world).await;
        assert_eq!(answer.started.len(), 1, "{name}");
        let execution = &answer.started[0];
        let is_safe = execution.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        assert!(is_safe && execution.len() <= 80, "{name} became the name {execution}");
        let input = inputs(&world).pop().unwrap();
        assert_eq!(keys(&input), keys(&plain), "{name}");
        let read = Input::parse(&input).unwrap();
        let [seen] = read.alarms.as_slice() else { panic!("{name}: {read:?}") };
        // Control characters are stripped, everything else is as it was.
        let kept: String = name.chars().filter(|c| !c.is_control()).collect();
        let told: String = seen.chars().filter(|c| !c.is_control()).collect();
        assert_eq!(told.replace(' ', ""), kept.replace(' ', ""), "{name}");
        assert_eq!(read.mode, None, "{name}");
    }
}

#[tokio::test]
async fn a_hostile_name_of_an_application_starts_nothing_or_stays_a_string() {
    for name in HOSTILE {
        let world = Arc::new(World::of(vec![tagged_fleet("shop")]));
        // Whoever may tag a resource may call an application anything.
        world.set_tagged_apps(&[name, "shop"]);
        let request = Request {
            input: json!({}),
            cycle: domain::execution::Cycle::Health,
            other_places: false,
            execution_arn: "arn:aws:states:us-east-1:123456789012:execution:m-health:run-1".to_owned(),
            execution_name: "run-1".to_owned(),
        };
        let ports = resolve::World {
            clock: &world.clock,
            inventory: &*world,
            watch: &*world,
            notifier: &*world,
            silence_s: 3_600,
        };
        let Answer::Many { targets } = resolve(request, &defaults(), &ports).await.unwrap() else {
            panic!("{name}: two applications are two runs")
        };
        for target in targets {
            let is_safe = target.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            assert!(is_safe && target.name.len() <= 80, "{name} became the name {}", target.name);
            let again: Value = serde_json::from_str(&target.input.to_string()).unwrap();
            let app = again["app"].as_str().unwrap();
            assert!(app == name || app == "shop", "{name} became {app}");
            assert_eq!(keys(&again), ["app", "trigger"], "{name}");
        }
    }
}
