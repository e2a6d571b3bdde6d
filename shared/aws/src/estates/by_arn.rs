//! What has its tags beside it: of everything of a kind, those that are meant, with the tags that the tagging API has.

use super::whose::Whose;
use crate::arn;
use crate::inventory::{Tags, tagged};
use aws_sdk_resourcegroupstagging::Client;
use domain::resource::ResourceKind;
use engine::ports::PortResult;
use std::collections::BTreeMap;

/// Tags by ARN: for an application of what carries its tags or is `listed`, for the rest of everything.
pub(super) async fn tags(
    client: &Client,
    whose: Whose<'_>,
    types: &[&str],
    listed: &[String],
) -> PortResult<BTreeMap<String, Tags>> {
    let Whose::App(selector) = whose else {
        return Ok(tagged::by_tags(client, &BTreeMap::new(), types).await?.into_iter().collect());
    };
    let mut found = BTreeMap::new();
    if !selector.tags.is_empty() {
        found.extend(tagged::by_tags(client, &selector.tags, types).await?);
    }
    let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
    if !listed.is_empty() {
        found.extend(tagged::by_arn(client, &listed).await?);
    }
    Ok(found)
}

/// Those of these ARNs that are listed.
pub(super) fn listed(whose: Whose<'_>, kind: ResourceKind, all: &[String]) -> Vec<String> {
    let names = whose.listed(kind);
    let is_listed = |arn: &&String| arn::named(arn).is_some_and(|named| names.contains(&named.name));
    all.iter().filter(is_listed).cloned().collect()
}
