//! Response time of the targets that 95 of 100 requests stay under. Published only while requests flow.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "latency_p95_ms",
    title: "response time p95",
    unit: "ms",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "TargetResponseTime",
    stat: "p95",
    scale: 1_000.0,
    dimensions: dimensions::target_group,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: the objective. Bad: five times the objective, the level of the page alarm (1 s for 200 ms).
fn judge(_: &Resource, objectives: &Objectives) -> Option<Judge> {
    levels::of_objective(objectives.latency_p95_ms)
}
