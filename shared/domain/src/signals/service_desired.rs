//! Tasks wanted, from Container Insights.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "service_desired",
    title: "tasks wanted",
    unit: "count",
    kind: ResourceKind::EcsService,
    namespace: "ECS/ContainerInsights",
    metric: "DesiredTaskCount",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::service,
    gap: Gap::Unknown,
    needs: Some("Container Insights"),
    judge: None,
};
