//! Response time of the targets that 99 of 100 requests stay under. Context for rules: judging it beside p95 would
//! count the same slowness twice.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "latency_p99_ms",
    title: "response time p99",
    unit: "ms",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "TargetResponseTime",
    stat: "p99",
    scale: 1_000.0,
    dimensions: dimensions::target_group,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
