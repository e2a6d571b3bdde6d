//! Read capacity used per minute: the witness that the table is alive, and its load.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "table_read_units",
    title: "read units",
    unit: "count",
    kind: ResourceKind::Table,
    namespace: "AWS/DynamoDB",
    metric: "ConsumedReadCapacityUnits",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::table,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
