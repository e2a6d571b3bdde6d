//! Look-ups per minute that found their key. The health score derives the hit rate.

use super::dimensions;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// Redis and Valkey.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "cache_hits",
    title: "cache hits",
    unit: "count",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "CacheHits",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::cache_redis,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};

/// Memcached.
pub(super) const SPEC_MEMCACHED: SignalSpec = SignalSpec {
    id: "cache_hits",
    title: "cache hits",
    unit: "count",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "GetHits",
    stat: "Sum",
    scale: 1.0,
    dimensions: dimensions::cache_memcached,
    gap: Gap::Unknown,
    needs: None,
    judge: None,
};
