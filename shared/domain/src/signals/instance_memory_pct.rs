//! Memory of each instance, from the CloudWatch agent. A leak shows as growth with the instance's age.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "instance_memory_pct",
    title: "instance memory",
    unit: "%",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "CWAgent",
    metric: "mem_used_percent",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::instances,
    gap: Gap::Unknown,
    needs: Some("the CloudWatch agent"),
    judge: Some(levels::memory),
};
