//! Invocations at the same time. Its limit belongs to the account, not to the function, so the level is not judged;
//! throttles tell when it is reached.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "function_concurrency",
    title: "function concurrency",
    unit: "count",
    kind: ResourceKind::Function,
    namespace: "AWS/Lambda",
    metric: "ConcurrentExecutions",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::function,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
