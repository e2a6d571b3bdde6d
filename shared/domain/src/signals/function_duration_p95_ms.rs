//! Duration that 95 of 100 invocations stay under. A batch function may take minutes, and one behind an API is judged by
//! the API's latency: no level of its own.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "function_duration_p95_ms",
    title: "function duration p95",
    unit: "ms",
    kind: ResourceKind::Function,
    namespace: "AWS/Lambda",
    metric: "Duration",
    stat: "p95",
    scale: 1.0,
    dimensions: dimensions::function,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
