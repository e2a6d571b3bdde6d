//! Responses 500 to 599 that the targets gave, per minute. Published only when there were some, so a gap is zero where
//! requests are known. Judged as a share of the requests, which the health score derives.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "errors_5xx",
    title: "server errors",
    unit: "count",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "HTTPCode_Target_5XX_Count",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::target_group,
    gap: Gap::ZeroWhere { witness: "requests" },
    needs: None,
    judge: None,
};
