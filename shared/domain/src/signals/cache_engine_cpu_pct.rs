//! CPU of the cache's engine: the one main thread of Redis, all threads of Memcached.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// Redis and Valkey.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "cache_engine_cpu_pct",
    title: "cache CPU",
    unit: "%",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "EngineCPUUtilization",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::cache_redis,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(levels::cpu),
};

/// Memcached.
pub(super) const SPEC_MEMCACHED: SignalSpec = SignalSpec {
    id: "cache_engine_cpu_pct",
    title: "cache CPU",
    unit: "%",
    kind: ResourceKind::Cache,
    namespace: "AWS/ElastiCache",
    metric: "CPUUtilization",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::cache_memcached,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(levels::cpu),
};
