//! Sample inputs, the schedule's input and the event rule: each is understood by the code that gets it.

use crate::repository;
use crate::template::Template;
use config::input::{Input, Trigger};
use config::order::{Order, Subject};
use domain::mode::Mode;
use lifecycle::alarm::{Transition, transitions};
use serde_json::Value;

const ALARMS: [&str; 3] = ["eventbridge-alarm.json", "lambda-alarm-action.json", "sns-alarm.json"];
const INPUTS: [&str; 5] = ["preview.json", "schedule.json", "start-all.json", "start-list.json", "start-one.json"];

const ORDERS: [&str; 3] = ["explain.json", "rollback-preview.json", "rollback-run.json"];

fn sample(name: &str) -> Value {
    repository::json(&format!("infra/events/{name}"))
}

fn input(name: &str) -> Input {
    Input::parse(&sample(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn transition(name: &str) -> Transition {
    let mut found = transitions(&sample(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(found.len(), 1, "{name}");
    found.remove(0)
}

#[test]
fn every_sample_is_looked_at() {
    let mut all: Vec<&str> = ALARMS.into_iter().chain(INPUTS).chain(ORDERS).collect();
    all.sort_unstable();
    assert_eq!(repository::names("infra/events", ""), all);
}

#[test]
fn the_three_ways_of_one_alarm_are_one_transition() {
    let expected = transition(ALARMS[0]);
    assert_eq!((expected.name.as_str(), expected.state.as_str()), ("shop-latency", "ALARM"));
    assert_eq!(expected.dimensions[0]["TargetGroup"], "targetgroup/shop/73e2d6bc24d8a067");
    for name in ALARMS {
        let found = transition(name);
        assert_eq!(found.by_bus, name.starts_with("eventbridge"), "{name}");
        assert_eq!(Transition { by_bus: true, ..found }, expected, "{name}");
        assert_eq!(transition(name).id(), expected.id(), "{name}");
    }
}

#[test]
fn the_orders_mean_what_their_names_say() {
    let order = |name: &str| Order::parse(&sample(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(matches!(order("explain.json").subject, Subject::Run(_)));
    let run = order("rollback-run.json");
    assert!(matches!(run.subject, Subject::Run(_)) && !run.only_look && !run.remark.is_empty());
    let preview = order("rollback-preview.json");
    assert!(matches!(preview.subject, Subject::Change(..)) && preview.only_look);
}

#[test]
fn the_inputs_mean_what_their_names_say() {
    assert_eq!(input("start-all.json"), Input::default());
    assert_eq!(input("start-one.json"), Input { apps: vec!["shop".into()], ..Input::default() });
    assert_eq!(input("start-list.json").apps, ["shop".into(), "blog".into()]);
    assert_eq!(
        input("preview.json"),
        Input { apps: vec!["shop".into()], mode: Some(Mode::Observe), ..Input::default() }
    );
    let scheduled = input("schedule.json");
    assert_eq!((scheduled.apps.len(), scheduled.trigger), (0, Trigger::Schedule));
    assert_eq!(scheduled.scheduled_at, Some("2026-03-02T08:00:00Z".parse().unwrap()));
}

#[test]
fn the_input_of_the_schedule_is_understood() {
    let template = Template::load();
    let schedule = template.at("/Resources/HealthStateMachine/Properties/Events/Schedule/Properties");
    let given = schedule["Input"].as_str().unwrap().replace("<aws.scheduler.scheduled-time>", "2026-03-02T08:00:00Z");
    assert_eq!(Input::parse_text(&given).unwrap(), input("schedule.json"));
}

#[test]
fn what_alarms_start_is_understood() {
    let code = repository::code("functions/lifecycle/src/succession.rs");
    let body = code.split("letinput=json!(").nth(1).unwrap().split("});").next().unwrap();
    let keys: Vec<&str> = body.split('"').skip(1).step_by(2).filter(|key| *key != "alarm").collect();
    assert_eq!(keys, ["app", "trigger", "alarms", "episode"]);
    let started = serde_json::json!({"app": "shop", "trigger": "alarm", "alarms": ["shop-latency"], "episode": "e1"});
    let input = Input::parse(&started).unwrap();
    assert_eq!((input.trigger, input.episode.as_deref()), (Trigger::Alarm, Some("e1")));
}

#[test]
fn the_event_rule_lets_alarms_of_applications_through_and_our_own_not() {
    let template = Template::load();
    let pattern = template.at("/Resources/DispatchFunction/Properties/Events/AlarmEvent/Properties/Pattern");
    let event = sample("eventbridge-alarm.json");
    assert!(matches(pattern, &event));
    let with = |pointer: &str, value: &str| {
        let mut event = event.clone();
        *event.pointer_mut(pointer).unwrap() = Value::from(value);
        event
    };
    assert!(!matches(pattern, &with("/detail/state/value", "OK")));
    assert!(!matches(pattern, &with("/source", "aws.ec2")));
    for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let own = crate::template::reference(&alarm["AlarmName"]);
        assert!(!matches(pattern, &with("/detail/alarmName", &own)), "{name} would start a run");
    }
}

/// EventBridge's matching, as far as the rule uses it.
fn matches(pattern: &Value, event: &Value) -> bool {
    pattern.as_object().unwrap().iter().all(|(key, wanted)| match wanted {
        Value::Object(_) => matches(wanted, &event[key]),
        Value::Array(choices) => choices.iter().any(|choice| fits(choice, &event[key])),
        other => panic!("{other} is no part of a pattern"),
    })
}

fn fits(choice: &Value, value: &Value) -> bool {
    let Some(rule) = choice.as_object() else { return choice == value };
    let prefix = rule["anything-but"]["prefix"].clone();
    let prefix = crate::template::reference(&prefix);
    value.as_str().is_some_and(|text| !text.starts_with(&prefix))
}

/// A notice with a name of its own that the rule does not let through would never reach a chat, and nobody would miss it.
#[test]
fn every_notice_of_ours_reaches_the_webhook_and_nothing_else() {
    let template = Template::load();
    let pattern = template.at("/Resources/WebhookRule/Properties/EventPattern");
    assert_eq!(pattern["source"], serde_json::json!(["maintainer"]));
    let listed: Vec<&str> = pattern["detail-type"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut ours = vec![
        lifecycle::ask::QUESTION,
        cost::bill_alert::BILL,
        lifecycle::escalate::ESCALATION,
        cost::survey::PLACES,
        lifecycle::finish::REPORT,
        cost::digest::SAVINGS,
        lifecycle::silence::SILENCE,
    ];
    ours.sort_unstable();
    assert_eq!(listed, ours);
    // Whatever else is published has its name as a constant beside these.
    for text in ["functions", "shared"].map(|directory| repository::all_texts(directory, ".rs")) {
        for (at, _) in text.match_indices(": &str = \"Maintainer ") {
            let name = text[at..].split('"').nth(1).unwrap();
            assert!(ours.contains(&name), "no rule names {name}");
        }
    }
}

/// Who else could start a run: a topic or a bus of another account, or a function's permission without a source.
#[test]
fn events_are_taken_from_the_bus_and_the_topic_of_the_account_alone() {
    let template = Template::load();
    for (name, properties) in template.of_type("AWS::Lambda::Permission") {
        let account = properties.get("SourceAccount").map(crate::template::reference);
        assert_eq!(account.as_deref(), Some("${AWS::AccountId}"), "{name}: {properties}");
    }
    let dispatch = template.at("/Resources/DispatchFunction/Properties/Events");
    assert_eq!(crate::template::reference(&dispatch["AlarmTopic"]["Properties"]["Topic"]), "${AlarmsTopic}");
    assert!(dispatch["AlarmEvent"]["Properties"].get("EventBusName").is_none(), "the default bus of the account");
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        let events = function.get("Events").and_then(Value::as_object);
        assert!(name == "DispatchFunction" || events.is_none(), "{name} takes events");
    }
    // Other accounts may send alarms where they are named, and nothing else.
    for (name, policy) in template.of_type("AWS::Events::EventBusPolicy") {
        let statement = &policy["Statement"];
        assert_eq!(crate::template::reference(&statement["Principal"]["AWS"]), "${MemberAccounts}", "{name}");
        let only = serde_json::json!({
            "StringEquals": {"events:source": "aws.cloudwatch", "events:detail-type": "CloudWatch Alarm State Change"}
        });
        assert_eq!(statement["Condition"], only, "{name}");
    }
}
