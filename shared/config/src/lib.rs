//! The configuration file `maintainer.yaml`: its types, its parser, its checks.

use domain::ids::ResourceId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which resources belong to an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Selector {
    /// All of these tags, by value; `*` matches any value. Empty selects nothing by tag.
    pub tags: BTreeMap<String, String>,
    /// Resources listed by ARN, or as `kind/name` where they have none.
    pub resources: Vec<ResourceId>,
}
