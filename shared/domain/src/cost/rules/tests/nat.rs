//! Traffic through NAT gateways that an endpoint would carry for nothing.

use super::claims;
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::opportunity::Remedy;
use crate::cost::usage::{Quantity, Usage};
use crate::resource::{InterfaceEndpoint, Live, NatGateway, Resource};
use std::collections::BTreeSet;

const RULE: &str = "nat_without_endpoint";
const GIB: f64 = 1_073_741_824.0;

fn gateway(name: &str, vpc: &str, has_routes: bool, endpoints: &[&str]) -> Item {
    let gateway_endpoints = endpoints.iter().map(|service| (*service).to_owned()).collect();
    let live = NatGateway { vpc: vpc.to_owned(), has_routes, is_private: false, gateway_endpoints };
    Item { created_at: Some(days_ago(300)), ..item(&format!("natgateway/{name}"), Live::NatGateway(live)) }
}

fn processed(it: &Item, gib_h: f64) -> Usage {
    history(it, Quantity::NatProcessed, move |_| Some(gib_h * GIB))
}

#[test]
fn who_has_no_gateway_endpoint_is_told_what_all_of_the_traffic_costs_and_no_amount_is_claimed() {
    let is = |gib_month: f64, endpoints: &[&str], has_routes| {
        let it = gateway("nat-1", "vpc-1", has_routes, endpoints);
        let usage = processed(&it, gib_month / 730.0);
        claims(RULE, vec![it], vec![usage])
    };
    // 10 US dollars at 0.052 a GB.
    assert!(is(192.4, &[], true) && !is(192.2, &[], true));
    assert!(is(500.0, &["s3"], true) && is(500.0, &["dynamodb"], true) && !is(500.0, &["s3", "dynamodb"], true));
    assert!(!is(500.0, &[], false), "nothing leads to it");
    let it = gateway("nat-1", "vpc-1", true, &["s3"]);
    let usage = processed(&it, 1.0);
    let one = found(vec![it.clone()], vec![usage]).into_iter().find(|one| one.rule.as_str() == RULE).unwrap();
    assert!(one.saving.is_missing() && one.summary.contains("730 GiB") && one.summary.contains("37.96"), "{one:?}");
    let Remedy::Advice { what } = &one.remedy else { panic!("{one:?}") };
    assert!(what.contains("com.amazonaws.$AWS_REGION.dynamodb") && !what.contains(".s3"), "{what}");
    assert!(!claims(RULE, vec![it.clone()], vec![unread(&it, Quantity::NatProcessed)]));
    let private = Item {
        resource: Resource {
            live: Live::NatGateway(NatGateway {
                vpc: "vpc-1".to_owned(),
                has_routes: true,
                is_private: true,
                gateway_endpoints: BTreeSet::new(),
            }),
            ..it.resource.clone()
        },
        ..it.clone()
    };
    let usage = processed(&private, 1.0);
    assert!(!claims(RULE, vec![private], vec![usage]), "it leads to other networks");
    // What goes to DynamoDB under its own name goes through an interface endpoint already.
    let inside = |vpc: &str, has_private_dns| {
        let live = InterfaceEndpoint {
            vpc: vpc.to_owned(),
            service: "com.amazonaws.eu-central-1.dynamodb".to_owned(),
            subnets: 2,
            is_available: true,
            is_requester_managed: false,
            is_cross_region: false,
            has_private_dns,
        };
        let usage = processed(&it, 1.0);
        claims(RULE, vec![it.clone(), item("vpc-endpoint/vpce-1", Live::InterfaceEndpoint(live))], vec![usage])
    };
    assert!(!inside("vpc-1", true) && inside("vpc-1", false) && inside("vpc-2", true));
    let young = Item { created_at: Some(days_ago(13)), ..it };
    let usage = processed(&young, 1.0);
    assert!(!claims(RULE, vec![young], vec![usage]));
}

#[test]
fn a_vpc_is_told_of_once() {
    let items = ["nat-1", "nat-2", "nat-3"]
        .map(|name| gateway(name, if name == "nat-3" { "vpc-2" } else { "vpc-1" }, true, &[]));
    let usage = items.iter().map(|it| processed(it, 1.0)).collect();
    let found = found(items.to_vec(), usage);
    let told: Vec<&str> =
        found.iter().filter(|one| one.rule.as_str() == RULE).map(|one| one.summary.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|text| text.starts_with("nat-1, nat-2 in vpc-1 processed 1460 GiB")), "{told:?}");
}
