//! Targets that pass their health check: the worst moment of the minute. How many there should be is the fleet's to
//! say, so the level is not judged by itself.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "hosts_healthy",
    title: "healthy hosts",
    unit: "count",
    kind: ResourceKind::TargetGroup,
    namespace: "AWS/ApplicationELB",
    metric: "HealthyHostCount",
    stat: "Minimum",
    scale: 1.0,
    dimensions: dimensions::target_group,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
