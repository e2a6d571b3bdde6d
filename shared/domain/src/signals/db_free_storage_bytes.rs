//! Storage that is left. Aurora grows by itself and does not publish it.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Live, Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "db_free_storage_bytes",
    title: "free storage",
    unit: "bytes",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "FreeStorageSpace",
    stat: "Minimum",
    scale: 1.0,
    dimensions: dimensions::database_with_storage,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: 20 % of the storage. Bad: 2 %; a database whose storage is full stops.
fn judge(resource: &Resource, _: &Objectives) -> Option<Judge> {
    let Live::Database(database) = &resource.live else { return None };
    let storage = database.storage_bytes.filter(|bytes| *bytes > 0.0)?;
    levels::saturation(0.20 * storage, 0.02 * storage)
}
