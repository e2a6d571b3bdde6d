//! Load balancers.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use domain::cost::estate::Item;
use domain::cost::terms::{BalancerTerms, Terms};
use domain::resource::{Live, ResourceKind};
use engine::ports::{Estates as _, Scope, Surveyed};

const V2: &str = "Version=2015-12-01";

fn xml(action: &str, inner: &str) -> Answer {
    let text = format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>");
    Answer(200, text.into_bytes())
}

fn arn(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/{name}")
}

fn v2(name: &str) -> String {
    format!(
        "<member><LoadBalancerArn>{}</LoadBalancerArn><DNSName>{name}.elb</DNSName>\
         <CreatedTime>2026-01-02T03:04:05Z</CreatedTime></member>",
        arn(name)
    )
}

/// Two pages of load balancers of all kinds, and two pages of target groups; `web` has a healthy and a sick target.
fn service(is_lost: fn(&str) -> bool) -> Service {
    Service::new(move |_, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let asked = |action: &str| text.contains(&format!("Action={action}&"));
        let second = text.contains("Marker=more");
        if is_lost(&text) {
            return Answer(400, Vec::new());
        }
        if asked("DescribeLoadBalancers") && text.contains(V2) {
            let (names, next) = match second {
                false => (["app/web/1", "net/bus/2", "gwy/wall/3"], "<NextMarker>more</NextMarker>"),
                true => (["app/old/4", "net/others/5", "app/others/6"], ""),
            };
            let list: String = names.iter().map(|name| v2(name)).collect();
            return xml("DescribeLoadBalancers", &format!("<LoadBalancers>{list}</LoadBalancers>{next}"));
        }
        if asked("DescribeLoadBalancers") {
            let list = "<member><LoadBalancerName>classic</LoadBalancerName><DNSName>classic.elb</DNSName>\
                        <Instances><member><InstanceId>i-1</InstanceId></member></Instances></member>";
            return xml(
                "DescribeLoadBalancers",
                &format!("<LoadBalancerDescriptions>{list}</LoadBalancerDescriptions>"),
            );
        }
        if asked("DescribeInstanceHealth") {
            let list = "<member><InstanceId>i-1</InstanceId><State>OutOfService</State></member>";
            return xml("DescribeInstanceHealth", &format!("<InstanceStates>{list}</InstanceStates>"));
        }
        if asked("DescribeTargetGroups") {
            let (name, of, next) = match second {
                false => ("a", "app/web/1", "<NextMarker>more</NextMarker>"),
                true => ("b", "app/web/1", ""),
            };
            let group = format!(
                "<member><TargetGroupArn>{name}</TargetGroupArn><LoadBalancerArns><member>{}</member></LoadBalancerArns>\
                 </member>",
                arn(of)
            );
            return xml("DescribeTargetGroups", &format!("<TargetGroups>{group}</TargetGroups>{next}"));
        }
        if asked("DescribeTargetHealth") {
            let of = |state: &str| format!("<member><TargetHealth><State>{state}</State></TargetHealth></member>");
            let states = match text.contains("TargetGroupArn=a") {
                true => of("healthy") + &of("draining"),
                false => of("unhealthy"),
            };
            let list = format!("<TargetHealthDescriptions>{states}</TargetHealthDescriptions>");
            return xml("DescribeTargetHealth", &list);
        }
        if text.contains("elasticloadbalancing:loadbalancer") {
            let tagged = ["app/web/1", "net/bus/2", "gwy/wall/3", "app/old/4", "classic"];
            let tags = r#"[{"Key": "maintainer:app", "Value": "shop"}, {"Key": "terraform", "Value": "true"}]"#;
            let list: Vec<String> =
                tagged.map(arn).iter().map(|arn| format!(r#"{{"ResourceARN": "{arn}", "Tags": {tags}}}"#)).collect();
            return Answer(200, format!(r#"{{"ResourceTagMappingList": [{}]}}"#, list.join(",")).into_bytes());
        }
        Answer(400, Vec::new())
    })
}

async fn survey(service: &Service, scope: Scope) -> Surveyed {
    estates(service).survey(&scope).await.unwrap()
}

fn terms(item: &Item) -> BalancerTerms {
    let Some(Terms::LoadBalancer(terms)) = &item.terms else { panic!("{item:?}") };
    terms.clone()
}

#[tokio::test]
async fn load_balancers_of_every_kind_and_page_come_with_the_health_of_their_targets() {
    let surveyed = survey(&service(|_| false), shop()).await;
    let names: Vec<&str> = surveyed.items.iter().map(|item| item.resource.name.as_str()).collect();
    assert_eq!(names, ["app/old/4", "app/web/1", "classic", "net/bus/2"]);
    let [old, web, classic, bus] = &surveyed.items[..] else { panic!("{names:?}") };
    assert_eq!(web.resource.live, Live::LoadBalancer { load_balancer: "app/web/1".to_owned() });
    assert_eq!((&bus.resource.live, &classic.resource.live), (&Live::NetworkLoadBalancer, &Live::ClassicLoadBalancer));
    assert_eq!(web.resource.id.as_str(), arn("app/web/1"));
    assert!(web.managed_by.is_some() && web.created_at == Some("2026-01-02T03:04:05Z".parse().unwrap()));
    let of = |dns_name: &str, targets, healthy| BalancerTerms { dns_name: dns_name.to_owned(), targets, healthy };
    assert_eq!(terms(web), of("app/web/1.elb", 2, 1), "what is being drained does not count");
    assert_eq!(terms(old), of("app/old/4.elb", 0, 0));
    assert_eq!(terms(classic), of("classic.elb", 1, 0));
}

#[tokio::test]
async fn what_no_application_is_named_on_is_the_rest() {
    let surveyed = survey(&service(|_| false), Scope::Rest).await;
    let names: Vec<&str> = surveyed.items.iter().map(|item| item.resource.name.as_str()).collect();
    assert_eq!(names, ["app/others/6", "net/others/5"]);
}

#[tokio::test]
async fn fault_a_lost_page_or_an_unknown_health_makes_the_kind_unread() {
    type Lost = fn(&str) -> bool;
    let both: &[ResourceKind] = &[ResourceKind::LoadBalancer, ResourceKind::NetworkLoadBalancer];
    let cases: [(Lost, &[ResourceKind]); 4] = [
        (|text| text.contains("DescribeLoadBalancers&") && text.contains("Marker=more"), both),
        (|text| text.contains("DescribeTargetGroups&") && text.contains("Marker=more"), both),
        (|text| text.contains("DescribeTargetHealth&"), &both[..1]),
        (|text| text.contains("DescribeInstanceHealth&"), &[ResourceKind::ClassicLoadBalancer]),
    ];
    for (is_lost, kinds) in cases {
        let surveyed = survey(&service(is_lost), shop()).await;
        let unread: Vec<ResourceKind> = surveyed.unread.iter().map(|(kind, _)| *kind).collect();
        for kind in kinds {
            assert!(unread.contains(kind), "{kind:?}: {unread:?}");
            assert!(surveyed.items.iter().all(|item| item.resource.kind() != *kind));
        }
    }
}
