//! Responses 400 to 499 that the targets gave, per minute. Mostly the callers' fault, so it is context: a jump after a
//! deployment speaks, the level does not.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "errors_4xx",
    title: "client errors",
    unit: "count",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "HTTPCode_Target_4XX_Count",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::target_group,
    gap: Gap::ZeroWhere { witness: "requests" },
    needs: None,
    judge: None,
};
