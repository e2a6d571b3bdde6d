//! What is read of the estate, by scripted answers.

mod balancers;
mod caches;
mod databases;
mod endpoints;
mod fault_tolerant;
mod forgotten;
mod functions;
mod repositories;
mod search_domains;
mod services;
mod tables;
mod warehouses;

use super::*;
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::observed::Missing;
use domain::resource::{APP_TAG, Live};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

const KIND_COUNT: usize = KINDS.len() + 1;

fn estates(service: &Service) -> Estates {
    Estates::new(&service.clients(), SystemClock::new(None, None).unwrap(), "aws", "111122223333")
}

fn shop() -> Scope {
    Scope::App(Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), "shop".to_owned())]), ..Selector::default() })
}

#[tokio::test]
async fn fault_a_kind_that_could_not_be_read_is_named_and_never_an_empty_list() {
    for scope in [shop(), Scope::Rest] {
        let service = Service::new(|_, _| Answer(429, Vec::new()));
        let surveyed = estates(&service).survey(&scope).await.unwrap();
        assert!(surveyed.items.is_empty());
        assert!(surveyed.unread.iter().all(|(_, why)| *why == Missing::Throttled), "{:?}", surveyed.unread);
        let kinds: BTreeSet<ResourceKind> = surveyed.unread.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds.len(), KIND_COUNT, "{kinds:?}");
    }
}

/// Answers by operation, as EC2 writes them; none for the other services.
fn ec2(answers: &'static [(&'static str, &'static str)]) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let found = answers.iter().find(|(action, _)| text.contains(&format!("Action={action}&")));
        match found {
            Some((action, inner)) => Answer(200, format!("<{action}Response>{inner}</{action}Response>").into_bytes()),
            None => Answer(400, Vec::new()),
        }
    })
}

const VOLUMES: (&str, &str) = (
    "DescribeVolumes",
    "<volumeSet><item><volumeId>vol-1</volumeId><size>500</size><status>in-use</status><volumeType>gp2</volumeType>\
     <iops>1500</iops><createTime>2026-01-02T03:04:05.000Z</createTime>\
     <attachmentSet><item><instanceId>i-1</instanceId></item></attachmentSet>\
     <tagSet><item><key>maintainer:app</key><value>shop</value></item>\
     <item><key>aws:cloudformation:stack-name</key><value>shop</value></item></tagSet></item>\
     <item><volumeId>vol-2</volumeId><size>1</size><status>deleting</status></item></volumeSet>",
);
const NO_SNAPSHOTS: (&str, &str) = ("DescribeSnapshots", "<snapshotSet/>");

/// The volume of the shop, beside which EC2 answers this.
async fn volume(answers: &'static [(&'static str, &'static str)]) -> (Item, domain::resource::Volume) {
    let mut surveyed = estates(&ec2(answers)).survey(&shop()).await.unwrap();
    let kinds: Vec<_> = surveyed.unread.iter().map(|(kind, _)| *kind).collect();
    assert!(!kinds.contains(&ResourceKind::Volume), "{:?}", surveyed.unread);
    assert_eq!(surveyed.items.len(), 1, "{:?}", surveyed.items);
    let item = surveyed.items.remove(0);
    let Live::Volume(live) = item.resource.live.clone() else { panic!("{item:?}") };
    (item, live)
}

#[tokio::test]
async fn a_volume_is_named_by_its_arn_with_its_template() {
    let (item, live) =
        volume(&[VOLUMES, NO_SNAPSHOTS, ("DescribeVolumesModifications", "<volumeModificationSet/>")]).await;
    assert_eq!(item.resource.id.as_str(), "arn:aws:ec2:us-east-1:111122223333:volume/vol-1");
    assert_eq!(item.resource.name, "vol-1");
    assert!(matches!(&item.managed_by, Some(Template::CloudFormation { stack, .. }) if stack == "shop"));
    assert_eq!(item.created_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    assert_eq!(
        (live.volume_type.as_str(), live.size_gib, live.iops, live.throughput_mibps),
        ("gp2", 500, Some(1_500), None)
    );
    assert_eq!((live.attached_to, live.is_modifying, live.final_snapshot), (vec!["i-1".to_owned()], false, None));
}

#[tokio::test]
async fn a_modification_under_way_counts_as_made_and_bars_another() {
    let (_, live) = volume(&[
        VOLUMES,
        NO_SNAPSHOTS,
        (
            "DescribeVolumesModifications",
            "<volumeModificationSet><item><volumeId>vol-1</volumeId><modificationState>modifying</modificationState>\
             <targetVolumeType>gp3</targetVolumeType><targetIops>3000</targetIops><targetThroughput>250</targetThroughput>\
             <startTime>2026-01-02T03:04:05.000Z</startTime></item></volumeModificationSet>",
        ),
    ])
    .await;
    assert_eq!((live.volume_type.as_str(), live.iops, live.throughput_mibps), ("gp3", Some(3_000), Some(250)));
    assert!(live.is_modifying);
    let (_, live) = volume(&[
        VOLUMES,
        NO_SNAPSHOTS,
        (
            "DescribeVolumesModifications",
            "<volumeModificationSet><item><volumeId>vol-1</volumeId><modificationState>completed</modificationState>\
             <targetVolumeType>gp3</targetVolumeType><endTime>2026-01-02T03:04:05.000Z</endTime></item>\
             </volumeModificationSet>",
        ),
    ])
    .await;
    assert_eq!((live.volume_type.as_str(), live.is_modifying), ("gp2", false), "long over");
}

#[tokio::test]
async fn the_newest_final_snapshot_that_did_not_fail_is_that_of_the_volume() {
    let (_, live) = volume(&[
        VOLUMES,
        ("DescribeVolumesModifications", "<volumeModificationSet/>"),
        (
            "DescribeSnapshots",
            "<snapshotSet>\
             <item><snapshotId>snap-1</snapshotId><status>completed</status><startTime>2026-01-01T00:00:00.000Z</startTime>\
             <tagSet><item><key>maintainer:final-snapshot-of</key><value>vol-1</value></item>\
             <item><key>maintainer:app</key><value>other</value></item></tagSet></item>\
             <item><snapshotId>snap-2</snapshotId><status>pending</status><startTime>2026-01-02T00:00:00.000Z</startTime>\
             <tagSet><item><key>maintainer:final-snapshot-of</key><value>vol-1</value></item></tagSet></item>\
             <item><snapshotId>snap-3</snapshotId><status>error</status><startTime>2026-01-03T00:00:00.000Z</startTime>\
             <tagSet><item><key>maintainer:final-snapshot-of</key><value>vol-1</value></item></tagSet></item></snapshotSet>",
        ),
    ])
    .await;
    let snapshot = live.final_snapshot.unwrap();
    assert_eq!((snapshot.id.as_str(), snapshot.is_complete), ("snap-2", false));
}

#[tokio::test]
async fn fault_a_volume_whose_modifications_can_t_be_read_is_not_known_to_rest() {
    let surveyed = estates(&ec2(&[VOLUMES, NO_SNAPSHOTS])).survey(&shop()).await.unwrap();
    assert!(surveyed.items.is_empty());
    assert!(surveyed.unread.iter().any(|(kind, _)| *kind == ResourceKind::Volume));
}

/// EC2 leaves a disabled image out unless it is asked for, and its snapshots looked as if nothing were made from them.
#[tokio::test]
async fn regression_a_snapshot_of_a_disabled_image_is_that_of_an_image() {
    let service = Service::new(|_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let answer = |action: &str, inner: &str| {
            Answer(200, format!("<{action}Response>{inner}</{action}Response>").into_bytes())
        };
        if text.contains("Action=DescribeSnapshots&") {
            let tags = "<tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet>";
            let item = format!("<item><snapshotId>snap-1</snapshotId><status>completed</status>{tags}</item>");
            return answer("DescribeSnapshots", &format!("<snapshotSet>{item}</snapshotSet>"));
        }
        match (text.contains("Action=DescribeImages&"), text.contains("IncludeDisabled=true")) {
            (true, true) => answer(
                "DescribeImages",
                "<imagesSet><item><imageId>ami-1</imageId><imageState>disabled</imageState><blockDeviceMapping>\
                 <item><ebs><snapshotId>snap-1</snapshotId></ebs></item></blockDeviceMapping></item></imagesSet>",
            ),
            (true, false) => answer("DescribeImages", "<imagesSet/>"),
            _ => Answer(400, Vec::new()),
        }
    });
    let surveyed = estates(&service).survey(&shop()).await.unwrap();
    let live: Vec<&Live> = surveyed.items.iter().map(|item| &item.resource.live).collect();
    let [Live::DiskSnapshot(snapshot)] = live[..] else { panic!("{live:?}") };
    assert_eq!(snapshot.images, ["ami-1"]);
}

#[tokio::test]
async fn every_page_is_read_and_a_lost_one_makes_the_kind_unread() {
    let page = |name: &str, next: &str| {
        let tags = "<tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet>";
        let item = format!("<item><natGatewayId>{name}</natGatewayId>{tags}</item>");
        let inner = format!("<natGatewaySet>{item}</natGatewaySet>{next}");
        Answer(200, format!("<DescribeNatGatewaysResponse>{inner}</DescribeNatGatewaysResponse>").into_bytes())
    };
    for is_lost in [false, true] {
        let service = Service::new(move |_, body| {
            let text = String::from_utf8_lossy(body).into_owned();
            if text.contains("Action=DescribeRouteTables&") {
                return Answer(200, b"<DescribeRouteTablesResponse/>".to_vec());
            }
            if text.contains("Action=DescribeVpcEndpoints&") {
                return Answer(200, b"<DescribeVpcEndpointsResponse/>".to_vec());
            }
            match (text.contains("Action=DescribeNatGateways&"), text.contains("NextToken=more")) {
                (true, false) => page("nat-1", "<nextToken>more</nextToken>"),
                (true, true) if !is_lost => page("nat-2", ""),
                _ => Answer(400, Vec::new()),
            }
        });
        let surveyed = estates(&service).survey(&shop()).await.unwrap();
        let names: Vec<&str> = surveyed.items.iter().map(|item| item.resource.name.as_str()).collect();
        let is_unread = surveyed.unread.iter().any(|(kind, _)| *kind == ResourceKind::NatGateway);
        let expected: (&[&str], bool) = if is_lost { (&[], true) } else { (&["nat-1", "nat-2"], false) };
        assert_eq!((names.as_slice(), is_unread), expected);
    }
}

/// Of few volumes what is beside them is asked for by their names, of many for the whole Region: what belongs to others is left out.
#[tokio::test]
async fn beside_many_volumes_all_of_the_region_is_asked_for_at_once() {
    for (volumes, by_name) in [(1_000, true), (1_001, false)] {
        let asked: Arc<Mutex<Vec<bool>>> = Arc::default();
        let noted = Arc::clone(&asked);
        let service = Service::new(move |_, body| {
            let text = String::from_utf8_lossy(body).into_owned();
            let is = |action: &str| text.contains(&format!("Action={action}&"));
            let tags = "<tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet>";
            let finals = |of: &str| {
                format!(
                    "<item><snapshotId>snap-{of}</snapshotId><status>completed</status><tagSet>\
                     <item><key>maintainer:final-snapshot-of</key><value>{of}</value></item></tagSet></item>"
                )
            };
            let modified = |of: &str| {
                format!("<item><volumeId>{of}</volumeId><modificationState>modifying</modificationState></item>")
            };
            let (action, inner) = if is("DescribeVolumes") {
                let one = |n: u32| format!("<item><volumeId>vol-{n}</volumeId><size>1</size>{tags}</item>");
                ("DescribeVolumes", format!("<volumeSet>{}</volumeSet>", (0..volumes).map(one).collect::<String>()))
            } else if is("DescribeSnapshots") && text.contains("final-snapshot-of") {
                noted.lock().unwrap().push(text.contains("vol-7&"));
                ("DescribeSnapshots", format!("<snapshotSet>{}{}</snapshotSet>", finals("vol-7"), finals("other")))
            } else if is("DescribeVolumesModifications") {
                noted.lock().unwrap().push(text.contains("vol-7&"));
                let inner = format!("{}{}", modified("vol-7"), modified("other"));
                ("DescribeVolumesModifications", format!("<volumeModificationSet>{inner}</volumeModificationSet>"))
            } else {
                return Answer(400, Vec::new());
            };
            Answer(200, format!("<{action}Response>{inner}</{action}Response>").into_bytes())
        });
        let surveyed = estates(&service).survey(&shop()).await.unwrap();
        let beside = |item: &&Item| matches!(&item.resource.live, Live::Volume(of) if of.final_snapshot.is_some() && of.is_modifying);
        let found: Vec<&str> = surveyed.items.iter().filter(beside).map(|item| item.resource.name.as_str()).collect();
        assert_eq!(found, ["vol-7"], "of {volumes}");
        let asked = asked.lock().unwrap();
        assert_eq!(asked.iter().any(|named| *named), by_name, "{asked:?}");
        assert_eq!(asked.len(), if by_name { 10 } else { 2 }, "of {volumes}");
    }
}
