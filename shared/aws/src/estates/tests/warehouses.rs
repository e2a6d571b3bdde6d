//! Warehouses.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::{Live, ResourceKind, Warehouse};
use engine::ports::{Estates as _, Scope, Surveyed};

const KIND: ResourceKind = ResourceKind::Warehouse;

fn namespace(name: &str) -> String {
    format!("arn:aws:redshift:us-east-1:111122223333:namespace:{name}")
}

fn cluster(name: &str, status: &str, more: &str) -> String {
    format!(
        "<Cluster><ClusterIdentifier>{name}</ClusterIdentifier><ClusterStatus>{status}</ClusterStatus>\
         <ClusterNamespaceArn>{}</ClusterNamespaceArn><NodeType>ra3.xlplus</NodeType><NumberOfNodes>2</NumberOfNodes>\
         <ClusterCreateTime>2026-01-02T03:04:05.000Z</ClusterCreateTime>{more}</Cluster>",
        namespace(name)
    )
}

const SHOP: &str = "<Tags><Tag><Key>maintainer:app</Key><Value>shop</Value></Tag></Tags>";

/// Clusters on two pages, and shares on two. `fails` is a part of a body, which `code` refuses.
fn service(fails: &'static str, code: &'static str) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        if !fails.is_empty() && text.contains(fails) {
            let error =
                format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>");
            return Answer(400, error.into_bytes());
        }
        let answer = |action: &str, inner: &str| {
            let text = format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>");
            Answer(200, text.into_bytes())
        };
        let share = |name: &str| format!("<member><ProducerArn>{}</ProducerArn></member>", namespace(name));
        match (text.contains("Action=DescribeClusters&"), text.contains("Action=DescribeDataShares&")) {
            (true, _) if text.contains("more-clusters") => {
                let multi = cluster("two", "paused", &format!("<MultiAZ>Enabled</MultiAZ>{SHOP}"));
                let being = "<ClusterAvailabilityStatus>Modifying</ClusterAvailabilityStatus>";
                let busy = cluster("busy", "available", &format!("{being}{SHOP}"));
                answer("DescribeClusters", &format!("<Clusters>{multi}{busy}</Clusters>"))
            }
            (true, _) => {
                let available =
                    "<ClusterAvailabilityStatus>Available</ClusterAvailabilityStatus><MultiAZ>Disabled</MultiAZ>";
                let facts = cluster("facts", "available", &format!("{available}{SHOP}"));
                let strange = cluster("strange", "available", "");
                let clusters = format!("<Clusters>{facts}{strange}</Clusters><Marker>more-clusters</Marker>");
                answer("DescribeClusters", &clusters)
            }
            (_, true) if text.contains("more-shares") => {
                answer("DescribeDataShares", &format!("<DataShares>{}</DataShares>", share("two")))
            }
            (_, true) => {
                let shares = format!("<DataShares>{}</DataShares><Marker>more-shares</Marker>", share("elsewhere"));
                answer("DescribeDataShares", &shares)
            }
            _ => Answer(400, Vec::new()),
        }
    })
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn live<'a>(surveyed: &'a Surveyed, name: &str) -> &'a Warehouse {
    let item = surveyed.items.iter().find(|item| item.resource.name == name).unwrap();
    let Live::Warehouse(live) = &item.resource.live else { panic!("{item:?}") };
    live
}

#[tokio::test]
async fn warehouses_of_every_page_say_what_is_paid_for_and_who_reads_them() {
    let surveyed = estates(&service("", "")).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["busy", "facts", "two"]);
    let facts = surveyed.items.iter().find(|item| item.resource.name == "facts").unwrap();
    assert_eq!(facts.resource.id.as_str(), "arn:aws:redshift:us-east-1:111122223333:cluster:facts");
    assert_eq!(facts.created_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    let expected = Warehouse {
        node_type: "ra3.xlplus".to_owned(),
        nodes: 2,
        is_available: true,
        is_multi_az: false,
        is_shared: false,
    };
    assert_eq!(*live(&surveyed, "facts"), expected);
    let two = Warehouse { is_available: false, is_multi_az: true, is_shared: true, ..expected.clone() };
    assert_eq!(*live(&surveyed, "two"), two);
    assert_eq!(*live(&surveyed, "busy"), Warehouse { is_available: false, ..expected });
}

#[tokio::test]
async fn warehouses_without_the_tag_are_the_rest_or_listed() {
    let surveyed = estates(&service("", "")).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&surveyed), ["strange"]);
    let resources = vec![ResourceId::from("warehouse/strange")];
    let listed = Scope::App(Selector { resources, ..Selector::default() });
    assert_eq!(names(&estates(&service("", "")).survey(&listed).await.unwrap()), ["strange"]);
}

#[tokio::test]
async fn fault_what_of_warehouses_is_not_read_as_a_whole_is_unread() {
    for part in ["Action=DescribeClusters&", "more-clusters", "Action=DescribeDataShares&", "more-shares"] {
        for (code, is_throttled) in [("AccessDenied", false), ("Throttling", true)] {
            let surveyed = estates(&service(part, code)).survey(&shop()).await.unwrap();
            assert!(names(&surveyed).is_empty(), "{part}");
            match surveyed.unread.iter().find(|(kind, _)| *kind == KIND).map(|(_, why)| why) {
                Some(Missing::Throttled) => assert!(is_throttled, "{part}"),
                Some(Missing::Denied(_)) => assert!(!is_throttled, "{part}"),
                other => panic!("{part}: {other:?}"),
            }
        }
    }
}
