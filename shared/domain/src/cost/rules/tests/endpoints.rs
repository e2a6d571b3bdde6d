//! Interface endpoints that nothing goes through.

use super::{claims, tagged};
use crate::cost::estate::{Item, Template};
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{InterfaceEndpoint, Live};

const RULE: &str = "idle_interface_endpoint";

fn endpoint(change: impl Fn(&mut InterfaceEndpoint)) -> Item {
    let mut live = InterfaceEndpoint {
        vpc: "vpc-1".to_owned(),
        service: "com.amazonaws.eu-central-1.logs".to_owned(),
        subnets: 3,
        is_available: true,
        is_requester_managed: false,
        is_cross_region: false,
        has_private_dns: true,
    };
    change(&mut live);
    item("vpc-endpoint/vpce-1", Live::InterfaceEndpoint(live))
}

fn with(it: Item, bytes: impl Fn(i64) -> Option<f64>) -> (Vec<Item>, Vec<Usage>) {
    let usage = history(&it, Quantity::EndpointBytes, bytes);
    (vec![it], vec![usage])
}

fn is((items, usage): (Vec<Item>, Vec<Usage>)) -> bool {
    claims(RULE, items, usage)
}

#[test]
fn an_endpoint_is_idle_when_no_hour_has_a_byte() {
    let aged = |days: Option<i64>| Item { created_at: days.map(days_ago), ..endpoint(|_| ()) };
    assert!(is(with(aged(Some(365)), |_| None)) && is(with(aged(Some(365)), |_| Some(0.0))));
    assert!(is(with(aged(Some(14)), |_| None)) && !is(with(aged(Some(13)), |_| None)), "too young");
    assert!(!is(with(aged(Some(365)), |hour| (hour == 500).then_some(1.0))), "a byte once a month");
    assert!(
        !is(with(aged(None), |_| None)) && is(with(aged(None), |_| Some(0.0))),
        "its history must say how old it is"
    );
    let it = aged(Some(365));
    let not_read = unread(&it, Quantity::EndpointBytes);
    assert!(!is((vec![it.clone()], vec![not_read])) && !is((vec![it], Vec::new())), "not read is not unused");
}

#[test]
fn an_endpoint_without_metrics_or_of_somebody_else_or_that_costs_nothing_is_left_alone() {
    let of = |change: fn(&mut InterfaceEndpoint)| is(with(endpoint(change), |_| None));
    assert!(of(|_| ()) && of(|it| it.has_private_dns = false));
    assert!(!of(|it| it.is_cross_region = true));
    assert!(!of(|it| it.is_requester_managed = true));
    assert!(!of(|it| it.is_available = false));
    assert!(!of(|it| it.subnets = 0));
    assert!(!is(with(tagged(endpoint(|_| ()), "role", "standby"), |_| None)));
}

#[test]
fn an_idle_endpoint_saves_its_hours_in_each_zone_and_keeps_what_it_is_made_of() {
    let of = |it: Item| {
        let (items, usage) = with(it, |_| None);
        found(items, usage).remove(0)
    };
    let one = of(endpoint(|_| ()));
    // 0.012 USD x 730 h x 3 zones.
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(26_280_000))));
    let text = |one: &crate::cost::Opportunity| match &one.remedy {
        Remedy::Advice { what } => what.clone(),
        other => panic!("{other:?}"),
    };
    let order = ["public addresses", "describe-vpc-endpoints --vpc-endpoint-ids vpce-1", "delete-vpc-endpoints"];
    let places: Vec<usize> = order.iter().map(|part| text(&one).find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{one:?}");
    assert!(!text(&of(endpoint(|it| it.has_private_dns = false))).contains("public addresses"));
    let stack = Template::CloudFormation { stack: "net".to_owned(), logical_id: "Logs".to_owned() };
    let managed = of(Item { managed_by: Some(stack), ..endpoint(|_| ()) });
    assert!(text(&managed).contains("do it in the template"));
}
