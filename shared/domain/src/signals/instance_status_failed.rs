//! EC2 status checks of each instance: 1 while the system or the instance check fails.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "instance_status_failed",
    title: "failed status check",
    unit: "count",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "AWS/EC2",
    metric: "StatusCheckFailed",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::instances,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: passing. Bad: failing; there is nothing in between.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::saturation(0.0, 1.0)
}
