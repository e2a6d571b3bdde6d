//! Tasks that run, from Container Insights. Compared with `service_desired` by rules.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "service_running",
    title: "tasks running",
    unit: "count",
    kind: ResourceKind::EcsService,
    namespace: "ECS/ContainerInsights",
    metric: "RunningTaskCount",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::service,
    gap: Gap::Unknown,
    needs: Some("Container Insights"),
    judge: None,
};
