use super::*;
use proptest::prelude::*;
use serde_json::json;

fn sentence(value: &Value) -> String {
    Input::parse(value).unwrap_err().to_string()
}

#[test]
fn understands_what_a_person_a_schedule_and_dispatch_send() {
    assert_eq!(Input::parse(&json!({})).unwrap(), Input::default());
    let one = Input::parse(&json!({"app": "shop", "mode": "observe"})).unwrap();
    assert_eq!((one.apps.as_slice(), one.mode), ([AppId::from("shop")].as_slice(), Some(Mode::Observe)));
    let several = Input::parse(&json!({"app": ["shop", "blog", "shop"]})).unwrap();
    assert_eq!(several.apps, [AppId::from("shop"), AppId::from("blog")]);
    let schedule = Input::parse(&json!({"trigger": "schedule", "scheduled_at": "2026-11-24T12:00:00Z"})).unwrap();
    assert_eq!(schedule.words(), "started by the schedule of 2026-11-24T12:00:00Z");
    let alarm =
        Input::parse(&json!({"app": "shop", "trigger": "alarm", "alarms": ["a", "b", "c", "d"], "episode": "e1"}))
            .unwrap();
    assert_eq!(alarm.episode.as_deref(), Some("e1"));
    assert_eq!(alarm.words(), "started by 4 alarms: a, b, c and 1 more");
}

#[test]
fn takes_the_comment_that_the_console_fills_in() {
    assert_eq!(Input::parse(&json!({"Comment": "Insert your JSON here"})).unwrap(), Input::default());
}

#[test]
fn golden_every_refusal_is_one_sentence() {
    for (value, says) in [
        (json!({"ap": "shop"}), "unknown key \"ap\": did you mean \"app\"?"),
        (
            json!({"shop": {}}),
            "unknown key \"shop\": known is \"alarms\", \"app\", \"circuit\", \"episode\", \"mode\", \"scheduled_at\" or \"trigger\"",
        ),
        (json!({"app": 7}), "\"app\" must be a name or a list of names, not the number 7"),
        (json!({"circuit": "close"}), "\"app\" must be named where \"circuit\" is \"close\", not null"),
        (json!({"app": "shop", "circuit": "open"}), "\"circuit\" must be \"close\", not \"open\""),
        (json!({"app": ""}), "\"app\" must be a name or a list of names, not \"\""),
        (json!({"app": null}), "\"app\" must be a name or a list of names, not null"),
        (json!({"app": []}), "\"app\" must be a name or a list of names, not an empty list"),
        (json!({"app": ["shop", {}]}), "\"app\" must be a name or a list of names, not an object"),
        (json!({"mode": "automatic"}), "\"mode\" must be \"observe\", \"approve\" or \"auto\", not \"automatic\""),
        (json!({"trigger": "cron"}), "\"trigger\" must be \"manual\", \"schedule\" or \"alarm\", not \"cron\""),
        (
            json!({"scheduled_at": "noon"}),
            "\"scheduled_at\" must be a moment such as \"2026-11-24T12:00:00Z\", not \"noon\"",
        ),
        (json!({"alarms": "a"}), "\"alarms\" must be a list of alarm names, not \"a\""),
        (json!([]), "the input must be an object such as {} or {\"app\": \"shop\"}, not an empty list"),
        (json!("shop"), "the input must be an object such as {} or {\"app\": \"shop\"}, not \"shop\""),
        (json!(null), "the input must be an object such as {} or {\"app\": \"shop\"}, not null"),
        (
            json!({"app": "x".repeat(70_000)}),
            "the input has 70010 bytes, but 65536 are the most that is read; {\"app\": \"shop\"} is enough",
        ),
    ] {
        assert_eq!(sentence(&value), says);
    }
    assert_eq!(
        Input::parse_text(" \n").unwrap_err().to_string(),
        "the input is not JSON (it is empty); write {} for all applications or {\"app\": \"shop\"} for one"
    );
    assert!(
        Input::parse_text("{\"app\": shop}")
            .unwrap_err()
            .to_string()
            .starts_with("the input is not JSON (expected value")
    );
}

#[test]
fn names_the_application_that_was_probably_meant() {
    let input = Input::parse(&json!({"app": ["shop", "blgo"]})).unwrap();
    let known = [AppId::from("shop"), AppId::from("blog")];
    assert_eq!(
        input.check_known(&known).unwrap_err().to_string(),
        "no application is called \"blgo\": did you mean \"blog\"?"
    );
    let other = Input::parse(&json!({"app": "warehouse"})).unwrap();
    assert_eq!(
        other.check_known(&known).unwrap_err().to_string(),
        "no application is called \"warehouse\": known is \"blog\" or \"shop\""
    );
    assert_eq!(
        other.check_known(&[]).unwrap_err().to_string(),
        "no application is called \"warehouse\": none is known yet, so tag its resources with maintainer:app=<name>"
    );
    assert_eq!(Input::default().check_known(&[]), Ok(()));
}

#[test]
fn a_storm_of_alarms_is_not_refused_for_its_size() {
    let alarms: Vec<String> = (0..1_000).map(|number| format!("{:0>200}", number)).collect();
    let input = Input::parse(&json!({"app": "shop", "trigger": "alarm", "alarms": alarms, "episode": "e"})).unwrap();
    assert_eq!(input.alarms.len(), 1_000);
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from)
    ];
    let keys = prop_oneof![prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned), ".{0,6}"];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(keys.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn prop_any_json_is_understood_or_refused_in_one_line(value in anything()) {
        if let Err(error) = Input::parse(&value) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }

    #[test]
    fn prop_any_text_is_understood_or_refused_in_one_line(text in ".{0,80}") {
        if let Err(error) = Input::parse_text(&text) {
            prop_assert!(!error.to_string().contains('\n'), "{}", error);
        }
    }

    #[test]
    fn prop_an_input_never_widens_to_all_applications(value in anything()) {
        let names = value.get("app").is_some();
        if let Ok(input) = Input::parse(&value) {
            prop_assert_eq!(input.apps.is_empty(), !names);
        }
    }
}
