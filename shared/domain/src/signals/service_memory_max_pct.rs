//! Memory of the fullest task of the service: a leak goes on in it while another task is fresh.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "service_memory_max_pct",
    title: "memory of the fullest task",
    unit: "%",
    kind: ResourceKind::EcsService,
    namespace: "AWS/ECS",
    metric: "MemoryUtilization",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::service,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
