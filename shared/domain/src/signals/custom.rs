//! A metric of the application's own. Namespace, name and statistic are those of the resource's
//! [`CustomMetric`](crate::resource::CustomMetric); the owner names the levels, so they are taken for what users feel.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Live, Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "custom",
    title: "custom metric",
    unit: "value",
    kind: ResourceKind::Custom,
    namespace: "",
    metric: "",
    stat: "",
    scale: 1.0,
    dimensions: dimensions::custom,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good and bad: as the owner wrote them.
fn judge(resource: &Resource, _: &Objectives) -> Option<Judge> {
    let Live::Custom(metric) = &resource.live else { return None };
    levels::symptom(metric.good, metric.bad)
}
