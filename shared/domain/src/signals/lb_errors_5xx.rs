//! Responses 500 to 599 that the load balancer itself gave, per minute: no healthy target, time-out, broken answer.
//! Published only when there were some. Judged as a share of the requests, which the health score derives.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "lb_errors_5xx",
    title: "load balancer errors",
    unit: "count",
    kind: ResourceKind::LoadBalancer,
    namespace: "AWS/ApplicationELB",
    metric: "HTTPCode_ELB_5XX_Count",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::load_balancer,
    gap: Gap::ZeroWhere { witness: "lb_requests" },
    needs: None,
    judge: None,
};
