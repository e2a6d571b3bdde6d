//! Memory in use as a share of what the cache may use. Memcached does not publish it.

use super::dimensions;
use super::levels;
use crate::objective::Objectives;
use crate::resource::{Resource, ResourceKind};
use crate::signal::{Gap, Judge, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "cache_memory_pct",
    title: "cache memory",
    unit: "%",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "DatabaseMemoryUsagePercentage",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::cache_redis,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(judge),
};

/// Good: 90 %: a cache that evicts by design lives near its maximum. Bad: 100 %, when a write may be refused.
fn judge(_: &Resource, _: &Objectives) -> Option<Judge> {
    levels::saturation(90.0, 100.0)
}
