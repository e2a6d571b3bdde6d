//! Writes per minute that the table refused for lack of capacity. Published only when there were some.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "table_write_throttles",
    title: "write throttles",
    unit: "count",
    kind: ResourceKind::Table,
    namespace: "AWS/DynamoDB",
    metric: "WriteThrottleEvents",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::table,
    gap: Gap::ZeroWhere { witness: "table_write_units" },
    needs: None,
    judge: Some(judge),
};

/// Good: none. Bad: one a second; SDKs retry single ones and nobody feels them.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::saturation(0.0, 60.0)
}
