//! Load balancers that serve nobody.

use super::{claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::terms::{BalancerTerms, Terms};
use crate::cost::usage::{Quantity, Usage};
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::Live;

const RULE: &str = "idle_load_balancer";

fn balancer(live: Live, targets: u32, healthy: u32) -> Item {
    let dns_name = "shop-1.elb".to_owned();
    let it = item("arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/shop/1", live);
    Item { terms: Some(Terms::LoadBalancer(BalancerTerms { dns_name, targets, healthy })), ..it }
}

fn application(targets: u32, healthy: u32) -> Item {
    balancer(Live::LoadBalancer { load_balancer: "app/shop/1".to_owned() }, targets, healthy)
}

/// Requests of one hour, and bytes of it; nothing in all the others.
fn used(it: &Item, requests: f64, bytes: f64) -> Vec<Usage> {
    let once = |value: f64| move |hour: i64| (hour == 300 && value > 0.0).then_some(value);
    vec![history(it, Quantity::Requests, once(requests)), history(it, Quantity::BalancerBytes, once(bytes))]
}

#[test]
fn a_load_balancer_is_idle_without_a_request_and_next_to_no_byte() {
    for (requests, bytes, is_found) in
        [(0.0, 0.0, true), (0.0, 1_048_576.0, true), (0.0, 1_048_577.0, false), (1.0, 100.0, false)]
    {
        let it = application(2, 2);
        let usage = used(&it, requests, bytes);
        assert_eq!(claims(RULE, vec![it], usage), is_found, "{requests} {bytes}");
    }
    // Flows that end nowhere are noise.
    for (targets, is_found) in [(0, true), (1, false)] {
        let it = balancer(Live::NetworkLoadBalancer, targets, 0);
        let usage = used(&it, 500.0, 20_000.0);
        assert_eq!(claims(RULE, vec![it], usage), is_found, "{targets} targets");
    }
}

#[test]
fn one_that_is_young_kept_or_was_not_read_is_none() {
    let idle = |it: Item| {
        let usage = used(&it, 0.0, 0.0);
        claims(RULE, vec![it], usage)
    };
    for (days, is_found) in [(14, true), (13, false)] {
        assert_eq!(idle(Item { created_at: Some(days_ago(days)), ..application(0, 0) }), is_found, "{days} days");
    }
    assert!(!idle(tagged(application(2, 2), "role", "standby")));
    assert!(!idle(Item { terms: None, ..application(0, 0) }), "what is behind it is not known");
    for quantity in [Quantity::Requests, Quantity::BalancerBytes] {
        let it = application(0, 0);
        let usage =
            used(&it, 0.0, 0.0).into_iter().filter(|one| one.quantity != quantity).chain([unread(&it, quantity)]);
        assert!(!claims(RULE, vec![it.clone()], usage.collect()), "{quantity:?} not read");
    }
}

#[test]
fn its_price_and_its_risk_follow_its_kind_and_its_targets() {
    let one = |it: Item| {
        let usage = used(&it, 0.0, 0.0);
        found(vec![it], usage).remove(0)
    };
    let (application, classic) = (one(application(2, 2)), one(balancer(Live::ClassicLoadBalancer, 1, 0)));
    // 0.027 and 0.030 USD x 730 h.
    assert_eq!(application.saving, Observed::Known(Saving::exactly(UsdMicros(19_710_000))));
    assert_eq!(classic.saving, Observed::Known(Saving::exactly(UsdMicros(21_900_000))));
    assert_eq!((application.risk, classic.risk), (Risk::Medium, Risk::Low), "healthy targets may wait for something");
    assert!(matches!(&application.remedy, Remedy::Advice { what } if what.contains("aws elbv2 delete-load-balancer")));
    assert!(matches!(&classic.remedy, Remedy::Advice { what } if what.contains("aws elb delete-load-balancer")));
    let made = one(tagged(balancer(Live::NetworkLoadBalancer, 0, 0), "kubernetes.io/service-name", "default/web"));
    assert!(matches!(&made.remedy, Remedy::Advice { what } if what.contains("Ingress or Service")), "{made:?}");
}
