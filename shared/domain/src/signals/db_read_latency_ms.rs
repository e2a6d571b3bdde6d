//! Time of one read from the database's disk.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "db_read_latency_ms",
    title: "disk read latency",
    unit: "ms",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "ReadLatency",
    stat: "Average",
    scale: 1_000.0,
    dimensions: dimensions::database,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: 20 ms, above which AWS calls for a look. Bad: 100 ms, the whole budget of a query spent on one access.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::saturation(20.0, 100.0)
}
