//! Fullest disk of each instance, from the CloudWatch agent.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "instance_disk_pct",
    title: "instance disk",
    unit: "%",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "CWAgent",
    metric: "disk_used_percent",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::instances,
    gap: Gap::Unknown,
    needs: Some("the CloudWatch agent"),
    judge: Some(levels::disk),
};
