//! Requests per minute to the API.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "api_requests",
    title: "API requests",
    unit: "count",
    kind: ResourceKind::Api,
    namespace: "AWS/ApiGateway",
    metric: "Count",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::api,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
