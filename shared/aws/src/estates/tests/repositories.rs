//! Repositories of container images.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::{ImageRepository, Live, ResourceKind, UntaggedImages};
use engine::ports::{Estates as _, Scope, Surveyed};
use jiff::Timestamp;
use serde_json::{Value, json};

const KIND: ResourceKind = ResourceKind::ImageRepository;
/// 2026-01-02T00:00:00Z.
const DAY_S: i64 = 1_767_312_000;

fn arn(name: &str) -> String {
    format!("arn:aws:ecr:us-east-1:111122223333:repository/{name}")
}

fn repository(name: &str) -> Value {
    json!({"repositoryName": name, "repositoryArn": arn(name), "createdAt": DAY_S})
}

fn page(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| repository(name)).collect()
}

fn image(digest: &str, pushed_at: i64, more: Value) -> Value {
    let mut found = json!({"imageDigest": digest, "imagePushedAt": pushed_at, "imageSizeInBytes": 100,
        "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json"});
    found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    found
}

fn refused(code: &str) -> Answer {
    Answer(400, json!({"__type": code, "message": "no"}).to_string().into_bytes())
}

/// Repositories on two pages: `shop/web`, whose images are on two pages, `shop/jobs`, `cared`, `lent` and `gone` of the shop, and
/// `strange`. A task runs `digest` of `task_of`. `fails` is the end of a target, or a part of a body, which `how` answers.
fn service(fails: &'static str, how: fn() -> Answer, task: Value) -> Service {
    Service::watched(move |request, _, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        if !fails.is_empty() && (target.ends_with(fails) || text.contains(fails)) {
            return how();
        }
        let answer = |value: Value| Answer(200, value.to_string().into_bytes());
        let is_of = |name: &str| text.contains(&format!("\"{name}\""));
        match target.rsplit('.').next().unwrap_or_default() {
            "DescribeRepositories" if is_of("next repositories") => {
                answer(json!({"repositories": page(&["cared", "lent", "gone", "strange"])}))
            }
            "DescribeRepositories" => {
                answer(json!({"repositories": page(&["shop/web", "shop/jobs"]), "nextToken": "next repositories"}))
            }
            _ if is_of("gone") => refused("RepositoryNotFoundException"),
            "GetLifecyclePolicy" if is_of("cared") => answer(json!({"lifecyclePolicyText": "{}"})),
            "GetLifecyclePolicy" => refused("LifecyclePolicyNotFoundException"),
            "GetRepositoryPolicy" if is_of("lent") => answer(json!({"policyText": "{}"})),
            "GetRepositoryPolicy" => refused("RepositoryPolicyNotFoundException"),
            "DescribeImages" if is_of("next images") => answer(json!({"imageDetails": [
                image("sha256:a2", DAY_S + 60, json!({"lastRecordedPullTime": DAY_S + 86_400 + 5})),
                image("sha256:a3", DAY_S + 90, json!({"imageStatus": "ARCHIVED"})),
                image("sha256:a4", DAY_S, json!({"subjectManifestDigest": "sha256:t1"})),
                image("sha256:a5", DAY_S + 30, json!({"imageStatus": "ACTIVE"})),
                image("sha256:a6", DAY_S, json!({"lastActivatedAt": DAY_S + 86_400}))]})),
            "DescribeImages" if is_of("shop/web") => {
                let tagged = image("sha256:t1", DAY_S, json!({"imageTags": ["latest"]}));
                answer(
                    json!({"imageDetails": [image("sha256:a1", DAY_S, json!({})), tagged], "nextToken": "next images"}),
                )
            }
            "DescribeImages" => answer(json!({"imageDetails": [
                image("sha256:i1", DAY_S, json!({"imageManifestMediaType": "application/vnd.oci.image.index.v1+json"})),
                image("sha256:i2", DAY_S, json!({}))]})),
            "ListClusters" => answer(json!({"clusterArns": ["main"]})),
            "ListTasks" if is_of("next tasks") => answer(json!({"taskArns": ["two"]})),
            "ListTasks" => answer(json!({"taskArns": ["one"], "nextToken": "next tasks"})),
            "DescribeTasks" => answer(json!({"tasks": [{"containers": [task]}], "failures": []})),
            "GetResources" if text.contains("ecr:repository") => {
                let tags = json!([{"Key": "maintainer:app", "Value": "shop"}]);
                let of = |name: &str| json!({"ResourceARN": arn(name), "Tags": tags});
                let names = ["shop/web", "shop/jobs", "cared", "lent", "gone"];
                answer(json!({"ResourceTagMappingList": names.map(of)}))
            }
            "GetResources" if text.contains(&arn("strange")) => answer(json!({"ResourceTagMappingList": []})),
            _ => Answer(400, Vec::new()),
        }
    })
}

fn well() -> Answer {
    Answer(400, Vec::new())
}

fn denied() -> Answer {
    refused("AccessDeniedException")
}

fn throttled() -> Answer {
    refused("ThrottlingException")
}

fn no_task() -> Value {
    json!({"image": "host/other:1", "imageDigest": "sha256:other"})
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn live<'a>(surveyed: &'a Surveyed, name: &str) -> &'a ImageRepository {
    let item = surveyed.items.iter().find(|item| item.resource.name == name).unwrap();
    let Live::ImageRepository(live) = &item.resource.live else { panic!("{item:?}") };
    live
}

#[tokio::test]
async fn repositories_of_every_page_come_with_their_untagged_images_by_day() {
    let surveyed = estates(&service("", well, no_task())).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["cared", "lent", "shop/jobs", "shop/web"], "one that went has nothing");
    let web = live(&surveyed, "shop/web");
    let at = |second: i64| Timestamp::from_second(DAY_S + second).unwrap();
    let expected = [
        UntaggedImages { pushed: at(30), used: at(30), images: 2, bytes: 200 },
        UntaggedImages { pushed: at(60), used: at(86_405), images: 2, bytes: 200 },
    ];
    assert_eq!((web.images, web.untagged.as_slice()), (7, expected.as_slice()));
    assert!(!web.has_lifecycle && !web.is_lent && !web.has_indexes && !web.runs_untagged, "{web:?}");
    let jobs = live(&surveyed, "shop/jobs");
    assert_eq!((jobs.has_indexes, jobs.untagged.len()), (true, 1), "an index is no image by itself");
    let (cared, lent) = (live(&surveyed, "cared"), live(&surveyed, "lent"));
    assert!(cared.has_lifecycle && cared.untagged.is_empty() && lent.is_lent && lent.untagged.is_empty());
    let web = surveyed.items.iter().find(|item| item.resource.name == "shop/web").unwrap();
    assert_eq!((web.resource.id.as_str(), web.created_at), (arn("shop/web").as_str(), Some(at(0))));
}

#[tokio::test]
async fn the_rest_is_what_has_no_tag_and_what_is_listed_belongs_to_an_application() {
    let surveyed = estates(&service("", well, no_task())).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&surveyed), ["strange"]);
    let resources = vec![ResourceId::from("image_repository/strange")];
    let listed = Scope::App(Selector { resources, ..Selector::default() });
    let surveyed = estates(&service("", well, no_task())).survey(&listed).await.unwrap();
    assert_eq!(names(&surveyed), ["strange"]);
}

#[tokio::test]
async fn a_task_keeps_the_image_that_it_runs_and_all_of_a_repository_where_it_does_not_say_which() {
    for (task, runs) in [
        (json!({"image": "host/shop/web:latest", "imageDigest": "sha256:a2"}), true),
        (json!({"image": "host/shop/web:latest", "imageDigest": "sha256:t1"}), false),
        (json!({"image": "host/shop/web:latest"}), true),
        (json!({"image": "host/shop/website:latest"}), false),
    ] {
        let surveyed = estates(&service("", well, task.clone())).survey(&shop()).await.unwrap();
        assert_eq!(live(&surveyed, "shop/web").runs_untagged, runs, "{task}");
    }
}

#[tokio::test]
async fn fault_what_of_repositories_is_not_read_as_a_whole_is_unread() {
    let fails = [
        "DescribeRepositories",
        "next repositories",
        "GetLifecyclePolicy",
        "GetRepositoryPolicy",
        "DescribeImages",
        "next images",
        "ListClusters",
        "ListTasks",
        "next tasks",
        "DescribeTasks",
        "ecr:repository",
    ];
    for part in fails {
        for (how, is_throttled) in [(denied as fn() -> Answer, false), (throttled, true)] {
            let surveyed = estates(&service(part, how, no_task())).survey(&shop()).await.unwrap();
            let why = surveyed.unread.iter().find(|(kind, _)| *kind == KIND).map(|(_, why)| why);
            assert!(names(&surveyed).is_empty(), "{part}");
            match why {
                Some(Missing::Throttled) => assert!(is_throttled, "{part}"),
                Some(Missing::Denied(_)) => assert!(!is_throttled, "{part}"),
                other => panic!("{part}: {other:?}"),
            }
        }
    }
}
