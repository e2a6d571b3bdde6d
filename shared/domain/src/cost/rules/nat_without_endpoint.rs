//! NAT gateways that process traffic of a VPC without a gateway endpoint to S3 or DynamoDB: with one, that part of it would cost nothing.
//!
//! How much of the traffic that is only flow logs tell, so no amount is claimed; what all of it costs is said, as the most. Advice only:
//! an endpoint changes routes of the VPC.

use super::View;
use super::whole::idle_days;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy};
use crate::cost::prices::{HOURS_PER_MONTH, Sold};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::{Missing, Observed};
use crate::resource::{FREE_SERVICES, Live, NatGateway, ResourceKind};
use std::collections::BTreeMap;

/// Stable name.
pub(super) const NAME: &str = "nat_without_endpoint";

const GIB: f64 = 1_073_741_824.0;
/// What all of the traffic must cost a month, in US dollars, before somebody is told to look: an endpoint is five minutes of work.
const USD_MONTH_MIN: f64 = 10.0;

/// Finds them: one for each VPC.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let mut by_vpc: BTreeMap<&str, Vec<Passed<'_>>> = BTreeMap::new();
    for item in view.of_kind(ResourceKind::NatGateway) {
        if let Some(passed) = Passed::of(view, item) {
            by_vpc.entry(&passed.gateway.vpc).or_default().push(passed);
        }
    }
    by_vpc.into_values().filter_map(|passed| advice(view, passed)).collect()
}

/// What went through one gateway.
struct Passed<'a> {
    item: &'a Item,
    gateway: &'a NatGateway,
    gib_month: f64,
    days: u32,
}

impl<'a> Passed<'a> {
    fn of(view: &View<'a>, item: &'a Item) -> Option<Self> {
        let Live::NatGateway(gateway) = &item.resource.live else { return None };
        if lacking(view, gateway).is_empty() {
            return None;
        }
        let history = *view.usage(item, Quantity::NatProcessed).known()?;
        let days = idle_days(view, item, history)?;
        let gib_month = history.sum / GIB * HOURS_PER_MONTH / (f64::from(days) * 24.0);
        Some(Self { item, gateway, gib_month, days })
    }
}

/// Services that traffic may go to through this gateway although a free way could be there: neither is there a gateway endpoint, nor an
/// interface endpoint under the service's own name.
fn lacking(view: &View<'_>, gateway: &NatGateway) -> Vec<&'static str> {
    if !gateway.lacks_endpoints() {
        return Vec::new();
    }
    let goes_inside = |service: &str| {
        view.estate.of_kind(ResourceKind::InterfaceEndpoint).any(|item| {
            let Live::InterfaceEndpoint(endpoint) = &item.resource.live else { return false };
            let leads_there = endpoint.service.rsplit('.').next() == Some(service);
            leads_there && endpoint.vpc == gateway.vpc && endpoint.is_available && endpoint.has_private_dns
        })
    };
    let is_free = |service: &&str| !gateway.gateway_endpoints.contains(*service) && !goes_inside(service);
    FREE_SERVICES.into_iter().filter(is_free).collect()
}

fn advice(view: &View<'_>, mut all: Vec<Passed<'_>>) -> Option<Opportunity> {
    all.sort_by(|a, b| a.item.resource.id.cmp(&b.item.resource.id));
    let gib_month: f64 = all.iter().map(|passed| passed.gib_month).sum();
    let Passed { item, gateway, days, .. } = all.first()?;
    let most = *view.prices.month(&Sold::NatGatewayGib, gib_month).known()?;
    if most < UsdMicros(1_000_000).times(USD_MONTH_MIN) {
        return None;
    }
    let lacking = lacking(view, gateway);
    let names: Vec<&str> = all.iter().map(|passed| passed.item.resource.name.as_str()).collect();
    let services = lacking.join(" and ");
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        name: item.resource.name.clone(),
        summary: format!(
            "{} in {} processed {gib_month:.0} GiB a month, for {most} US dollars at most, and there is no gateway endpoint to {services}: \
             what of it goes there would cost nothing",
            names.join(", "),
            gateway.vpc
        ),
        evidence: vec![
            Evidence::level("nat_gib_month", gib_month, "processed a month"),
            Evidence::level("history_days", f64::from(*days), "days that were added up"),
        ],
        saving: Observed::Missing(Missing::NotPublished(format!(
            "how much of it goes to {services}, which flow logs would tell,"
        ))),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.5,
        remedy: Remedy::Advice { what: commands(&gateway.vpc, &lacking) },
        way_back: "the endpoint is deleted, and its routes go with it (aws ec2 delete-vpc-endpoints)".to_owned(),
    })
}

fn commands(vpc: &str, lacking: &[&str]) -> String {
    let create = lacking.iter().map(|service| {
        format!(
            "aws ec2 create-vpc-endpoint --vpc-endpoint-type Gateway --vpc-id {vpc} --service-name \
             com.amazonaws.$AWS_REGION.{service} --route-table-ids TABLES"
        )
    });
    let create: Vec<String> = create.collect();
    format!(
        "Connections that are open to these services break once when the routes change, and clients connect again. Policies that \
         name the address of the NAT gateway (aws:SourceIp) have to name the VPC (aws:SourceVpc) from then on: look for them first.\n\
         The route tables that lead to the gateway:\naws ec2 describe-route-tables --filters Name=vpc-id,Values={vpc} --query \
         'RouteTables[?Routes[?NatGatewayId]].RouteTableId'\nThen:\n{}",
        create.join("\n")
    )
}
