//! CPU of all tasks of the service, as a share of what the task definition reserves.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "service_cpu_pct",
    title: "service CPU",
    unit: "%",
    kind: ResourceKind::EcsService,
    namespace: "AWS/ECS",
    metric: "CPUUtilization",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::service,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(levels::cpu),
};
