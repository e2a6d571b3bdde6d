//! NAT gateways that nothing goes through but keep-alives: paid by the hour all the same.
//!
//! Advice only: whether a route is kept for a failure of another zone, no metric says.

use super::View;
use super::whole::idle_days;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "idle_nat_gateway";

/// Bytes in an hour that are no use. A connection that is kept open costs two packets of 60 bytes and their answers a
/// minute at most, so some 15 kB an hour; this has room for seventy of them.
const KEEP_ALIVE_BYTES_H: f64 = 1_048_576.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::NatGateway).filter_map(|item| {
        let Live::NatGateway(gateway) = &item.resource.live else { return None };
        let Observed::Known(history) = view.usage(item, Quantity::NatBytes) else { return None };
        let days = idle_days(view, item, history)?;
        if history.max > KEEP_ALIVE_BYTES_H {
            return None;
        }
        let name = item.resource.name.clone();
        let (risk, confidence) = if gateway.has_routes { (Risk::Medium, 0.8) } else { (Risk::Low, 0.95) };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "{name} in {} has passed at most {:.1} KiB in any hour of the last {days} days",
                gateway.vpc,
                history.max / 1_024.0
            ),
            evidence: vec![Evidence::against(
                "nat_bytes_max",
                history.max,
                KEEP_ALIVE_BYTES_H,
                "the largest hour, in bytes",
            )],
            saving: view.prices.month(&Sold::NatGatewayHour, 1.0).map(Saving::exactly),
            risk,
            effort: Effort::Minutes,
            confidence,
            remedy: Remedy::Advice { what: commands(&name, gateway.has_routes) },
            way_back: "a new gateway with the same address, and the routes to it".to_owned(),
            name,
        })
    });
    found.collect()
}

fn commands(name: &str, has_routes: bool) -> String {
    let routes = format!(
        "aws ec2 describe-route-tables --filters Name=route.nat-gateway-id,Values={name} --query \
         'RouteTables[].[RouteTableId,VpcId]'"
    );
    let delete = format!("aws ec2 delete-nat-gateway --nat-gateway-id {name}");
    let after = "its Elastic IP address costs by itself from then on: release it, or keep it for the way back";
    if has_routes {
        format!(
            "Look which subnets lead to it, and that none of them waits for a failure:\n{routes}\nTake the routes away \
             (aws ec2 delete-route --route-table-id TABLE --destination-cidr-block 0.0.0.0/0), wait a day, then:\n\
             {delete}\n{after}"
        )
    } else {
        format!("No route leads to it:\n{delete}\n{after}")
    }
}
