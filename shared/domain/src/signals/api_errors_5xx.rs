//! Responses 500 to 599 of the API, per minute. AWS names the metric differently for REST and for HTTP APIs, hence two
//! rows of which each resource fills one. Judged as a share of the requests, which the health score derives.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// REST APIs.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "api_errors_5xx",
    title: "API errors",
    unit: "count",
    kind: ResourceKind::Api,
    namespace: "AWS/ApiGateway",
    metric: "5XXError",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::rest_api,
    gap: Gap::ZeroWhere { witness: "api_requests" },
    needs: None,
    judge: None,
};

/// HTTP APIs.
pub(super) const SPEC_HTTP: SignalSpec = SignalSpec {
    id: "api_errors_5xx",
    title: "API errors",
    unit: "count",
    kind: ResourceKind::Api,
    namespace: "AWS/ApiGateway",
    metric: "5xx",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::http_api,
    gap: Gap::ZeroWhere { witness: "api_requests" },
    needs: None,
    judge: None,
};
