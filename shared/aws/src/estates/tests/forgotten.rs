//! Secrets, images, buckets and alarms.

use super::{estates, shop};
use crate::scripted::{Answer, Service, failure};
use aws_smithy_cbor::Encoder;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::DateTime;
use domain::cost::estate::Item;
use domain::observed::Missing;
use domain::resource::{Alarm, Bucket, Image, ImageSnapshot, Live, ResourceKind, Secret, Upload, Watched};
use engine::ports::{Estates as _, Scope, Surveyed};
use jiff::Timestamp;

const DAY: &str = "2026-01-02T00:00:00Z";
/// The same in seconds.
const DAY_S: i64 = 1_767_312_000;

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn item<'a>(surveyed: &'a Surveyed, name: &str) -> &'a Item {
    surveyed.items.iter().find(|item| item.resource.name == name).unwrap()
}

fn day() -> Option<Timestamp> {
    Some(DAY.parse().unwrap())
}

fn why(surveyed: &Surveyed, kind: ResourceKind) -> Option<&Missing> {
    surveyed.unread.iter().find(|(of, _)| *of == kind).map(|(_, why)| why)
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

const SHOP: &str = r#""Tags": [{"Key": "maintainer:app", "Value": "shop"}]"#;

fn secrets(second: fn() -> Answer) -> Service {
    Service::watched(move |request: &HttpRequest, _, body| {
        if request.headers().get("x-amz-target") != Some("secretsmanager.ListSecrets") {
            return Answer(400, Vec::new());
        }
        if text(body).contains("more") {
            return second();
        }
        let secret = |name: &str, more: &str| {
            format!(
                r#"{{"ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:{name}-a1B2c3", "Name": "{name}", "CreatedDate": {DAY_S}{more}}}"#
            )
        };
        let full = secret("old", &format!(r#", "LastAccessedDate": {DAY_S}, "LastChangedDate": {DAY_S}, {SHOP}"#));
        let deleted = secret("going", &format!(r#", "DeletedDate": {DAY_S}, {SHOP}"#));
        let strange = secret("strange", "");
        Answer(200, format!(r#"{{"SecretList": [{full}, {deleted}, {strange}], "NextToken": "more"}}"#).into_bytes())
    })
}

fn more_secrets() -> Answer {
    let text = format!(
        r#"{{"SecretList": [{{"ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:db-a1B2c3", "Name": "db", "OwningService": "rds", "RotationEnabled": true, "PrimaryRegion": "eu-west-1", {SHOP}}}]}}"#
    );
    Answer(200, text.into_bytes())
}

#[tokio::test]
async fn secrets_of_every_page_come_without_their_values_and_those_that_go_do_not() {
    let surveyed = estates(&secrets(more_secrets)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["db", "old"]);
    let old = item(&surveyed, "old");
    assert_eq!(old.created_at, day());
    let expected = Secret {
        last_accessed: day(),
        last_changed: day(),
        is_owned_by_service: false,
        is_rotated: false,
        is_replica: false,
    };
    assert_eq!(old.resource.live, Live::Secret(expected));
    let Live::Secret(db) = &item(&surveyed, "db").resource.live else { panic!() };
    assert!(db.is_owned_by_service && db.is_rotated && db.is_replica && db.last_accessed.is_none(), "{db:?}");
    let rest = estates(&secrets(more_secrets)).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&rest), ["strange"]);
    let denied = || Answer(400, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec());
    let surveyed = estates(&secrets(denied)).survey(&shop()).await.unwrap();
    assert!(names(&surveyed).is_empty(), "half of them are none");
    assert!(matches!(why(&surveyed, ResourceKind::Secret), Some(Missing::Denied(_))), "{:?}", surveyed.unread);
}

fn xml(action: &str, inner: &str) -> Answer {
    Answer(200, format!("<{action}Response>{inner}</{action}Response>").into_bytes())
}

fn images(templates: fn(bool) -> Answer) -> Service {
    Service::new(move |_, body| {
        let text = text(body);
        let asked = |action: &str| text.contains(&format!("Action={action}&"));
        let is_second = text.contains("NextToken=more");
        let next = if is_second { "" } else { "<nextToken>more</nextToken>" };
        if asked("DescribeImages") {
            let name = if is_second { "ami-2" } else { "ami-1" };
            let image = format!(
                "<item><imageId>{name}</imageId><name>build</name><creationDate>2026-01-02T00:00:00.000Z</creationDate>\
                 <lastLaunchedTime>2026-01-02T00:00:00Z</lastLaunchedTime><imageState>disabled</imageState><isPublic>true</isPublic>\
                 <blockDeviceMapping><item><ebs><snapshotId>snap-1</snapshotId><volumeSize>8</volumeSize></ebs></item>\
                 <item><virtualName>ephemeral0</virtualName></item></blockDeviceMapping>\
                 <tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet></item>"
            );
            return xml("DescribeImages", &format!("<imagesSet>{image}</imagesSet>{next}"));
        }
        if asked("DescribeInstances") && text.contains("image-id") {
            let instance = "<item><instancesSet><item><instanceId>i-1</instanceId><imageId>ami-1</imageId></item></instancesSet></item>";
            return xml("DescribeInstances", &format!("<reservationSet>{instance}</reservationSet>"));
        }
        if asked("DescribeLaunchTemplateVersions") {
            return templates(is_second);
        }
        if asked("DescribeLaunchConfigurations") {
            let one =
                "<member><LaunchConfigurationName>lc-1</LaunchConfigurationName><ImageId>ami-1</ImageId></member>";
            let inner = format!(
                "<DescribeLaunchConfigurationsResult><LaunchConfigurations>{one}</LaunchConfigurations></DescribeLaunchConfigurationsResult>"
            );
            return xml("DescribeLaunchConfigurations", &inner);
        }
        Answer(400, Vec::new())
    })
}

fn templates(is_second: bool) -> Answer {
    let (template, next) = if is_second { ("lt-2", "") } else { ("lt-1", "<nextToken>more</nextToken>") };
    let one = format!(
        "<item><launchTemplateId>{template}</launchTemplateId><launchTemplateData><imageId>ami-2</imageId></launchTemplateData></item>"
    );
    xml("DescribeLaunchTemplateVersions", &format!("<launchTemplateVersionSet>{one}</launchTemplateVersionSet>{next}"))
}

#[tokio::test]
async fn images_come_with_their_snapshots_and_with_everything_that_names_them() {
    let surveyed = estates(&images(templates)).survey(&shop()).await.unwrap();
    let of = |name: &str| item(&surveyed, name);
    assert_eq!(of("ami-1").resource.id.as_str(), "arn:aws:ec2:us-east-1::image/ami-1");
    assert_eq!(of("ami-1").created_at, day());
    let expected = Image {
        title: "build".to_owned(),
        snapshots: vec![ImageSnapshot { id: "snap-1".to_owned(), size_gib: 8 }],
        last_launched: day(),
        used_by: vec!["i-1".to_owned(), "lc-1".to_owned()],
        is_public: true,
        is_disabled: true,
        has_policy: false,
    };
    assert_eq!(of("ami-1").resource.live, Live::Image(expected));
    let Live::Image(second) = &of("ami-2").resource.live else { panic!() };
    assert_eq!(second.used_by, ["lt-1", "lt-2"]);
}

#[tokio::test]
async fn fault_images_whose_users_can_t_be_read_are_unread() {
    let denied = |is_second: bool| {
        let error = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>";
        if is_second { Answer(403, error.as_bytes().to_vec()) } else { templates(false) }
    };
    let surveyed = estates(&images(denied)).survey(&shop()).await.unwrap();
    assert!(names(&surveyed).is_empty());
    assert!(matches!(why(&surveyed, ResourceKind::Image), Some(Missing::Denied(_))), "{:?}", surveyed.unread);
}

fn s3(code: &str) -> Answer {
    Answer(404, format!("<Error><Code>{code}</Code><Message>no</Message></Error>").into_bytes())
}

/// Three buckets: one with everything, one whose policy keeps others out, one of nobody.
fn buckets(parts: fn(bool) -> Answer) -> Service {
    Service::watched(move |request: &HttpRequest, _, body| {
        let uri = request.uri().to_owned();
        let has = |part: &str| uri.contains(part);
        if text(body).contains("ResourceTypeFilters") && text(body).contains("\"s3\"") {
            let of = |name: &str| format!(r#"{{"ResourceARN": "arn:aws:s3:::{name}", {SHOP}}}"#);
            return Answer(
                200,
                format!(r#"{{"ResourceTagMappingList": [{}, {}]}}"#, of("full"), of("closed")).into_bytes(),
            );
        }
        if !has("s3") {
            return Answer(400, Vec::new());
        }
        if has("closed.") {
            return Answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>".to_vec());
        }
        if has("full.") {
            return in_bucket(&uri, parts);
        }
        let of = |name: &str| {
            format!("<Bucket><Name>{name}</Name><CreationDate>2026-01-02T00:00:00.000Z</CreationDate></Bucket>")
        };
        let (list, next) = match has("continuation-token=more") {
            true => (of("closed") + &of("strange"), ""),
            false => (of("full"), "<ContinuationToken>more</ContinuationToken>"),
        };
        assert!(has("bucket-region=us-east-1"), "{uri}");
        let text = format!("<ListAllMyBucketsResult><Buckets>{list}</Buckets>{next}</ListAllMyBucketsResult>");
        Answer(200, text.into_bytes())
    })
}

fn in_bucket(uri: &str, parts: fn(bool) -> Answer) -> Answer {
    let has = |part: &str| uri.contains(part);
    let ok = |text: &str| Answer(200, text.as_bytes().to_vec());
    if has("lifecycle") {
        return ok(
            "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>tmp/</Prefix></Filter>\
             <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>\
             <Rule><ID>b</ID><Status>Disabled</Status><Filter><Prefix></Prefix></Filter><Expiration><Days>9</Days></Expiration></Rule>\
             </LifecycleConfiguration>",
        );
    }
    if has("metrics") {
        return match has("continuation-token=more") {
            true => ok(
                "<ListMetricsConfigurationsResult><MetricsConfiguration><Id>all</Id></MetricsConfiguration></ListMetricsConfigurationsResult>",
            ),
            false => ok(
                "<ListMetricsConfigurationsResult><MetricsConfiguration><Id>some</Id><Filter><Prefix>a/</Prefix></Filter></MetricsConfiguration>\
                 <NextContinuationToken>more</NextContinuationToken></ListMetricsConfigurationsResult>",
            ),
        };
    }
    if has("uploadId=") {
        return parts(has("part-number-marker=1"));
    }
    let upload = |key: &str, at: &str| {
        format!("<Upload><Key>{key}</Key><UploadId>{key}</UploadId><Initiated>{at}</Initiated></Upload>")
    };
    let uploads = upload("young", "2026-01-03T00:00:00.000Z") + &upload("old", "2026-01-02T00:00:00.000Z");
    ok(&format!("<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>"))
}

fn parts(is_second: bool) -> Answer {
    let (part, next) = match is_second {
        true => ("<Part><PartNumber>2</PartNumber><Size>5</Size></Part>", "<IsTruncated>false</IsTruncated>"),
        false => (
            "<Part><PartNumber>1</PartNumber><Size>100</Size></Part>",
            "<IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker>",
        ),
    };
    Answer(200, format!("<ListPartsResult>{part}{next}</ListPartsResult>").into_bytes())
}

#[tokio::test]
async fn buckets_come_with_their_abandoned_uploads_rules_and_metrics() {
    let surveyed = estates(&buckets(parts)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["closed", "full"], "{:?}", surveyed.unread);
    let Live::Bucket(full) = &item(&surveyed, "full").resource.live else { panic!() };
    let at = |day: u32| format!("2026-01-0{day}T00:00:00Z").parse().unwrap();
    let expected = Bucket {
        uploads: vec![Upload { initiated: at(2), bytes: Some(105) }, Upload { initiated: at(3), bytes: Some(105) }],
        ends_uploads: false,
        has_lifecycle: false,
        rules: 2,
        request_metrics: Some("all".to_owned()),
    };
    assert_eq!(*full, expected, "a rule of a part, and one that is off, are none of the whole");
    assert_eq!(item(&surveyed, "closed").resource.live, Live::Bucket(Bucket::default()), "nothing is claimed of it");
}

#[tokio::test]
async fn an_upload_that_ends_meanwhile_is_not_counted_and_a_lost_answer_makes_buckets_unread() {
    let surveyed = estates(&buckets(|_| s3("NoSuchUpload"))).survey(&shop()).await.unwrap();
    let Live::Bucket(full) = &item(&surveyed, "full").resource.live else { panic!() };
    assert!(full.uploads.iter().all(|upload| upload.bytes.is_none()), "{full:?}");
    let surveyed = estates(&buckets(|_| Answer(503, Vec::new()))).survey(&shop()).await.unwrap();
    assert!(names(&surveyed).is_empty());
    assert!(why(&surveyed, ResourceKind::Bucket).is_some(), "{:?}", surveyed.unread);
}

#[tokio::test]
async fn fault_buckets_that_all_keep_us_out_are_unread() {
    let denied = |_| Answer(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>".to_vec());
    let surveyed = estates(&buckets(denied)).survey(&shop()).await.unwrap();
    assert!(names(&surveyed).is_empty(), "{surveyed:?}");
    assert!(matches!(why(&surveyed, ResourceKind::Bucket), Some(Missing::Denied(_))), "{:?}", surveyed.unread);
}

/// An alarm with its state, and what it watches.
fn alarm(encoder: &mut Encoder, name: &str, state: &str, dimension: &str, of: &str) {
    encoder.map(6);
    encoder.str("AlarmName").str(name);
    encoder.str("AlarmArn").str(&format!("arn:aws:cloudwatch:us-east-1:111122223333:alarm:{name}"));
    encoder.str("StateValue").str(state).str("Period").integer(if name == "fast" { 10 } else { 300 });
    encoder.str("StateTransitionedTimestamp").timestamp(&DateTime::from_secs(DAY_S));
    encoder.str("Dimensions").array(1).map(2).str("Name").str(dimension).str("Value").str(of);
}

fn alarms(instances: fn() -> Answer) -> Service {
    Service::watched(move |request: &HttpRequest, _, body| {
        let body = text(body);
        if request.uri().contains("DescribeAlarms") {
            let mut encoder = Encoder::new(Vec::new());
            if body.contains("more") {
                encoder.map(1).str("MetricAlarms").array(2);
                alarm(&mut encoder, "strange", "INSUFFICIENT_DATA", "QueueName", "jobs");
                alarm(&mut encoder, "fast", "INSUFFICIENT_DATA", "InstanceId", "i-2");
            } else {
                encoder.map(2).str("MetricAlarms").array(2);
                alarm(&mut encoder, "dead", "INSUFFICIENT_DATA", "InstanceId", "i-1");
                alarm(&mut encoder, "calm", "OK", "InstanceId", "i-9");
                encoder.str("NextToken").str("more");
            }
            return Answer(200, encoder.into_writer());
        }
        if body.contains("cloudwatch:alarm") {
            let of = |name: &str| {
                format!(r#"{{"ResourceARN": "arn:aws:cloudwatch:us-east-1:111122223333:alarm:{name}", {SHOP}}}"#)
            };
            let all = ["dead", "calm", "fast", "strange"].map(of).join(",");
            return Answer(200, format!(r#"{{"ResourceTagMappingList": [{all}]}}"#).into_bytes());
        }
        match body.contains("Action=DescribeInstances&") && body.contains("i-1") {
            true => instances(),
            false => Answer(400, Vec::new()),
        }
    })
}

#[tokio::test]
async fn of_alarms_without_data_it_is_looked_up_whether_what_they_watch_is_there() {
    let there = || {
        let instance = "<item><instancesSet><item><instanceId>i-2</instanceId></item></instancesSet></item>";
        xml("DescribeInstances", &format!("<reservationSet>{instance}</reservationSet>"))
    };
    let surveyed = estates(&alarms(there)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["calm", "dead", "fast", "strange"], "{:?}", surveyed.unread);
    let of = |name: &str| match &item(&surveyed, name).resource.live {
        Live::Alarm(alarm) => alarm.clone(),
        other => panic!("{other:?}"),
    };
    let watched =
        |name: &str, exists| Some(Watched { dimension: "InstanceId".to_owned(), name: name.to_owned(), exists });
    let dead =
        Alarm { metrics: 1, is_high_resolution: false, without_data_since: day(), watched: watched("i-1", false) };
    assert_eq!(of("dead"), dead);
    assert_eq!((of("calm").without_data_since, of("calm").watched), (None, watched("i-9", true)), "not asked for");
    assert_eq!((of("fast").is_high_resolution, of("fast").watched), (true, watched("i-2", true)));
    assert_eq!(of("strange").watched, None, "nobody can tell");
    let surveyed = estates(&alarms(|| failure(400, "Throttling"))).survey(&shop()).await.unwrap();
    assert!(names(&surveyed).is_empty(), "what could not be looked up is not gone");
    assert!(why(&surveyed, ResourceKind::Alarm).is_some());
}
