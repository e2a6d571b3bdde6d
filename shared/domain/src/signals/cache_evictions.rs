//! Keys per minute thrown out for lack of memory. A cache may evict by design: context for rules, no level of its own.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "cache_evictions",
    title: "evictions",
    unit: "count",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "Evictions",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::cache,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
