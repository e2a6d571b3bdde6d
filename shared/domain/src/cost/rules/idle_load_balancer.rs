//! Load balancers that serve nobody: paid by the hour all the same.
//!
//! Idle is one that has answered no request (redirects and fixed answers count as answers), opened no flow and passed
//! next to no byte in the whole history. Advice only: who knows its name, no metric says.

use super::View;
use super::whole::idle_days;
use crate::cost::estate::Item;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{Balancer, Sold};
use crate::cost::terms::{BalancerTerms, Terms};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::ResourceKind;

/// Stable name.
pub(super) const NAME: &str = "idle_load_balancer";

/// Bytes in an hour that are no use. Whoever scans the Internet knocks at a public one: a refused request and its answer
/// are some 1.5 kB, so this has room for seven hundred of them. A long-lived connection that is used has more.
const NOISE_BYTES_H: f64 = 1_048_576.0;
/// Tags that a controller of Kubernetes sets on what it makes.
const KUBERNETES: [&str; 2] = ["elbv2.k8s.aws/", "kubernetes.io/"];

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    [ResourceKind::LoadBalancer, ResourceKind::NetworkLoadBalancer, ResourceKind::ClassicLoadBalancer]
        .into_iter()
        .flat_map(|kind| view.expendable(kind))
        .filter_map(|item| one(view, item))
        .collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let Some(Terms::LoadBalancer(terms)) = &item.terms else { return None };
    let sold = Balancer::of(item.resource.kind())?;
    let Observed::Known(requests) = view.usage(item, Quantity::Requests) else { return None };
    let Observed::Known(bytes) = view.usage(item, Quantity::BalancerBytes) else { return None };
    let days = idle_days(view, item, requests)?.min(idle_days(view, item, bytes)?);
    // A flow to a network load balancer without a target ends nowhere: it is noise, as far as its bytes say so, too.
    let noise = sold == Balancer::Network && terms.targets == 0;
    if (requests.max > 0.0 && !noise) || bytes.max > NOISE_BYTES_H {
        return None;
    }
    let name = item.resource.name.clone();
    let (risk, confidence) = match (terms.targets, terms.healthy) {
        (0, _) => (Risk::Low, 0.95),
        (_, 0) => (Risk::Low, 0.9),
        _ => (Risk::Medium, 0.8),
    };
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!("{name} has served nobody in the last {days} days; {}", targets(terms)),
        evidence: vec![
            Evidence::level("requests_max", requests.max, "requests or flows in the largest hour"),
            Evidence::against("balancer_bytes_max", bytes.max, NOISE_BYTES_H, "the largest hour, in bytes"),
            Evidence::level("healthy_targets", f64::from(terms.healthy), format!("of {}", terms.targets)),
        ],
        saving: view.prices.month(&Sold::LoadBalancerHour(sold), 1.0).map(Saving::exactly),
        risk,
        effort: Effort::Minutes,
        confidence,
        remedy: Remedy::Advice { what: advice(item, sold, terms) },
        way_back: "a new one of the same listeners; its name in DNS is another, so whoever knew the old one is told"
            .to_owned(),
        name,
    })
}

fn targets(terms: &BalancerTerms) -> String {
    match (terms.targets, terms.healthy) {
        (0, _) => "nothing is registered with it".to_owned(),
        (all, 0) => format!("none of its {all} targets is healthy"),
        (all, healthy) => format!("{healthy} of its {all} targets are healthy and wait"),
    }
}

fn advice(item: &Item, sold: Balancer, terms: &BalancerTerms) -> String {
    let (id, name) = (item.resource.id.as_str(), item.resource.name.as_str());
    let has_controller = |key: &String| KUBERNETES.iter().any(|prefix| key.starts_with(prefix));
    if item.resource.tags.keys().any(has_controller) {
        return format!(
            "A controller of Kubernetes has made {name} and would make it again: delete the Ingress or Service that it \
             belongs to, once nobody resolves {}.",
            terms.dns_name
        );
    }
    let (keep, delete) = match sold {
        Balancer::Classic => (
            format!("aws elb describe-load-balancers --load-balancer-names {name} > {name}.json"),
            format!("aws elb delete-load-balancer --load-balancer-name {name}"),
        ),
        _ => (
            format!("aws elbv2 describe-listeners --load-balancer-arn {id} > listeners.json"),
            format!("aws elbv2 delete-load-balancer --load-balancer-arn {id}"),
        ),
    };
    format!(
        "Look for names in DNS that lead to {}, and keep what it is made of:\n{keep}\nThen:\n{delete}\nThat is refused \
         while deletion protection is on: then its owner wanted it to stay. Its target groups cost nothing.",
        terms.dns_name
    )
}
