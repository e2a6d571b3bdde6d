//! Requests per minute that the load balancer sent to the targets. Published only when there were some, so a gap is
//! zero while the group still reports its hosts. How much traffic is right is nobody's to judge.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "requests",
    title: "requests",
    unit: "count",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "RequestCount",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::target_group,
    gap: Gap::ZeroWhere { witness: "hosts_healthy" },
    needs: None,
    judge: None,
};
