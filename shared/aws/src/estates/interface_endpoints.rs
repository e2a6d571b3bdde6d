//! VPC endpoints of type Interface. Those of type Gateway cost nothing; the others are priced otherwise.

use super::whose::{Whose, filter};
use super::{Account, item, read};
use crate::errors::port_error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, State, VpcEndpoint, VpcEndpointType};
use domain::cost::estate::Item;
use domain::resource::{InterfaceEndpoint, Live, Resource, ResourceKind};
use engine::ports::PortResult;

/// Largest page.
const PAGE: i32 = 1_000;
const ACTION: &str = "ec2:DescribeVpcEndpoints";

pub(super) async fn survey(client: &Client, whose: Whose<'_>, account: &Account) -> PortResult<Vec<Item>> {
    let interfaces = |filters| list(client, VpcEndpointType::Interface, filters);
    let endpoints = whose.find(ResourceKind::InterfaceEndpoint, "vpc-endpoint-id", interfaces).await?;
    Ok(whose.only(endpoints.into_iter().map(|endpoint| found(endpoint, account)).collect()))
}

/// Endpoints of this type.
pub(super) async fn list(client: &Client, kind: VpcEndpointType, filters: Vec<Filter>) -> PortResult<Vec<VpcEndpoint>> {
    let of_kind = filter("vpc-endpoint-type", &[kind.as_str().to_owned()]);
    let request = client.describe_vpc_endpoints().set_filters(Some(filters)).filters(of_kind).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut endpoints = Vec::new();
    while let Some(endpoint) = pages.next().await {
        endpoints.push(endpoint.map_err(|error| port_error(ACTION, "", &error))?);
    }
    // The filter of the type is not known to every implementation.
    endpoints.retain(|of: &VpcEndpoint| of.vpc_endpoint_type.as_ref() == Some(&kind));
    Ok(endpoints)
}

fn found(endpoint: VpcEndpoint, account: &Account) -> Item {
    let live = InterfaceEndpoint {
        subnets: u32::try_from(endpoint.subnet_ids().len()).unwrap_or(u32::MAX),
        is_available: endpoint.state.as_ref().is_some_and(is_available),
        is_requester_managed: endpoint.requester_managed.unwrap_or(false),
        is_cross_region: endpoint.service_region.as_ref().is_some_and(|region| *region != account.region),
        has_private_dns: endpoint.private_dns_enabled.unwrap_or(false),
        vpc: endpoint.vpc_id.unwrap_or_default(),
        service: endpoint.service_name.unwrap_or_default(),
    };
    let created_at = read::moment(endpoint.creation_timestamp);
    let name = endpoint.vpc_endpoint_id.unwrap_or_default();
    let id = account.ec2("vpc-endpoint", &name);
    item(Resource { id, name, tags: read::tags(endpoint.tags), live: Live::InterfaceEndpoint(live) }, created_at)
}

/// EC2 answers `available`; its service model says `Available`.
pub(super) fn is_available(state: &State) -> bool {
    state.as_str().eq_ignore_ascii_case(State::Available.as_str())
}
