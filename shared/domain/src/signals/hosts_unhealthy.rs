//! Targets that fail their health check: the worst moment of the minute. Bad is judged in hosts because a target group
//! does not know its size; two failing hosts are a third or more of the fleets this is made for. In a larger fleet the
//! share is what matters, and error rate and latency tell whether users feel it.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "hosts_unhealthy",
    title: "unhealthy hosts",
    unit: "count",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "UnHealthyHostCount",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::target_group,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: none. Bad: two hosts at once, which is no longer one sick machine.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::symptom(0.0, 2.0)
}
