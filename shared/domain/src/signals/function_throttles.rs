//! Invocations per minute that were refused for lack of concurrency.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "function_throttles",
    title: "function throttles",
    unit: "count",
    kind: ResourceKind::Function,
    namespace: "AWS/Lambda",
    metric: "Throttles",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::function,
    gap: Gap::ZeroWhere { witness: "function_invocations" },
    needs: None,
    judge: Some(judge),
};

/// Good: none. Bad: one a second; single ones are retried by the callers and not felt.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::symptom(0.0, 60.0)
}
