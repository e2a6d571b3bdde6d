//! Machine images of the account's own, with what names them.

use super::whose::{VALUES_PER_FILTER, Whose, filter};
use super::{Account, item, read, snapshots};
use crate::errors::port_error;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Image as Described, ImageState};
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Image, ImageSnapshot, Live, Resource, ResourceKind};
use engine::ports::PortResult;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Largest page; of versions of launch templates 200.
const PAGE: i32 = 1_000;
const VERSIONS_PER_PAGE: i32 = 200;

pub(super) async fn survey(
    client: &Client,
    autoscaling: &aws_sdk_autoscaling::Client,
    whose: Whose<'_>,
    account: &Account,
) -> PortResult<Vec<Item>> {
    let images = whose.find(ResourceKind::Image, "image-id", |filters| list(client, filters)).await?;
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = images.iter().filter_map(|image| image.image_id.clone()).collect();
    let (running, templates, configurations) =
        futures::join!(instances(client, &names), templates(client), configurations(autoscaling));
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (image, user) in running?.into_iter().chain(templates?).chain(configurations?) {
        users.entry(image).or_default().push(user);
    }
    Ok(whose.only(images.into_iter().map(|image| found(image, &mut users, account)).collect()))
}

async fn list(client: &Client, filters: Vec<Filter>) -> PortResult<Vec<Described>> {
    // One that is disabled costs as before, and AWS leaves it out unless asked.
    let request = client.describe_images().owners("self").include_disabled(true).set_filters(Some(filters));
    let mut pages = request.max_results(PAGE).into_paginator().items().send();
    let mut images = Vec::new();
    while let Some(image) = pages.next().await {
        images.push(image.map_err(|error| port_error("ec2:DescribeImages", "", &error))?);
    }
    Ok(images)
}

/// Images by the instances that were launched from them and are not terminated.
async fn instances(client: &Client, images: &[String]) -> PortResult<Vec<(String, String)>> {
    let mut found = Vec::new();
    for some in images.chunks(VALUES_PER_FILTER) {
        let request = client.describe_instances().filters(filter("image-id", some)).max_results(PAGE);
        let mut pages = request.into_paginator().items().send();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(|error| port_error("ec2:DescribeInstances", "", &error))?;
            let instances = reservation.instances.unwrap_or_default().into_iter();
            found.extend(instances.filter_map(|instance| Some((instance.image_id?, instance.instance_id?))));
        }
    }
    Ok(found)
}

/// Images by the launch templates that name them in the version that is the default, or the latest.
async fn templates(client: &Client) -> PortResult<Vec<(String, String)>> {
    let request = client.describe_launch_template_versions().versions("$Default").versions("$Latest");
    let mut pages = request.max_results(VERSIONS_PER_PAGE).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(version) = pages.next().await {
        let version = version.map_err(|error| port_error("ec2:DescribeLaunchTemplateVersions", "", &error))?;
        let image = version.launch_template_data.and_then(|data| data.image_id);
        found.extend(image.zip(version.launch_template_id));
    }
    Ok(found)
}

async fn configurations(client: &aws_sdk_autoscaling::Client) -> PortResult<Vec<(String, String)>> {
    let mut pages = client.describe_launch_configurations().into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(configuration) = pages.next().await {
        let configuration =
            configuration.map_err(|error| port_error("autoscaling:DescribeLaunchConfigurations", "", &error))?;
        found.extend(configuration.image_id.zip(configuration.launch_configuration_name));
    }
    Ok(found)
}

fn found(image: Described, users: &mut BTreeMap<String, Vec<String>>, account: &Account) -> Item {
    let name = image.image_id.unwrap_or_default();
    let tags = read::tags(image.tags);
    let disks = image.block_device_mappings.unwrap_or_default().into_iter();
    let live = Image {
        title: image.name.unwrap_or_default(),
        snapshots: disks
            .filter_map(|disk| {
                let disk = disk.ebs?;
                Some(ImageSnapshot { id: disk.snapshot_id?, size_gib: read::number(disk.volume_size).unwrap_or(0) })
            })
            .collect(),
        last_launched: written(image.last_launched_time),
        used_by: users.remove(&name).unwrap_or_default(),
        is_public: image.public.unwrap_or(false),
        is_disabled: image.state == Some(ImageState::Disabled),
        has_policy: snapshots::has_policy(&tags),
    };
    // Images are of no account in their ARNs.
    let id = ResourceId::new(format!("arn:{}:ec2:{}::image/{name}", account.partition, account.region));
    item(Resource { id, name, tags, live: Live::Image(live) }, written(image.creation_date))
}

/// EC2 writes these moments as text.
fn written(at: Option<String>) -> Option<Timestamp> {
    at?.parse().ok()
}
