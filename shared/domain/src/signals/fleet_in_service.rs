//! Instances in service. Compared with `fleet_desired` by rules; no level of its own is good or bad.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "fleet_in_service",
    title: "instances in service",
    unit: "count",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "AWS/AutoScaling",
    metric: "GroupInServiceInstances",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::fleet,
    gap: Gap::Unknown,
    needs: Some("metrics collection of the Auto Scaling group"),
    judge: None,
};
