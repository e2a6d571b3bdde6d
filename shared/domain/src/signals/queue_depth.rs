//! Messages that wait for a consumer.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "queue_depth",
    title: "queue depth",
    unit: "count",
    kind: ResourceKind::Queue,
    namespace: "AWS/SQS",
    metric: "ApproximateNumberOfMessagesVisible",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::queue,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: the objective. Bad: five times the objective.
fn judge(_: &Resource, objectives: &Objectives) -> Option<Judge> {
    levels::of_objective(objectives.queue_depth_max)
}
