//! Search domains.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::{Live, ResourceKind, SearchDomain, SearchNodes, SearchStorage};
use engine::ports::{Estates as _, Scope, Surveyed};
use serde_json::{Value, json};

const KIND: ResourceKind = ResourceKind::SearchDomain;
const NAMES: &str = "/domain";
const DESCRIBE: &str = "/domain-info";
/// Six carry the tag of the shop, which are two calls; `gone` went a moment ago.
const OURS: [&str; 7] = ["busy", "gone", "going", "logs", "plain", "warm", "zone"];

fn arn(name: &str) -> String {
    format!("arn:aws:es:us-east-1:111122223333:domain/{name}")
}

fn status(name: &str, more: Value) -> Value {
    let mut found = json!({"DomainId": format!("111122223333/{name}"), "DomainName": name, "ARN": arn(name), "Created": true,
        "Deleted": false, "Processing": false, "UpgradeProcessing": false, "EngineVersion": "OpenSearch_2.19",
        "DomainProcessingStatus": "Active",
        "ClusterConfig": {"InstanceType": "r6g.large.search", "InstanceCount": 2, "DedicatedMasterEnabled": false,
            "DedicatedMasterType": "m6g.large.search", "DedicatedMasterCount": 3, "WarmEnabled": false},
        "EBSOptions": {"EBSEnabled": true, "VolumeType": "gp3", "VolumeSize": 100}});
    found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    found
}

fn statuses() -> Vec<Value> {
    let warm = json!({"ClusterConfig": {"InstanceType": "i3.large.search", "InstanceCount": 3, "DedicatedMasterEnabled": true,
        "DedicatedMasterType": "m6g.large.search", "DedicatedMasterCount": 3, "WarmEnabled": true,
        "WarmType": "ultrawarm1.medium.search", "WarmCount": 2,
        "NodeOptions": [{"NodeType": "coordinator", "NodeConfig": {"Enabled": true, "Type": "m7g.large.search", "Count": 4}},
            {"NodeType": "coordinator", "NodeConfig": {"Enabled": false, "Type": "m7g.large.search", "Count": 5}}]},
        "EBSOptions": {"EBSEnabled": false}});
    vec![
        status("busy", json!({"Processing": true})),
        status("going", json!({"Deleted": true})),
        status("logs", json!({})),
        status(
            "plain",
            json!({"ClusterConfig": {"InstanceType": "t3.small.search"}, "DomainProcessingStatus": "Isolated"}),
        ),
        status("strange", json!({})),
        status("warm", warm),
        status("zone", json!({"UpgradeProcessing": true})),
    ]
}

/// `fails` is an address, or a part of a body, which `how` answers.
fn service(fails: &'static str, how: fn() -> Answer) -> Service {
    Service::watched(move |request, _, body| {
        let (uri, text) = (request.uri().to_owned(), String::from_utf8_lossy(body).into_owned());
        let answer = |value: Value| Answer(200, value.to_string().into_bytes());
        if !fails.is_empty() && (uri.ends_with(fails) || text.contains(fails)) {
            return how();
        }
        if uri.ends_with(DESCRIBE) {
            let asked = serde_json::from_str::<Value>(&text).unwrap()["DomainNames"].as_array().unwrap().clone();
            assert!(asked.len() <= 5, "{asked:?}");
            let found = statuses().into_iter().filter(|one| asked.contains(&one["DomainName"]));
            return answer(json!({"DomainStatusList": found.collect::<Vec<_>>()}));
        }
        if uri.ends_with(NAMES) {
            let names = OURS.into_iter().chain(["strange"]).map(|name| json!({"DomainName": name}));
            return answer(json!({"DomainNames": names.collect::<Vec<_>>()}));
        }
        if text.contains("es:domain") {
            let tags = json!([{"Key": "maintainer:app", "Value": "shop"}]);
            let of = |name: &str| json!({"ResourceARN": arn(name), "Tags": tags});
            return answer(json!({"ResourceTagMappingList": OURS.map(of)}));
        }
        if text.contains(&arn("strange")) {
            return answer(json!({"ResourceTagMappingList": []}));
        }
        Answer(400, Vec::new())
    })
}

fn well() -> Answer {
    Answer(400, Vec::new())
}

fn denied() -> Answer {
    Answer(403, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec())
}

fn throttled() -> Answer {
    Answer(429, br#"{"__type": "ThrottlingException", "message": "no"}"#.to_vec())
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn live<'a>(surveyed: &'a Surveyed, name: &str) -> &'a SearchDomain {
    let item = surveyed.items.iter().find(|item| item.resource.name == name).unwrap();
    let Live::SearchDomain(live) = &item.resource.live else { panic!("{item:?}") };
    live
}

fn nodes(node_type: &str, count: u32) -> SearchNodes {
    SearchNodes { node_type: node_type.to_owned(), count }
}

#[tokio::test]
async fn domains_come_with_all_nodes_and_volumes_that_are_paid_for() {
    let surveyed = estates(&service("", well)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["busy", "logs", "plain", "warm", "zone"], "what goes or went is not paid for");
    let logs = surveyed.items.iter().find(|item| item.resource.name == "logs").unwrap();
    assert_eq!((logs.resource.id.as_str(), logs.created_at), (arn("logs").as_str(), None));
    let expected = SearchDomain {
        client: "111122223333".to_owned(),
        engine: "OpenSearch_2.19".to_owned(),
        nodes: vec![nodes("r6g.large.search", 2)],
        storage: Some(SearchStorage { volume_type: "gp3".to_owned(), size_gib: 200 }),
        is_steady: true,
        has_warm: false,
    };
    assert_eq!(*live(&surveyed, "logs"), expected);
    let warm = live(&surveyed, "warm");
    let all =
        [("i3.large.search", 3), ("m6g.large.search", 3), ("ultrawarm1.medium.search", 2), ("m7g.large.search", 4)];
    assert_eq!(warm.nodes, all.map(|(node_type, count)| nodes(node_type, count)));
    assert_eq!((warm.has_warm, warm.storage.as_ref(), warm.is_steady), (true, None, true));
    let plain = live(&surveyed, "plain");
    assert_eq!((plain.nodes.as_slice(), plain.is_steady), ([nodes("t3.small.search", 1)].as_slice(), false));
    assert!(!live(&surveyed, "busy").is_steady && !live(&surveyed, "zone").is_steady);
}

#[tokio::test]
async fn domains_without_the_tag_are_the_rest_or_listed() {
    let surveyed = estates(&service("", well)).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&surveyed), ["strange"]);
    let resources = vec![ResourceId::from("search_domain/strange")];
    let listed = Scope::App(Selector { resources, ..Selector::default() });
    assert_eq!(names(&estates(&service("", well)).survey(&listed).await.unwrap()), ["strange"]);
}

#[tokio::test]
async fn fault_what_of_domains_is_not_read_as_a_whole_is_unread() {
    // The second call has the last of them.
    for part in [NAMES, DESCRIBE, "[\"warm\",\"zone\"]", "es:domain"] {
        for (how, is_throttled) in [(denied as fn() -> Answer, false), (throttled, true)] {
            let surveyed = estates(&service(part, how)).survey(&shop()).await.unwrap();
            assert!(names(&surveyed).is_empty(), "{part}");
            match surveyed.unread.iter().find(|(kind, _)| *kind == KIND).map(|(_, why)| why) {
                Some(Missing::Throttled) => assert!(is_throttled, "{part}"),
                Some(Missing::Denied(_)) => assert!(!is_throttled, "{part}"),
                other => panic!("{part}: {other:?}"),
            }
        }
    }
}
