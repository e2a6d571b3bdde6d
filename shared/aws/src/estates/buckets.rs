//! S3 buckets of the Region. One whose own policy keeps others out has nothing to say: of it nothing is claimed. Where all do, it is
//! the permission that is not there, and buckets are unread.

use super::whose::Whose;
use super::{by_arn, item};
use crate::errors::port_error;
use aws_sdk_resourcegroupstagging::Client as Tagging;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule, MultipartUpload};
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Bucket, Live, Resource, ResourceKind, Upload};
use engine::ports::{PortError, PortResult};
use futures::stream::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

/// Largest page.
const PAGE: i32 = 1_000;
const TYPES: &[&str] = &["s3"];
/// Buckets that are looked at at once.
const AT_ONCE: usize = 8;
/// Uploads whose parts are added up, the oldest: each takes a call.
const ADDED_UP: usize = 100;

pub(super) async fn survey(
    client: &Client,
    tagging: &Tagging,
    whose: Whose<'_>,
    partition: &str,
    region: &str,
) -> PortResult<Vec<Item>> {
    let buckets = list(client, partition, region).await?;
    let arns: Vec<String> = buckets.iter().map(|bucket| bucket.id.as_str().to_owned()).collect();
    let listed = by_arn::listed(whose, ResourceKind::Bucket, &arns);
    let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
    let items = buckets.into_iter().map(|mut bucket| {
        bucket.tags = tags.get(bucket.id.as_str()).cloned().unwrap_or_default();
        item(bucket, None)
    });
    let meant = whose.only(items.collect());
    let looked_into: Vec<(Item, Option<PortError>)> =
        futures::stream::iter(meant).map(|item| looked_into(client, item)).buffered(AT_ONCE).try_collect().await?;
    match looked_into.first() {
        Some((_, Some(denied))) if looked_into.iter().all(|(_, denied)| denied.is_some()) => Err(denied.clone()),
        _ => Ok(looked_into.into_iter().map(|(item, _)| item).collect()),
    }
}

/// Every bucket of the Region, not yet looked into.
async fn list(client: &Client, partition: &str, region: &str) -> PortResult<Vec<Resource>> {
    let mut pages = client.list_buckets().bucket_region(region).max_buckets(PAGE).into_paginator().items().send();
    let mut buckets = Vec::new();
    while let Some(bucket) = pages.next().await {
        let bucket = bucket.map_err(|error| port_error("s3:ListAllMyBuckets", "", &error))?;
        let name = bucket.name.unwrap_or_default();
        let id = ResourceId::new(format!("arn:{partition}:s3:::{name}"));
        buckets.push(Resource { id, name, tags: Default::default(), live: Live::Bucket(Bucket::default()) });
    }
    Ok(buckets)
}

/// The bucket with what it holds, or as an empty one with why it could not be looked into.
async fn looked_into(client: &Client, mut item: Item) -> PortResult<(Item, Option<PortError>)> {
    let (bucket, denied) = match bucket(client, &item.resource.name).await {
        Ok(bucket) => (bucket, None),
        Err(PortError::Gone { .. }) => (Bucket::default(), None),
        Err(error @ PortError::Denied { .. }) => {
            tracing::info!("of the bucket {} nothing is claimed: {error}", item.resource.name);
            (Bucket::default(), Some(error))
        }
        Err(error) => return Err(error),
    };
    item.resource.live = Live::Bucket(bucket);
    Ok((item, denied))
}

async fn bucket(client: &Client, name: &str) -> PortResult<Bucket> {
    let rules = lifecycle(client, name).await?;
    let is_on = |rule: &&LifecycleRule| rule.status == ExpirationStatus::Enabled;
    let moves = |rule: &LifecycleRule| rule.expiration.is_some() || !rule.transitions().is_empty();
    Ok(Bucket {
        ends_uploads: rules
            .iter()
            .filter(is_on)
            .any(|rule| rule.abort_incomplete_multipart_upload.is_some() && is_of_all(rule)),
        has_lifecycle: rules.iter().filter(is_on).any(moves),
        rules: u32::try_from(rules.len()).unwrap_or(u32::MAX),
        request_metrics: request_metrics(client, name).await?,
        uploads: uploads(client, name).await?,
    })
}

/// True for a rule that leaves nothing of the bucket out.
fn is_of_all(rule: &LifecycleRule) -> bool {
    #[expect(deprecated, reason = "rules of old have their prefix here")]
    let prefixes = [rule.prefix(), rule.filter().and_then(|filter| filter.prefix())];
    let narrows = |filter: &aws_sdk_s3::types::LifecycleRuleFilter| {
        filter.and().is_some()
            || filter.tag().is_some()
            || filter.object_size_greater_than().is_some()
            || filter.object_size_less_than().is_some()
    };
    prefixes.into_iter().flatten().all(str::is_empty) && !rule.filter().is_some_and(narrows)
}

async fn lifecycle(client: &Client, name: &str) -> PortResult<Vec<LifecycleRule>> {
    match client.get_bucket_lifecycle_configuration().bucket(name).send().await {
        Ok(found) => Ok(found.rules.unwrap_or_default()),
        Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(Vec::new()),
        Err(error) => Err(port_error("s3:GetLifecycleConfiguration", name, &error)),
    }
}

/// The metrics of requests that leave nothing of the bucket out.
async fn request_metrics(client: &Client, name: &str) -> PortResult<Option<String>> {
    let mut from = None;
    loop {
        let request = client.list_bucket_metrics_configurations().bucket(name).set_continuation_token(from);
        let page = request.send().await.map_err(|error| port_error("s3:GetMetricsConfiguration", name, &error))?;
        let all = page.metrics_configuration_list().iter().find(|of| of.filter().is_none());
        if let Some(all) = all {
            return Ok(Some(all.id.clone()));
        }
        match page.next_continuation_token {
            Some(next) => from = Some(next),
            None => return Ok(None),
        }
    }
}

async fn uploads(client: &Client, name: &str) -> PortResult<Vec<Upload>> {
    let request = client.list_multipart_uploads().bucket(name).max_uploads(PAGE);
    let page = request.send().await.map_err(|error| port_error("s3:ListBucketMultipartUploads", name, &error))?;
    let mut begun: Vec<(Timestamp, MultipartUpload)> = page
        .uploads
        .unwrap_or_default()
        .into_iter()
        .filter_map(|upload| Some((Timestamp::from_second(upload.initiated?.secs()).ok()?, upload)))
        .collect();
    begun.sort_by_key(|(at, _)| *at);
    let mut uploads = Vec::with_capacity(begun.len());
    for (number, (initiated, upload)) in begun.into_iter().enumerate() {
        let bytes = if number < ADDED_UP { stored(client, name, &upload).await? } else { None };
        uploads.push(Upload { initiated, bytes });
    }
    Ok(uploads)
}

/// Bytes of the parts of an upload; none where it has ended meanwhile.
async fn stored(client: &Client, bucket: &str, upload: &MultipartUpload) -> PortResult<Option<u64>> {
    let request =
        client.list_parts().bucket(bucket).set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
    let mut pages = request.into_paginator().items().send();
    let mut bytes = 0_u64;
    while let Some(part) = pages.next().await {
        match part {
            Ok(part) => bytes = bytes.saturating_add(part.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)),
            Err(error) if error.code() == Some("NoSuchUpload") => return Ok(None),
            Err(error) => return Err(port_error("s3:ListMultipartUploadParts", bucket, &error)),
        }
    }
    Ok(Some(bytes))
}
