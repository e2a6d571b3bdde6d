//! CPU of the database.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "db_cpu_pct",
    title: "database CPU",
    unit: "%",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "CPUUtilization",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::database,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(levels::cpu),
};
