//! Mean response time of the targets. A canary moves the mean by its share, and a percentile hardly at all.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "latency_mean_ms",
    title: "mean response time",
    unit: "ms",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "TargetResponseTime",
    stat: "Average",
    scale: 1_000.0,
    dimensions: dimensions::target_group,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
