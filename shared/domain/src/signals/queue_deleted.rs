//! Messages per minute that consumers finished.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "queue_deleted",
    title: "messages finished",
    unit: "count",
    kind: ResourceKind::Queue,
    namespace: "AWS/SQS",
    metric: "NumberOfMessagesDeleted",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::queue,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
