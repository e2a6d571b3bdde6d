//! What is bought of groups that bear the loss of members.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use domain::cost::terms::{FleetTerms, LaunchTemplate, Terms};
use domain::observed::{Missing, Observed};
use domain::resource::ResourceKind;
use engine::ports::{Estates as _, Surveyed};

const GROUPS: &str = "<AutoScalingGroups><member><AutoScalingGroupName>workers</AutoScalingGroupName>\
     <AutoScalingGroupARN>arn:aws:autoscaling:us-east-1:111122223333:autoScalingGroup:1:autoScalingGroupName/workers</AutoScalingGroupARN>\
     <MinSize>2</MinSize><MaxSize>9</MaxSize><DesiredCapacity>4</DesiredCapacity>\
     <AvailabilityZones><member>us-east-1a</member><member>us-east-1b</member></AvailabilityZones>\
     <LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>7</Version></LaunchTemplate>MIXED\
     <Instances>MEMBERS</Instances>\
     <Tags><member><Key>maintainer:app</Key><Value>shop</Value></member>TAG</Tags></member></AutoScalingGroups>";
const TAG: &str = "<member><Key>maintainer:fault-tolerant</Key><Value>true</Value></member>";
const MIXED: &str = "<MixedInstancesPolicy/>";

const INSTANCES: &str = "<reservationSet><item><instancesSet>\
     <item><instanceId>i-0</instanceId><platformDetails>Linux/UNIX</platformDetails><placement><tenancy>default</tenancy></placement></item>\
     <item><instanceId>i-1</instanceId><instanceLifecycle>spot</instanceLifecycle></item>\
     <item><instanceId>i-2</instanceId><platformDetails>Red Hat Enterprise Linux</platformDetails></item>\
     <item><instanceId>i-3</instanceId><placement><tenancy>dedicated</tenancy></placement></item>\
     </instancesSet></item></reservationSet>";

fn price(zone: &str, day: u32, usd: &str) -> String {
    format!(
        "<item><instanceType>m5.large</instanceType><productDescription>Linux/UNIX</productDescription>\
         <spotPrice>{usd}</spotPrice><timestamp>2026-01-{day:02}T00:00:00.000Z</timestamp><availabilityZone>{zone}</availabilityZone></item>"
    )
}

/// Groups with this tag and policy; `denied` is an operation. Spot prices come on two pages.
fn service(tag: &'static str, mixed: &'static str, denied: &'static str) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let xml = |action: &str, inner: &str| {
            Answer(200, format!("<{action}Response>{inner}</{action}Response>").into_bytes())
        };
        let query = |action: &str, inner: &str| xml(action, &format!("<{action}Result>{inner}</{action}Result>"));
        let is = |action: &str| text.contains(&format!("Action={action}&"));
        if !denied.is_empty() && is(denied) {
            let error = "<Code>UnauthorizedOperation</Code><Message>no</Message>";
            return Answer(403, format!("<Response><Errors><Error>{error}</Error></Errors></Response>").into_bytes());
        }
        if is("DescribeAutoScalingGroups") {
            let member = |number| {
                format!(
                    "<member><InstanceId>i-{number}</InstanceId><InstanceType>m5.large</InstanceType>\
                     <LifecycleState>InService</LifecycleState><HealthStatus>Healthy</HealthStatus></member>"
                )
            };
            let members: String = (0..4).map(member).collect();
            let groups = GROUPS.replace("MEMBERS", &members).replace("TAG", tag).replace("MIXED", mixed);
            return query("DescribeAutoScalingGroups", &groups);
        }
        for action in ["DescribeInstanceRefreshes", "DescribeScheduledActions"] {
            if is(action) {
                return query(action, "");
            }
        }
        if is("DescribeInstances") && text.contains("i-3") {
            return xml("DescribeInstances", INSTANCES);
        }
        if is("DescribeSpotPriceHistory") {
            let inner = if text.contains("NextToken=more") {
                format!("<spotPriceHistorySet>{}</spotPriceHistorySet>", price("us-east-1b", 1, "0.050"))
            } else {
                let first = [price("us-east-1a", 2, "0.030"), price("us-east-1a", 1, "0.090")].concat();
                format!("<spotPriceHistorySet>{first}</spotPriceHistorySet><nextToken>more</nextToken>")
            };
            return xml("DescribeSpotPriceHistory", &inner);
        }
        Answer(400, Vec::new())
    })
}

async fn survey(tag: &'static str, mixed: &'static str, denied: &'static str) -> (Option<FleetTerms>, Surveyed, usize) {
    let service = service(tag, mixed, denied);
    let surveyed = estates(&service).survey(&shop()).await.unwrap();
    assert_eq!(surveyed.items.len(), 1, "{:?}", surveyed.items);
    let terms = match surveyed.items[0].terms.clone() {
        Some(Terms::Fleet(terms)) => Some(terms),
        None => None,
        other => panic!("{other:?}"),
    };
    (terms, surveyed, service.requests())
}

#[tokio::test]
async fn a_group_comes_with_what_is_bought_of_it_and_the_spot_prices_of_every_page() {
    let (terms, _, asked) = survey(TAG, "", "").await;
    let terms = terms.unwrap();
    assert_eq!(terms.template, Some(LaunchTemplate { id: "lt-1".to_owned(), version: "7".to_owned() }));
    assert_eq!((terms.zones, terms.plain), (2, 1));
    // The newest price of each zone: 0.03 and 0.05.
    let prices = terms.spot_usd_micros.known().unwrap().clone();
    assert_eq!(
        prices.into_iter().map(|(kind, usd)| (kind, usd.round())).collect::<Vec<_>>(),
        [("m5.large".to_owned(), 40_000.0)]
    );
    let (mixed, ..) = survey(TAG, MIXED, "").await;
    assert_eq!(mixed.unwrap().template, None);
    let (none, _, fewer) = survey("", "", "").await;
    assert!(none.is_none() && fewer < asked, "nobody is asked about groups without the tag: {fewer} of {asked}");
}

#[tokio::test]
async fn fault_what_can_t_be_read_of_a_group_is_named_and_no_price_is_made_up() {
    let (terms, surveyed, _) = survey(TAG, "", "DescribeInstances").await;
    assert!(terms.is_none());
    let of_kind = surveyed.unread.iter().any(|(kind, why)| {
        *kind == ResourceKind::AutoScalingGroup
            && matches!(why, Missing::Denied(what) if what.contains("ec2:DescribeInstances"))
    });
    assert!(of_kind, "{:?}", surveyed.unread);
    let (terms, ..) = survey(TAG, "", "DescribeSpotPriceHistory").await;
    let prices = terms.unwrap().spot_usd_micros;
    assert!(
        matches!(&prices, Observed::Missing(Missing::Denied(what)) if what.contains("ec2:DescribeSpotPriceHistory")),
        "{prices:?}"
    );
}
