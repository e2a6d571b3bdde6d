//! Invocations per minute. Published only when there were some; nothing else proves that a silent function is alive,
//! so a gap stays unknown.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "function_invocations",
    title: "invocations",
    unit: "count",
    kind: ResourceKind::Function,
    namespace: "AWS/Lambda",
    metric: "Invocations",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::function,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
