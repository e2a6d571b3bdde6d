//! Interface endpoints.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use domain::cost::estate::Item;
use domain::observed::Missing;
use domain::resource::{InterfaceEndpoint, Live, ResourceKind};
use engine::ports::{Estates as _, Scope, Surveyed};

const TAGGED: &str = "<tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet>";

fn endpoint(name: &str, inner: &str) -> String {
    format!("<item><vpcEndpointId>{name}</vpcEndpointId>{inner}</item>")
}

fn interface(name: &str, inner: &str) -> String {
    endpoint(name, &format!("<vpcEndpointType>Interface</vpcEndpointType>{inner}"))
}

/// Two pages; the other services answer nothing.
fn service(second: fn() -> Answer, first: fn() -> String) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        match (text.contains("Action=DescribeVpcEndpoints&"), text.contains("NextToken=more")) {
            (true, false) => page(&first(), "<nextToken>more</nextToken>"),
            (true, true) => second(),
            _ => Answer(400, Vec::new()),
        }
    })
}

fn page(items: &str, next: &str) -> Answer {
    let inner = format!("<vpcEndpointSet>{items}</vpcEndpointSet>{next}");
    Answer(200, format!("<DescribeVpcEndpointsResponse>{inner}</DescribeVpcEndpointsResponse>").into_bytes())
}

fn first() -> String {
    let full = interface(
        "vpce-1",
        &format!(
            "<vpcId>vpc-1</vpcId><serviceName>com.amazonaws.us-east-1.logs</serviceName><state>available</state>\
             <subnetIdSet><item>subnet-1</item><item>subnet-2</item></subnetIdSet><privateDnsEnabled>true</privateDnsEnabled>\
             <requesterManaged>false</requesterManaged><creationTimestamp>2026-01-02T03:04:05.678Z</creationTimestamp>\
             <serviceRegion>us-east-1</serviceRegion>{TAGGED}"
        ),
    );
    let gateway = endpoint("vpce-2", &format!("<vpcEndpointType>Gateway</vpcEndpointType>{TAGGED}"));
    full + &gateway + &interface("vpce-3", "<state>available</state>")
}

fn second() -> Answer {
    let far = interface(
        "vpce-4",
        &format!(
            "<state>pendingAcceptance</state><requesterManaged>true</requesterManaged>\
             <serviceRegion>eu-west-1</serviceRegion>{TAGGED}"
        ),
    );
    page(&far, "")
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn live(item: &Item) -> &InterfaceEndpoint {
    let Live::InterfaceEndpoint(live) = &item.resource.live else { panic!("{item:?}") };
    live
}

#[tokio::test]
async fn interface_endpoints_of_every_page_come_with_their_zones_and_those_of_other_types_do_not() {
    let surveyed = estates(&service(second, first)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["vpce-1", "vpce-4"]);
    let item = &surveyed.items[0];
    assert_eq!(item.resource.id.as_str(), "arn:aws:ec2:us-east-1:111122223333:vpc-endpoint/vpce-1");
    assert_eq!(item.created_at, Some("2026-01-02T03:04:05Z".parse().unwrap()));
    let expected = InterfaceEndpoint {
        vpc: "vpc-1".to_owned(),
        service: "com.amazonaws.us-east-1.logs".to_owned(),
        subnets: 2,
        is_available: true,
        is_requester_managed: false,
        is_cross_region: false,
        has_private_dns: true,
    };
    assert_eq!(live(item), &expected);
    let far = live(&surveyed.items[1]);
    assert!(far.is_cross_region && far.is_requester_managed && !far.is_available && far.subnets == 0, "{far:?}");
    let rest = estates(&service(second, first)).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&rest), ["vpce-3"]);
}

#[tokio::test]
async fn fault_a_page_that_is_lost_or_denied_makes_them_unread() {
    let denied = || {
        let error = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors>\
                     <RequestID>1</RequestID></Response>";
        Answer(403, error.as_bytes().to_vec())
    };
    let surveyed = estates(&service(denied, first)).survey(&shop()).await.unwrap();
    assert!(names(&surveyed).is_empty());
    let of_kind = surveyed.unread.iter().find(|(kind, _)| *kind == ResourceKind::InterfaceEndpoint);
    assert!(matches!(of_kind, Some((_, Missing::Denied(_)))), "{of_kind:?}");
}
