//! Client connections to the database.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Live, Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "db_connections",
    title: "database connections",
    unit: "count",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "DatabaseConnections",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::database,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: 60 % of what the database accepts. Bad: all of it, when the next client is refused. Without the maximum, no verdict.
fn judge(resource: &Resource, _: &Objectives) -> Option<Judge> {
    let Live::Database(database) = &resource.live else { return None };
    let max = database.connections_max.filter(|max| *max > 0.0)?;
    levels::saturation(0.6 * max, max)
}
