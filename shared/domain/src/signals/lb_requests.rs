//! Requests per minute that the load balancer could send to a target.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "lb_requests",
    title: "load balancer requests",
    unit: "count",
    kind: ResourceKind::LoadBalancer,
    namespace: "AWS/ApplicationELB",
    metric: "RequestCount",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::load_balancer,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
