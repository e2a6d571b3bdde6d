//! Repositories of container images (ECR). Images are counted, not opened: to read a manifest is a pull, and would make
//! the image look used.

use super::read::moment;
use super::whose::Whose;
use super::{by_arn, item, services};
use crate::errors::port_error;
use crate::inventory::gathered;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::ProvideErrorMetadata as _;
use aws_sdk_ecr::types::{ImageDetail, ImageStatus, Repository};
use aws_sdk_ecs::Client as Ecs;
use aws_sdk_ecs::types::Container;
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{ImageRepository, Live, Resource, ResourceKind, UntaggedImages};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

const TYPES: &[&str] = &["ecr:repository"];
/// Largest pages of DescribeRepositories and DescribeImages.
const REPOSITORIES_PER_PAGE: i32 = 100;
const IMAGES_PER_PAGE: i32 = 1_000;
/// Tasks that one DescribeTasks call takes.
const TASKS_PER_CALL: usize = 100;
/// How the media types of an index of images end (OCI), and of Docker's manifest list.
const INDEXES: [&str; 2] = ["image.index.v1+json", "manifest.list.v2+json"];
const DAY_S: i64 = 86_400;

pub(super) async fn survey(client: &Client, ecs: &Ecs, tagging: &Tagging, whose: Whose<'_>) -> PortResult<Vec<Item>> {
    let repositories = list(client).await?;
    let arns: Vec<String> = repositories.iter().filter_map(|of| of.repository_arn.clone()).collect();
    let listed = by_arn::listed(whose, ResourceKind::ImageRepository, &arns);
    let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
    let items = repositories.into_iter().map(|repository| {
        let arn = repository.repository_arn.unwrap_or_default();
        let name = repository.repository_name.unwrap_or_default();
        let tags = tags.get(&arn).cloned().unwrap_or_default();
        let live = Live::ImageRepository(ImageRepository::default());
        item(Resource { id: ResourceId::new(arn), name, tags, live }, moment(repository.created_at))
    });
    let meant = whose.only(items.collect());
    let calls = meant.iter().map(|item| looked_into(client, &item.resource.name)).collect();
    let looked = gathered(calls).await.into_iter().collect::<PortResult<Vec<_>>>()?;
    // Tasks are read only where it matters what they run.
    let is_asked = looked.iter().flatten().any(|(of, _)| !of.untagged.is_empty());
    let running = if is_asked { running(ecs).await? } else { Running::default() };
    let found = meant.into_iter().zip(looked).filter_map(|(mut item, looked)| {
        let (mut live, digests) = looked?;
        live.runs_untagged = running.digests.intersection(&digests).next().is_some()
            || (!digests.is_empty() && running.unsaid.contains(&item.resource.name));
        item.resource.live = Live::ImageRepository(live);
        Some(item)
    });
    Ok(found.collect())
}

async fn list(client: &Client) -> PortResult<Vec<Repository>> {
    let mut pages = client.describe_repositories().max_results(REPOSITORIES_PER_PAGE).into_paginator().items().send();
    let mut repositories = Vec::new();
    while let Some(repository) = pages.next().await {
        repositories.push(repository.map_err(|error| port_error("ecr:DescribeRepositories", "", &error))?);
    }
    Ok(repositories)
}

/// What a repository has, with the digests of its images without a tag; none of one that is gone.
async fn looked_into(client: &Client, name: &str) -> PortResult<Option<(ImageRepository, BTreeSet<String>)>> {
    match repository(client, name).await {
        Ok(found) => Ok(Some(found)),
        Err(PortError::Gone { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn repository(client: &Client, name: &str) -> PortResult<(ImageRepository, BTreeSet<String>)> {
    let has_lifecycle = has_lifecycle(client, name).await?;
    // Nothing is claimed of one that is lent or cared for, so its images need no look.
    let is_lent = !has_lifecycle && is_lent(client, name).await?;
    let images = if has_lifecycle || is_lent { Vec::new() } else { images(client, name).await? };
    let untagged: Vec<&ImageDetail> = images.iter().filter(|image| is_untagged(image)).collect();
    let live = ImageRepository {
        images: u32::try_from(images.len()).unwrap_or(u32::MAX),
        untagged: by_day(&untagged),
        has_lifecycle,
        is_lent,
        has_indexes: images.iter().any(is_index),
        runs_untagged: false,
    };
    Ok((live, untagged.iter().filter_map(|image| image.image_digest.clone()).collect()))
}

async fn has_lifecycle(client: &Client, name: &str) -> PortResult<bool> {
    match client.get_lifecycle_policy().repository_name(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("LifecyclePolicyNotFoundException") => Ok(false),
        Err(error) => Err(port_error("ecr:GetLifecyclePolicy", name, &error)),
    }
}

/// A policy of its own is what Lambda needs to run an image of it, and other accounts to pull one.
async fn is_lent(client: &Client, name: &str) -> PortResult<bool> {
    match client.get_repository_policy().repository_name(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("RepositoryPolicyNotFoundException") => Ok(false),
        Err(error) => Err(port_error("ecr:GetRepositoryPolicy", name, &error)),
    }
}

async fn images(client: &Client, name: &str) -> PortResult<Vec<ImageDetail>> {
    let request = client.describe_images().repository_name(name).max_results(IMAGES_PER_PAGE);
    let mut pages = request.into_paginator().items().send();
    let mut images = Vec::new();
    while let Some(image) = pages.next().await {
        images.push(image.map_err(|error| port_error("ecr:DescribeImages", name, &error))?);
    }
    Ok(images)
}

/// An image that no tag names, in the storage that a lifecycle policy looks at. What belongs to another image (a signature, a
/// bill of materials) goes with that.
fn is_untagged(image: &ImageDetail) -> bool {
    let is_active = image.image_status.as_ref().is_none_or(|status| *status == ImageStatus::Active);
    image.image_tags().is_empty() && image.subject_manifest_digest.is_none() && is_active && !is_index(image)
}

fn is_index(image: &ImageDetail) -> bool {
    image.image_manifest_media_type().is_some_and(|kind| INDEXES.iter().any(|end| kind.ends_with(end)))
}

/// These images, by the days on which they were pushed and last used. Of one whose day of push is not told nothing is known.
fn by_day(images: &[&ImageDetail]) -> Vec<UntaggedImages> {
    let mut days: BTreeMap<(i64, i64), UntaggedImages> = BTreeMap::new();
    for image in images {
        let Some(pushed) = moment(image.image_pushed_at) else { continue };
        let used = [moment(image.last_recorded_pull_time), moment(image.last_activated_at), Some(pushed)];
        let used = used.into_iter().flatten().max().unwrap_or(pushed);
        let day = |at: Timestamp| at.as_second().div_euclid(DAY_S);
        let of_day = days.entry((day(pushed), day(used)));
        let of_day = of_day.or_insert(UntaggedImages { pushed, used, images: 0, bytes: 0 });
        (of_day.pushed, of_day.used) = (of_day.pushed.max(pushed), of_day.used.max(used));
        of_day.images = of_day.images.saturating_add(1);
        let bytes = image.image_size_in_bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        of_day.bytes = of_day.bytes.saturating_add(bytes);
    }
    days.into_values().collect()
}

/// What tasks of ECS run, in the whole account and Region.
#[derive(Default)]
struct Running {
    /// Digests of their images.
    digests: BTreeSet<String>,
    /// Repositories of which a container does not say which image it runs.
    unsaid: BTreeSet<String>,
}

async fn running(client: &Ecs) -> PortResult<Running> {
    let clusters = services::clusters(client).await?;
    let calls = clusters.iter().map(|cluster| containers(client, cluster)).collect();
    let mut running = Running::default();
    for container in gathered(calls).await.into_iter().collect::<PortResult<Vec<_>>>()?.into_iter().flatten() {
        match (container.image_digest, container.image) {
            (Some(digest), _) => drop(running.digests.insert(digest)),
            (None, Some(image)) => drop(running.unsaid.insert(repository_of(&image).to_owned())),
            (None, None) => {}
        }
    }
    Ok(running)
}

/// The containers of all tasks of a cluster; none of one that is gone.
async fn containers(client: &Ecs, cluster: &str) -> PortResult<Vec<Container>> {
    let mut pages = client.list_tasks().cluster(cluster).into_paginator().items().send();
    let mut arns = Vec::new();
    while let Some(arn) = pages.next().await {
        match arn.map_err(|error| port_error("ecs:ListTasks", cluster, &error)) {
            Ok(arn) => arns.push(arn),
            Err(PortError::Gone { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    let mut containers = Vec::new();
    for some in arns.chunks(TASKS_PER_CALL) {
        let output = client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec())).send().await;
        match output.map_err(|error| port_error("ecs:DescribeTasks", cluster, &error)) {
            Ok(output) => {
                let tasks = output.tasks.unwrap_or_default().into_iter();
                containers.extend(tasks.flat_map(|task| task.containers.unwrap_or_default()));
            }
            Err(PortError::Gone { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(containers)
}

/// The repository of `host/shop/web:tag` and of `host/shop/web@sha256:…`: `shop/web`.
fn repository_of(image: &str) -> &str {
    let path = image.split_once('/').map_or(image, |(_, path)| path);
    path.split([':', '@']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::repository_of;

    #[test]
    fn a_repository_is_read_from_the_image_of_a_container() {
        let host = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
        for image in ["shop/web:7", "shop/web@sha256:ab", "shop/web"] {
            assert_eq!(repository_of(&format!("{host}/{image}")), "shop/web");
        }
        assert_eq!(repository_of("nginx:1"), "nginx");
    }
}
