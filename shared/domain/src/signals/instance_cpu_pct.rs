//! CPU of each instance, to find the one that differs from its peers.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "instance_cpu_pct",
    title: "instance CPU",
    unit: "%",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "AWS/EC2",
    metric: "CPUUtilization",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::instances,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(levels::cpu),
};
