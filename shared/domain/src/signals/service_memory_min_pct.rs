//! Memory of the emptiest task of the service: the fresh one, against which the others are compared.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "service_memory_min_pct",
    title: "memory of the emptiest task",
    unit: "%",
    kind: ResourceKind::EcsService,
    namespace: "AWS/ECS",
    metric: "MemoryUtilization",
    stat: "Minimum",
    scale: 1.0,
    dimensions: dimensions::service,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
