//! NAT gateways, with whether a route leads to them and which gateway endpoints their VPC has.

use super::whose::{VALUES_PER_FILTER, Whose, filter};
use super::{Account, interface_endpoints, item, read};
use crate::errors::port_error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ConnectivityType, Filter, VpcEndpointType};
use domain::cost::estate::Item;
use domain::resource::{Live, NatGateway, Resource, ResourceKind};
use engine::ports::PortResult;
use std::collections::{BTreeMap, BTreeSet};

/// Largest pages.
const PAGE: i32 = 1_000;
const ROUTES_PAGE: i32 = 100;
const STATES: [&str; 2] = ["pending", "available"];

pub(super) async fn survey(client: &Client, whose: Whose<'_>, account: &Account) -> PortResult<Vec<Item>> {
    let gateways = whose.find(ResourceKind::NatGateway, "nat-gateway-id", |filters| list(client, filters)).await?;
    let names: Vec<String> = gateways.iter().filter_map(|gateway| gateway.nat_gateway_id.clone()).collect();
    let routed = routed(client, &names).await?;
    let endpoints = if names.is_empty() { BTreeMap::new() } else { gateway_endpoints(client).await? };
    let items = gateways.into_iter().map(|gateway| {
        let created_at = read::moment(gateway.create_time);
        let name = gateway.nat_gateway_id.unwrap_or_default();
        let vpc = gateway.vpc_id.unwrap_or_default();
        let gateway_endpoints = endpoints.get(&vpc).cloned().unwrap_or_default();
        let is_private = gateway.connectivity_type == Some(ConnectivityType::Private);
        let live = NatGateway { vpc, has_routes: routed.contains(&name), is_private, gateway_endpoints };
        let id = account.ec2("natgateway", &name);
        item(Resource { id, name, tags: read::tags(gateway.tags), live: Live::NatGateway(live) }, created_at)
    });
    Ok(whose.only(items.collect()))
}

async fn list(client: &Client, filters: Vec<Filter>) -> PortResult<Vec<aws_sdk_ec2::types::NatGateway>> {
    let states = filter("state", &STATES.map(str::to_owned));
    let request = client.describe_nat_gateways().set_filter(Some(filters)).filter(states).max_results(PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut gateways = Vec::new();
    while let Some(gateway) = pages.next().await {
        gateways.push(gateway.map_err(|error| port_error("ec2:DescribeNatGateways", "", &error))?);
    }
    Ok(gateways)
}

/// Those of these gateways to which a route table sends traffic.
async fn routed(client: &Client, names: &[String]) -> PortResult<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for some in names.chunks(VALUES_PER_FILTER) {
        let request = client.describe_route_tables().filters(filter("route.nat-gateway-id", some));
        let mut pages = request.max_results(ROUTES_PAGE).into_paginator().items().send();
        while let Some(table) = pages.next().await {
            let table = table.map_err(|error| port_error("ec2:DescribeRouteTables", "", &error))?;
            found.extend(table.routes.unwrap_or_default().into_iter().filter_map(|route| route.nat_gateway_id));
        }
    }
    Ok(found)
}

/// The services to which each VPC has a gateway endpoint, by the end of their names: `com.amazonaws.eu-central-1.s3`.
async fn gateway_endpoints(client: &Client) -> PortResult<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for endpoint in interface_endpoints::list(client, VpcEndpointType::Gateway, Vec::new()).await? {
        let is_there = endpoint.state.as_ref().is_some_and(interface_endpoints::is_available);
        if let (true, Some(vpc), Some(service)) = (is_there, endpoint.vpc_id, endpoint.service_name) {
            found.entry(vpc).or_default().extend(service.rsplit('.').next().map(str::to_owned));
        }
    }
    Ok(found)
}
