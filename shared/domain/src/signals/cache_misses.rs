//! Look-ups per minute that did not find their key.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// Redis and Valkey.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "cache_misses",
    title: "cache misses",
    unit: "count",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "CacheMisses",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::cache_redis,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};

/// Memcached.
pub(super) const SPEC_MEMCACHED: SignalSpec = SignalSpec {
    id: "cache_misses",
    title: "cache misses",
    unit: "count",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "GetMisses",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::cache_memcached,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
