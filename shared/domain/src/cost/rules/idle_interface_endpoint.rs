//! Interface endpoints that nothing goes through: paid by the hour and zone all the same.
//!
//! An endpoint publishes nothing in an hour without traffic, so a history that was read and is empty is proof. Left alone:
//! those that a service of AWS looks after, and those to another Region, for which there are no metrics (AWS PrivateLink,
//! "CloudWatch metrics").

use super::View;
use super::whole::idle_days;
use crate::cost::estate::Item;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{InterfaceEndpoint, Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "idle_interface_endpoint";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::InterfaceEndpoint).filter_map(|item| of(view, item)).collect()
}

fn of(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let Live::InterfaceEndpoint(endpoint) = &item.resource.live else { return None };
    if !endpoint.is_available || endpoint.is_requester_managed || endpoint.is_cross_region || endpoint.subnets == 0 {
        return None;
    }
    let Observed::Known(history) = view.usage(item, Quantity::EndpointBytes) else { return None };
    let days = idle_days(view, item, history)?;
    if history.max > 0.0 {
        return None;
    }
    let name = item.resource.name.clone();
    let zones = f64::from(endpoint.subnets);
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} to {} in {} ({} zones) has passed nothing in the last {days} days",
            endpoint.service, endpoint.vpc, endpoint.subnets
        ),
        evidence: vec![
            Evidence::against("endpoint_bytes_max", history.max, 0.0, "the largest hour, in bytes"),
            Evidence::level("zones", zones, "paid for each"),
        ],
        saving: view.prices.month(&Sold::InterfaceEndpointHour, zones).map(Saving::exactly),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.9,
        remedy: Remedy::Advice { what: advice(&name, endpoint) },
        way_back:
            "a new endpoint of the same service, subnets, security groups and policy; its addresses are others, and \
                   the owner of a service that is not AWS's may have to accept it again"
                .to_owned(),
        name,
    })
}

fn advice(name: &str, endpoint: &InterfaceEndpoint) -> String {
    let names = if endpoint.has_private_dns {
        "From then on the service's own name leads to its public addresses again: whoever has no way to the Internet and \
         uses it less than once in that time would not reach it."
    } else {
        "Only clients that were told its own name can know it: look for it in their configurations."
    };
    format!(
        "{names}\nKeep what it is made of, its policy among it:\naws ec2 describe-vpc-endpoints --vpc-endpoint-ids {name} > \
         {name}.json\nThen:\naws ec2 delete-vpc-endpoints --vpc-endpoint-ids {name}"
    )
}
