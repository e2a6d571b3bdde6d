//! Databases.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use domain::cost::terms::{DatabaseTerms, Terms};
use domain::resource::{Live, ResourceKind};
use engine::ports::{Estates as _, Scope};

const PLAIN: &str = "<Engine>postgres</Engine><AllocatedStorage>100</AllocatedStorage><StorageType>gp3</StorageType>\
    <MultiAZ>true</MultiAZ><DBInstanceStatus>available</DBInstanceStatus>\
    <InstanceCreateTime>2026-01-02T03:04:05Z</InstanceCreateTime><DeletionProtection>true</DeletionProtection>\
    <ReadReplicaDBInstanceIdentifiers><ReadReplicaDBInstanceIdentifier>copy</ReadReplicaDBInstanceIdentifier>\
    </ReadReplicaDBInstanceIdentifiers>";
const AURORA: &str = "<Engine>aurora-mysql</Engine><AllocatedStorage>1</AllocatedStorage>\
    <StorageType>aurora-iopt1</StorageType><DBClusterIdentifier>orders</DBClusterIdentifier><MultiAZ>true</MultiAZ>\
    <DBInstanceStatus>modifying</DBInstanceStatus>";
const REPLICA: &str = "<Engine>postgres</Engine><StorageType>gp2</StorageType>\
    <ReadReplicaSourceDBInstanceIdentifier>shop</ReadReplicaSourceDBInstanceIdentifier>";

fn instance(name: &str, inner: &str, app: &str) -> String {
    format!(
        "<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DBInstanceClass>db.r6g.large</DBInstanceClass>\
         <DBInstanceArn>arn:aws:rds:us-east-1:111122223333:db:{name}</DBInstanceArn>{inner}\
         <TagList><Tag><Key>maintainer:app</Key><Value>{app}</Value></Tag></TagList></DBInstance>"
    )
}

/// Two pages; the second may be lost.
fn service(is_lost: bool) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        if !text.contains("Action=DescribeDBInstances&") {
            return Answer(400, Vec::new());
        }
        let (list, next) = match (text.contains("Marker=more"), is_lost) {
            (false, _) => {
                let first = instance("shop", PLAIN, "shop") + &instance("orders-1", AURORA, "shop");
                (first + &instance("graph", "<Engine>neptune</Engine>", "shop"), "<Marker>more</Marker>")
            }
            (true, false) => (instance("orders-2", AURORA, "other") + &instance("copy", REPLICA, "shop"), ""),
            (true, true) => return Answer(400, Vec::new()),
        };
        let inner = format!("<DBInstances>{list}</DBInstances>{next}");
        let text = format!("<R><DescribeDBInstancesResult>{inner}</DescribeDBInstancesResult></R>");
        Answer(
            200,
            text.replace("<R>", "<DescribeDBInstancesResponse>")
                .replace("</R>", "</DescribeDBInstancesResponse>")
                .into_bytes(),
        )
    })
}

#[tokio::test]
async fn databases_of_every_page_come_with_what_is_bought() {
    let surveyed = estates(&service(false)).survey(&shop()).await.unwrap();
    let names: Vec<&str> = surveyed.items.iter().map(|item| item.resource.name.as_str()).collect();
    assert_eq!(names, ["copy", "orders-1", "shop"], "a graph is another service");
    let terms = |at: usize| {
        let Some(Terms::Database(terms)) = &surveyed.items[at].terms else { panic!("{names:?}") };
        terms.clone()
    };
    let expected = DatabaseTerms {
        is_available: true,
        is_multi_az: true,
        storage_type: "gp3".to_owned(),
        storage_gib: Some(100),
        cluster: None,
        peers: Vec::new(),
        is_replica: false,
        has_replicas: true,
        has_deletion_protection: true,
    };
    assert_eq!(terms(2), expected);
    let shop = &surveyed.items[2];
    assert_eq!(shop.created_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    assert!(matches!(&shop.resource.live, Live::Database(live) if live.memory_bytes == Some(17_179_869_184.0)));
    let orders = terms(1);
    assert_eq!(orders.peers, ["orders-2"], "those of another application, too");
    assert!(!orders.is_available && !orders.is_multi_az && orders.storage_gib.is_none());
    assert!(terms(0).is_replica);
}

#[tokio::test]
async fn fault_a_lost_page_makes_databases_unread() {
    for scope in [shop(), Scope::Rest] {
        let surveyed = estates(&service(true)).survey(&scope).await.unwrap();
        assert!(surveyed.items.is_empty());
        assert!(surveyed.unread.iter().any(|(kind, _)| *kind == ResourceKind::Database));
    }
}
