//! Memory that the operating system of the database could still give.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Live, Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "db_freeable_memory_bytes",
    title: "freeable memory",
    unit: "bytes",
    kind: ResourceKind::Database,
    namespace: "AWS/RDS",
    metric: "FreeableMemory",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::database,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: 10 % of the instance's memory; engines take 75 % for their buffers on purpose. Bad: 2 %, next comes swapping.
fn judge(resource: &Resource, _: &Objectives) -> Option<Judge> {
    let Live::Database(database) = &resource.live else { return None };
    let memory = database.memory_bytes.filter(|bytes| *bytes > 0.0)?;
    levels::saturation(0.10 * memory, 0.02 * memory)
}
