//! ECS services.

use super::{estates, shop};
use crate::scripted::{Answer, Service as Scripted};
use config::Selector;
use domain::cost::estate::Item;
use domain::cost::terms::{TaskTerms, Terms};
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::{Live, ResourceKind, Service};
use engine::ports::{Estates as _, Scope, Surveyed};
use serde_json::{Value, json};

fn arn(name: &str) -> String {
    format!("arn:aws:ecs:us-east-1:111122223333:service/{name}")
}

fn definition(name: &str) -> String {
    format!("arn:aws:ecs:us-east-1:111122223333:task-definition/{name}")
}

fn described(name: &str, more: Value) -> Value {
    let mut found = json!({"serviceName": name, "serviceArn": arn(&format!("main/{name}")), "status": "ACTIVE",
        "desiredCount": 3, "runningCount": 3, "createdAt": 1_767_323_045,
        "deployments": [{"createdAt": 1_767_323_045, "rolloutState": "COMPLETED"}]});
    found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    found
}

/// Services of the cluster `main`, on two pages; `web`, `jobs` and `gone` carry the tag of the shop, and so does one of the
/// cluster `lost`, which went a moment ago. `denied` is the end of a
/// target, or a part of a body.
fn service(denied: &'static str) -> Scripted {
    Scripted::watched(move |request, _, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        if !denied.is_empty() && (target.ends_with(denied) || text.contains(denied)) {
            return Answer(400, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec());
        }
        if target.ends_with("Services") && text.contains("lost") {
            return Answer(400, br#"{"__type": "ClusterNotFoundException", "message": "no"}"#.to_vec());
        }
        let answer = |value: Value| Answer(200, value.to_string().into_bytes());
        match target.rsplit('.').next().unwrap_or_default() {
            "ListClusters" if text.contains("next") => answer(json!({"clusterArns": []})),
            "ListClusters" => answer(json!({"clusterArns": ["lost", "main"], "nextToken": "next clusters"})),
            "ListServices" if text.contains("next") => answer(json!({"serviceArns": [arn("main/old")]})),
            "ListServices" => {
                let arns = [arn("main/web"), arn("main/jobs")];
                answer(json!({"serviceArns": arns, "nextToken": "next services"}))
            }
            "DescribeServices" => {
                let web = json!({"launchType": "FARGATE", "taskDefinition": definition("web:7")});
                let jobs = json!({"taskDefinition": definition("jobs:2"), "capacityProviderStrategy":
                    [{"capacityProvider": "FARGATE"}, {"capacityProvider": "FARGATE_SPOT"}]});
                let old = json!({"launchType": "EC2", "taskDefinition": definition("old:1")});
                let all = [("web", web), ("jobs", jobs), ("old", old)].map(|(name, more)| described(name, more));
                let asked = all
                    .into_iter()
                    .filter(|one| text.contains(&format!("\"{}\"", one["serviceName"].as_str().unwrap())));
                answer(json!({"services": asked.collect::<Vec<_>>(), "failures": []}))
            }
            "DescribeTaskDefinition" if text.contains("web:7") => answer(json!({"taskDefinition": {
                "taskDefinitionArn": definition("web:7"), "cpu": "1024", "memory": "4096",
                "containerDefinitions": [{"cpu": 512, "memory": 2048, "memoryReservation": 1024}, {"memory": 256}],
                "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}})),
            "DescribeTaskDefinition" => answer(json!({"taskDefinition": {"taskDefinitionArn": definition("jobs:2"),
                "cpu": "2048", "memory": "4096", "containerDefinitions": [],
                "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}})),
            "DescribeScalableTargets" => answer(json!({"ScalableTargets": [{"ServiceNamespace": "ecs",
                "ResourceId": "service/main/web", "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 2,
                "MaxCapacity": 9, "RoleARN": "arn", "CreationTime": 1_767_323_045}]})),
            "GetResources" if text.contains("ecs:service") => {
                let tags = json!([{"Key": "maintainer:app", "Value": "shop"}]);
                let of = |name: &str| json!({"ResourceARN": arn(name), "Tags": tags});
                answer(
                    json!({"ResourceTagMappingList": [of("main/web"), of("main/jobs"), of("main/gone"), of("lost/one")]}),
                )
            }
            "GetResources" if text.contains(&arn("main/old")) => answer(json!({"ResourceTagMappingList": []})),
            _ => Answer(400, Vec::new()),
        }
    })
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn live(item: &Item) -> &Service {
    let Live::EcsService(live) = &item.resource.live else { panic!("{item:?}") };
    live
}

fn terms(item: &Item) -> &TaskTerms {
    let Some(Terms::Task(terms)) = &item.terms else { panic!("{item:?}") };
    terms
}

#[tokio::test]
async fn services_come_with_the_size_and_the_bounds_of_their_tasks() {
    let surveyed = estates(&service("")).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["jobs", "web"], "what went in the meantime is no longer there");
    let (jobs, web) = (&surveyed.items[0], &surveyed.items[1]);
    let expected = TaskTerms {
        definition: "web:7".to_owned(),
        cpu_units: 1_024,
        memory_mib: 4_096,
        containers_units: 512,
        containers_mib: 1_280,
        is_arm: true,
        is_linux: true,
        is_on_demand: true,
    };
    assert_eq!(terms(web), &expected);
    let at = Some("2026-01-02T03:04:05Z".parse().unwrap());
    assert_eq!((web.created_at, live(web).last_deployment_at, live(web).cluster.as_str()), (at, at, "main"));
    assert_eq!((live(web).desired, live(web).running, live(web).bounds), (3, 3, Some((2, 9))));
    assert_eq!(web.resource.id.as_str(), arn("main/web"));
    let of = terms(jobs);
    assert!(!of.is_linux && !of.is_on_demand && !of.is_arm && live(jobs).bounds.is_none(), "{of:?}");
}

#[tokio::test]
async fn the_rest_is_what_the_pages_of_every_cluster_have_and_what_is_listed_is_found_by_cluster_and_name() {
    let rest = estates(&service("")).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&rest), ["old"]);
    assert!(rest.items[0].terms.is_none(), "instances have their own price");
    let resources = vec![ResourceId::from("ecs_service/main/old")];
    let scope = Scope::App(Selector { resources, ..Selector::default() });
    assert_eq!(names(&estates(&service("")).survey(&scope).await.unwrap()), ["old"]);
}

#[tokio::test]
async fn fault_a_page_or_a_call_that_is_denied_makes_services_unread() {
    let (rest, app) = (Scope::Rest, shop());
    let cases = [
        (&rest, "ListClusters"),
        (&rest, "next clusters"),
        (&rest, "next services"),
        (&app, "GetResources"),
        (&app, "DescribeServices"),
        (&app, "DescribeTaskDefinition"),
        (&app, "DescribeScalableTargets"),
    ];
    for (scope, denied) in cases {
        let surveyed = estates(&service(denied)).survey(scope).await.unwrap();
        assert!(names(&surveyed).is_empty(), "{denied}");
        let of_kind = surveyed.unread.iter().find(|(kind, _)| *kind == ResourceKind::EcsService);
        assert!(matches!(of_kind, Some((_, Missing::Denied(_)))), "{denied}: {of_kind:?}");
    }
}
