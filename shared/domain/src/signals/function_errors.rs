//! Invocations per minute that ended in an error. Judged as a share of the invocations, which the health score derives.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "function_errors",
    title: "function errors",
    unit: "count",
    kind: ResourceKind::Function,
    namespace: "AWS/Lambda",
    metric: "Errors",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::function,
    gap: Gap::ZeroWhere { witness: "function_invocations" },
    needs: None,
    judge: None,
};
