//! Time from request to response at the API that 95 of 100 requests stay under.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "api_latency_p95_ms",
    title: "API latency p95",
    unit: "ms",
    kind: ResourceKind::Api,
    namespace: "AWS/ApiGateway",
    metric: "Latency",
    stat: "p95",
    scale: 1.0,
    dimensions: dimensions::api,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: the objective. Bad: five times the objective, the level of the page alarm (1 s for 200 ms).
fn judge(_: &Resource, objectives: &Objectives) -> Option<Judge> {
    levels::of_objective(objectives.latency_p95_ms)
}
