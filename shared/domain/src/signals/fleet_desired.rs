//! Instances wanted.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "fleet_desired",
    title: "instances wanted",
    unit: "count",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "AWS/AutoScaling",
    metric: "GroupDesiredCapacity",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::fleet,
    gap: Gap::Unknown,
    needs: Some("metrics collection of the Auto Scaling group"),
    judge: None,
};
