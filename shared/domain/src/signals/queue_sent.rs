//! Messages per minute that arrive.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "queue_sent",
    title: "messages sent",
    unit: "count",
    kind: ResourceKind::Queue,
    namespace: "AWS/SQS",
    metric: "NumberOfMessagesSent",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::queue,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
