//! Whatever stands under `select`, `resources` and `limits`: it is refused, or means what it names and no more.

use super::app;
use crate::{Config, Selector};
use domain::ids::ResourceId;
use domain::resource::{APP_TAG, Live, Resource};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;

/// Text as it is meant, as it slips in, and as nobody means it.
fn word() -> impl Strategy<Value = String> {
    let said = ["app", "shop", "maintainer:app", "*", "", " ", "\u{0}", "**", "~", "null", "all", "true"];
    prop_oneof![prop::sample::select(said.to_vec()).prop_map(str::to_owned), ".{0,12}", "x{250,260}"]
}

fn listed() -> impl Strategy<Value = String> {
    let said = [
        "auto_scaling_group/web",
        "auto_scaling_group/*",
        "auto_scaling_group/",
        "database/db",
        "queue/jobs",
        "arn:aws:sqs:eu-west-1:111122223333:jobs",
        "arn:aws:sqs:eu-west-1:111122223333:*",
        "arn:aws:sqs:::",
        "arn:*",
        "*",
    ];
    prop_oneof![4 => prop::sample::select(said.to_vec()).prop_map(str::to_owned), 1 => word()]
}

/// Any value of the wrong kind.
fn garbage() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[]])),
        Just(json!({"tags": {}})),
        Just(json!({"tags": null})),
        Just(json!({"tags": []})),
        Just(json!({"tag": {"app": "shop"}})),
        Just(json!({"tags": {"app": null}})),
        Just(json!({"tags": {"app": ["shop", "blog"]}})),
    ]
}

fn select() -> impl Strategy<Value = Value> {
    let tags = prop::collection::btree_map(word(), word(), 0..4).prop_map(|tags| json!({"tags": tags}));
    prop_oneof![3 => tags, 1 => garbage()]
}

fn application() -> impl Strategy<Value = Value> {
    let resources = prop_oneof![3 => prop::collection::vec(listed(), 0..4).prop_map(|ids| json!(ids)), 1 => garbage()];
    let fields = (prop::option::of(select()), prop::option::of(resources));
    let object = fields.prop_map(|(select, resources)| {
        let given = [("select", select), ("resources", resources)];
        let given = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        Value::Object(given.collect::<Map<String, Value>>())
    });
    prop_oneof![6 => object, 1 => garbage()]
}

/// What an application of the file names, read once more without the parser: its tags and its list.
fn named(name: &str, file: &Value) -> Selector {
    let texts = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given = |key: &str| file.get(key).filter(|value| !value.is_null());
    if given("select").is_none() && given("resources").is_none() {
        return Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), name.to_owned())]), resources: Vec::new() };
    }
    let tags = given("select").and_then(|select| select.get("tags")).and_then(Value::as_object);
    let list = given("resources").and_then(Value::as_array);
    Selector {
        tags: tags.into_iter().flatten().map(|(key, value)| (key.clone(), texts(value))).collect(),
        resources: list.into_iter().flatten().map(|id| ResourceId::new(texts(id))).collect(),
    }
}

/// A number as a file may have it, in range, out of it, and none.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..40).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1.0f64..3.0).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        garbage(),
    ]
}

const LIMITS: [&str; 7] = [
    "blast_radius",
    "step_factor_max",
    "changes_per_execution_max",
    "changes_per_hour_max",
    "changes_per_day_max",
    "changes_per_resource_per_hour_max",
    "changes_per_resource_per_day_max",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn prop_a_selector_that_names_nothing_is_refused(
        select in prop::option::of(prop::sample::select(vec![json!({}), json!({"tags": {}})])),
        resources in prop::option::of(Just(json!([])))
    ) {
        prop_assume!(select.is_some() || resources.is_some());
        let mut shop = Map::new();
        shop.extend(select.map(|select| ("select".to_owned(), select)));
        shop.extend(resources.map(|resources| ("resources".to_owned(), resources)));
        let error = Config::parse(&json!({"applications": {"shop": shop}}).to_string()).unwrap_err();
        prop_assert!(error.to_string().contains("names no resource"), "{}", error);
    }
}

#[test]
fn prop_a_selector_in_the_file_is_refused_or_selects_what_it_names_and_no_more() {
    let read = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(2_048));
    let files = prop::collection::btree_map("[a-c]{1,2}", application(), 1..3);
    let held = runner.run(&files, |files| {
        let text = json!({"applications": files}).to_string();
        let Ok(config) = Config::parse(&text) else { return Ok(()) };
        read.set(read.get() + 1);
        let mut claimed: Vec<Selector> = Vec::new();
        for (name, file) in &files {
            let shop = config.resolve_any(&app(name)).selector;
            prop_assert_eq!(&shop, &named(name, file), "{}", text);
            prop_assert!(!shop.tags.is_empty() || !shop.resources.is_empty(), "it selects nothing: {}", text);
            prop_assert!(shop.tags.keys().all(|key| !key.trim().is_empty()), "{}", text);
            let is_id = |id: &ResourceId| id.as_str().starts_with("arn:aws") || id.as_str().contains('/');
            prop_assert!(shop.resources.iter().all(is_id), "{}", text);
            for other in &claimed {
                prop_assert!(other.tags.is_empty() || other.tags != shop.tags, "two have the same: {}", text);
                let is_shared = shop.resources.iter().any(|id| other.resources.contains(id));
                prop_assert!(!is_shared, "two have the same: {}", text);
            }
            claimed.push(shop);
        }
        Ok(())
    });
    held.unwrap();
    assert!(read.get() > 100, "only {} of the files could be read: nothing is shown", read.get());
}

#[test]
fn prop_a_limit_in_the_file_is_refused_or_holds_as_it_was_written() {
    let read = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(2_048));
    let held = runner.run(&(prop::sample::select(LIMITS.to_vec()), number()), |(key, written)| {
        let text = json!({"applications": {"shop": {"limits": {key: written}}}}).to_string();
        let Ok(config) = Config::parse(&text) else { return Ok(()) };
        read.set(read.get() + 1);
        let held = config.resolve_any(&app("shop")).limits;
        prop_assert!(held.blast_radius > 0.0 && held.blast_radius <= 1.0, "{}", text);
        prop_assert!((1.0..=10.0).contains(&held.step_factor_max), "{}", text);
        // Nothing is written where the value is null: then the default holds.
        let defaults = serde_json::to_value(domain::guard::Limits::default()).unwrap();
        let wanted = if written.is_null() { &defaults[key] } else { &written };
        let held = serde_json::to_value(&held).unwrap();
        prop_assert_eq!(held[key].as_f64(), wanted.as_f64(), "{}", text);
        Ok(())
    });
    held.unwrap();
    assert!(read.get() > 100, "only {} of the files could be read: nothing is shown", read.get());
}

/// A queue with these tags.
fn tagged(id: &str, tags: &[(&str, &str)]) -> Resource {
    let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Resource { id: ResourceId::from(id), name: "jobs".to_owned(), tags, live: Live::Queue }
}

#[test]
fn a_resource_that_two_applications_reach_in_different_ways_has_another_owner_for_each() {
    let config = Config::parse(
        "applications:
  shop: {select: {tags: {team: web}}}
  blog: {select: {tags: {stage: '*'}}}
  till: {resources: ['queue/jobs']}
  away: {select: {tags: {team: web, stage: live}}, accounts: ['222233334444'], regions: [eu-west-1]}
  plain: {}
",
    )
    .unwrap();
    let other =
        |of: &str, resource: &Resource| config.resolve_any(&app(of)).other_owner(resource).map(|app| app.to_string());
    let here = |tags: &[(&str, &str)]| tagged("arn:aws:sqs:eu-central-1:111122223333:jobs", tags);
    let both = here(&[("team", "web"), ("stage", "live")]);
    assert_eq!((other("shop", &both).as_deref(), other("blog", &both).as_deref()), (Some("blog"), Some("shop")));
    assert_eq!(other("shop", &here(&[("team", "web")])), None);
    assert_eq!(other("blog", &here(&[("team", "app"), ("stage", "test")])), None);
    let listed = tagged("queue/jobs", &[("team", "web")]);
    assert_eq!((other("shop", &listed).as_deref(), other("till", &listed).as_deref()), (Some("till"), Some("shop")));
    // The same tags elsewhere are other things.
    let away = tagged("arn:aws:sqs:eu-west-1:222233334444:jobs", &[("team", "web"), ("stage", "live")]);
    assert_eq!(other("away", &away), None);
    // By our tag: one that the file has in another way is not meant by it, one that it does not have is.
    let named = |name: &str| here(&[("team", "web"), (APP_TAG, name)]);
    assert_eq!((other("shop", &named("shop")), other("shop", &named("blog"))), (None, None));
    assert_eq!(other("shop", &named("plain")).as_deref(), Some("plain"));
    assert_eq!(other("shop", &named("mail")).as_deref(), Some("mail"));
    assert_eq!(other("mail", &named("mail")).as_deref(), Some("shop"));
    assert_eq!(other("shop", &named("")), None);
    assert_eq!(other("plain", &here(&[(APP_TAG, "plain")])), None);
}
