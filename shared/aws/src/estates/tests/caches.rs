//! Caches.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::cost::estate::Item;
use domain::cost::terms::{CacheTerms, Terms};
use domain::ids::ResourceId;
use domain::resource::ResourceKind;
use engine::ports::{Estates as _, Scope, Surveyed};

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:elasticache:us-east-1:111122223333:{kind}:{name}")
}

fn cluster(name: &str, group: Option<&str>) -> String {
    let group = group.map(|id| format!("<ReplicationGroupId>{id}</ReplicationGroupId>")).unwrap_or_default();
    format!(
        "<CacheCluster><CacheClusterId>{name}</CacheClusterId><CacheNodeType>cache.r6g.large</CacheNodeType>\
         <Engine>redis</Engine><CacheClusterStatus>available</CacheClusterStatus><NumCacheNodes>1</NumCacheNodes>\
         <CacheClusterCreateTime>2026-01-02T03:04:05Z</CacheClusterCreateTime>{group}<ARN>{}</ARN></CacheCluster>",
        arn("cluster", name)
    )
}

fn group(name: &str, status: &str, global: &str) -> String {
    format!(
        "<ReplicationGroup><ReplicationGroupId>{name}</ReplicationGroupId><Status>{status}</Status>{global}\
         </ReplicationGroup>"
    )
}

fn xml(action: &str, inner: &str) -> Answer {
    let text = format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>");
    Answer(200, text.into_bytes())
}

/// Two pages of clusters and of groups; the tags of `shop-1` and `jobs` say "shop".
fn service(is_lost: fn(&str) -> bool) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let (asked, second) =
            (|action: &str| text.contains(&format!("Action={action}&")), text.contains("Marker=more"));
        if is_lost(&text) {
            return Answer(400, Vec::new());
        }
        let next = if second { "" } else { "<Marker>more</Marker>" };
        if asked("DescribeCacheClusters") {
            let list = match second {
                false => cluster("shop-1", Some("shop")) + &cluster("jobs", None),
                true => cluster("shop-2", Some("shop")) + &cluster("world-1", Some("world")),
            };
            return xml("DescribeCacheClusters", &format!("<CacheClusters>{list}</CacheClusters>{next}"));
        }
        if asked("DescribeReplicationGroups") {
            let global = "<GlobalReplicationGroupInfo><GlobalReplicationGroupId>all</GlobalReplicationGroupId>\
                          </GlobalReplicationGroupInfo>";
            let list = match second {
                false => group("shop", "modifying", ""),
                true => group("world", "available", global),
            };
            return xml("DescribeReplicationGroups", &format!("<ReplicationGroups>{list}</ReplicationGroups>{next}"));
        }
        let is_of_caches = text.contains("elasticache:cluster") || text.contains("cluster:world-1");
        if is_of_caches {
            let tags = r#"[{"Key": "maintainer:app", "Value": "shop"}]"#;
            let mapped =
                |name: &str, tags: &str| format!(r#"{{"ResourceARN": "{}", "Tags": {tags}}}"#, arn("cluster", name));
            let list = match text.contains("cluster:world-1") {
                true => mapped("world-1", r#"[{"Key": "maintainer:protected", "Value": "true"}]"#),
                false => mapped("shop-1", tags) + "," + &mapped("jobs", tags),
            };
            return Answer(200, format!(r#"{{"ResourceTagMappingList": [{list}]}}"#).into_bytes());
        }
        Answer(400, Vec::new())
    })
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn terms(item: &Item) -> CacheTerms {
    let Some(Terms::Cache(terms)) = &item.terms else { panic!("{item:?}") };
    terms.clone()
}

#[tokio::test]
async fn clusters_of_every_page_come_with_their_group_and_its_other_clusters() {
    let surveyed = estates(&service(|_| false)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["jobs", "shop-1"]);
    let jobs = CacheTerms {
        is_available: true,
        node_type: "cache.r6g.large".to_owned(),
        nodes: 1,
        group: None,
        peers: Vec::new(),
        is_global: false,
    };
    assert_eq!(terms(&surveyed.items[0]), jobs);
    assert_eq!(surveyed.items[0].created_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    let of_group =
        CacheTerms { is_available: false, group: Some("shop".to_owned()), peers: vec!["shop-2".to_owned()], ..jobs };
    assert_eq!(terms(&surveyed.items[1]), of_group, "while its group is modified it is not steady");
}

#[tokio::test]
async fn who_lists_a_group_means_its_clusters_and_their_tags_are_known() {
    let resources = vec![ResourceId::new(arn("replicationgroup", "world"))];
    let scope = Scope::App(Selector { resources, ..Selector::default() });
    let surveyed = estates(&service(|_| false)).survey(&scope).await.unwrap();
    assert_eq!(names(&surveyed), ["world-1"]);
    assert!(surveyed.items[0].resource.is_protected() && terms(&surveyed.items[0]).is_global);
}

#[tokio::test]
async fn what_no_application_is_named_on_is_the_rest() {
    let surveyed = estates(&service(|_| false)).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&surveyed), ["shop-2", "world-1"]);
}

#[tokio::test]
async fn fault_a_lost_page_makes_caches_unread() {
    type Lost = fn(&str) -> bool;
    let cases: [Lost; 3] = [
        |text| text.contains("DescribeCacheClusters&") && text.contains("Marker=more"),
        |text| text.contains("DescribeReplicationGroups&") && text.contains("Marker=more"),
        |text| text.contains("elasticache:cluster"),
    ];
    for is_lost in cases {
        let surveyed = estates(&service(is_lost)).survey(&shop()).await.unwrap();
        assert!(surveyed.items.is_empty());
        assert!(surveyed.unread.iter().any(|(kind, _)| *kind == ResourceKind::Cache));
    }
}
