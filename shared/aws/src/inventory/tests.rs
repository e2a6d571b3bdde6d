//! What is asked and taken for a selector, against services that answer anything.

use super::*;
use crate::scripted::{Answer, Service};
use serde_json::json;

#[tokio::test]
async fn fault_what_could_not_be_looked_for_is_named_kind_by_kind() {
    let service = Service::new(|_, _| Answer(429, Vec::new()));
    let inventory = Inventory::new(&service.clients());
    let selector = Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), "shop".to_owned())]), ..Selector::default() };
    let found = inventory.discover(&selector).await.unwrap();
    assert!(found.resources.is_empty());
    assert!(found.undiscovered.iter().all(|(_, missing)| *missing == Missing::Throttled), "{:?}", found.undiscovered);
    let kinds: BTreeSet<ResourceKind> = found.undiscovered.iter().map(|(kind, _)| *kind).collect();
    let others = [ResourceKind::AutoScalingGroup, ResourceKind::Distribution];
    assert_eq!(kinds, tagged::KINDS.iter().copied().chain(others).collect());
    assert!(inventory.tagged_apps().await.is_err(), "no application is not the same as no answer");
}

#[tokio::test]
async fn fault_a_listed_resource_whose_tags_can_not_be_read_is_not_taken() {
    // Nobody would know whether it is protected.
    let service = Service::new(|_, _| Answer(429, Vec::new()));
    let list = ["arn:aws:sqs:us-east-1:1:shop-jobs", "arn:aws:ecs:us-east-1:1:service/shop/shop-worker"];
    let selector = Selector { resources: list.map(ResourceId::from).to_vec(), ..Selector::default() };
    let found = Inventory::new(&service.clients()).discover(&selector).await.unwrap();
    assert!(found.resources.is_empty());
    let kinds: Vec<ResourceKind> = found.undiscovered.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [ResourceKind::EcsService, ResourceKind::Queue]);
}

/// Three queues, whatever is asked for; nothing else is there.
fn queues() -> Service {
    Service::watched(|request, _, _| {
        if !request.uri().contains("tagging") {
            return Answer(400, Vec::new());
        }
        let queue = |name: &str, tags: &[(&str, &str)]| {
            let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            json!({"ResourceARN": format!("arn:aws:sqs:us-east-1:1:{name}"), "Tags": tags})
        };
        let all =
            [queue("shop", &[("app", "shop"), ("team", "")]), queue("blog", &[("app", "blog")]), queue("bare", &[])];
        Answer(200, json!({"ResourceTagMappingList": all}).to_string().into_bytes())
    })
}

const KEYS: [&str; 9] = ["app", "team", "", " ", "*", "App", "tag:app", "ap*", "aws:"];
const VALUES: [&str; 8] = ["shop", "blog", "*", "", " ", "sh*", "?", "shop,blog"];
const LISTED: [&str; 10] = [
    "",
    "*",
    "queue/",
    "queue/*",
    "queue/shop",
    "arn:",
    "arn:aws:sqs:*",
    "arn:aws:sqs:us-east-1:1:*",
    "arn:aws:sqs:us-east-1:1:blog",
    "auto_scaling_group/*",
];

#[tokio::test]
async fn regression_a_service_that_ignores_the_filter_selects_no_more_than_was_named() {
    let inventory = Inventory::new(&queues().clients());
    let carries = |name: &str, key: &str, value: &str| {
        let has = match (name, key) {
            ("shop", "app") => "shop",
            ("shop", "team") => "",
            ("blog", "app") => "blog",
            _ => return false,
        };
        value == "*" || value == has
    };
    let mut found_some = 0;
    for (key, value) in KEYS.iter().flat_map(|key| VALUES.iter().map(move |value| (*key, *value))) {
        let selector = Selector { tags: BTreeMap::from([(key.to_owned(), value.to_owned())]), ..Selector::default() };
        let found = inventory.discover(&selector).await.unwrap();
        let names: Vec<&str> = found.resources.iter().map(|resource| resource.name.as_str()).collect();
        let named: Vec<&str> = ["blog", "shop"].into_iter().filter(|name| carries(name, key, value)).collect();
        assert_eq!(names, named, "{key:?} = {value:?}");
        found_some += names.len();
    }
    assert_eq!(found_some, 6, "app = shop, blog and any, team = \"\" and any");
}

#[tokio::test]
async fn a_list_selects_what_it_names_and_nothing_that_looks_like_it() {
    let inventory = Inventory::new(&queues().clients());
    for id in LISTED {
        let selector = Selector { resources: vec![ResourceId::from(id)], ..Selector::default() };
        let found = inventory.discover(&selector).await.unwrap();
        assert!(found.resources.iter().all(|resource| resource.id.as_str() == id), "{id}: {:?}", found.resources);
    }
}

#[tokio::test]
async fn what_names_nothing_asks_nobody() {
    for resources in [Vec::new(), vec!["", "*", "nothing/known"]] {
        let service = queues();
        let selector =
            Selector { resources: resources.into_iter().map(ResourceId::from).collect(), ..Selector::default() };
        let found = Inventory::new(&service.clients()).discover(&selector).await.unwrap();
        assert_eq!((found.resources.len(), found.undiscovered.len(), service.requests()), (0, 0, 0));
    }
}
