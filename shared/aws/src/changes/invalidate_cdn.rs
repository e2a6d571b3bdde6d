//! Invalidates every path of a CloudFront distribution.

use super::throttled::{OnlyTheThrottled, patient};
use crate::actuator::short_name;
use crate::errors::port_error;
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use aws_sdk_cloudfront::{Client, config};
use domain::resource::{Live, Resource};
use engine::ports::{PortError, PortResult};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &["cloudfront:CreateInvalidation", "cloudfront:ListTagsForResource"];

const ACTION: &str = "cloudfront:CreateInvalidation";

/// The change's id is CloudFront's caller reference: the same invalidation sent twice is one.
pub(crate) async fn invalidate(client: &Client, distribution: &str, change_id: &str) -> PortResult<()> {
    let unbuilt = |error: aws_sdk_cloudfront::error::BuildError| PortError::Rejected {
        operation: format!("{ACTION} on {distribution}"),
        why: error.to_string(),
    };
    let paths = Paths::builder().quantity(1).items("/*").build().map_err(unbuilt)?;
    let batch = InvalidationBatch::builder().paths(paths).caller_reference(change_id).build().map_err(unbuilt)?;
    let repeats = patient(client.config().retry_config());
    client
        .create_invalidation()
        .distribution_id(distribution)
        .invalidation_batch(batch)
        .customize()
        .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| port_error(ACTION, distribution, &error))
}

/// The distribution as it is now: that it is there, and its tags.
pub(crate) async fn read(client: &Client, resource: &Resource) -> PortResult<Resource> {
    let action = "cloudfront:ListTagsForResource";
    let output = client.list_tags_for_resource().resource(resource.id.as_str()).send().await;
    let output = output.map_err(|error| port_error(action, &resource.name, &error))?;
    let tags = output.tags.and_then(|tags| tags.items).unwrap_or_default();
    Ok(Resource {
        id: resource.id.clone(),
        name: short_name(resource.id.as_str()),
        tags: tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect(),
        live: Live::Distribution,
    })
}
