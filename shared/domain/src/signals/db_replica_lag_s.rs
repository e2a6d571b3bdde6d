//! How far a read replica is behind. Aurora publishes it in milliseconds under another name, hence two rows of which each
//! resource fills one.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// RDS.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "db_replica_lag_s",
    title: "replica lag",
    unit: "s",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "ReplicaLag",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::database_not_aurora,
    gap: Gap::Unknown,
    needs: Some("a read replica"),
    judge: Some(judge),
};

/// Aurora.
pub(super) const SPEC_AURORA: SignalSpec = SignalSpec {
    id: "db_replica_lag_s",
    title: "replica lag",
    unit: "s",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "AuroraReplicaLag",
    stat: "Maximum",
    scale: 0.001,
    dimensions: dimensions::database_aurora,
    gap: Gap::Unknown,
    needs: Some("a read replica"),
    judge: Some(judge),
};

/// Good: 5 s, which readers seldom notice. Bad: 60 s: whoever just wrote does not find it again.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::saturation(5.0, 60.0)
}
