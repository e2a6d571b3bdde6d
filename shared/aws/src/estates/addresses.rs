//! Elastic IP addresses.

use super::whose::{Whose, filter};
use super::{Account, item, read};
use crate::errors::port_error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Filter;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Address, Live, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};

const ACTION: &str = "ec2:DescribeAddresses";

pub(super) async fn survey(client: &Client, whose: Whose<'_>, account: &Account) -> PortResult<Vec<Item>> {
    let addresses = whose.find(ResourceKind::Address, "allocation-id", |filters| list(client, filters)).await?;
    let items = addresses.into_iter().map(|address| {
        let id = account.ec2("elastic-ip", address.allocation_id().unwrap_or_default());
        // EC2 does not say since when an address is there.
        item(resource(address, id), None)
    });
    Ok(whose.only(items.collect()))
}

/// One address as it is now.
pub(crate) async fn read(client: &Client, id: &ResourceId, name: &str) -> PortResult<Resource> {
    let addresses = list(client, vec![filter("allocation-id", &[name.to_owned()])]).await?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: name.to_owned() };
    let address = addresses.into_iter().find(|address| address.allocation_id() == Some(name)).ok_or_else(gone)?;
    Ok(resource(address, id.clone()))
}

/// All at once: EC2 has no pages of addresses.
async fn list(client: &Client, filters: Vec<Filter>) -> PortResult<Vec<aws_sdk_ec2::types::Address>> {
    let output = client.describe_addresses().set_filters(Some(filters)).send().await;
    let output = output.map_err(|error| port_error(ACTION, "", &error))?;
    Ok(output.addresses.unwrap_or_default())
}

fn resource(address: aws_sdk_ec2::types::Address, id: ResourceId) -> Resource {
    let tags = read::tags(address.tags);
    let used = [address.instance_id, address.network_interface_id, address.association_id];
    let live = Address {
        public_ip: address.public_ip.unwrap_or_default(),
        associated_with: used.into_iter().flatten().find(|by| !by.is_empty()),
        delete_after: read::delete_after(&tags),
    };
    Resource { id, name: address.allocation_id.unwrap_or_default(), tags, live: Live::Address(live) }
}
