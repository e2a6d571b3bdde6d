//! The signals: one file each, one line each in [`TABLE`].
//!
//! A signal is listed with the place where CloudWatch keeps it, its unit, what a gap means and from which level on it is
//! good or bad, each with the reason. Rates (errors per request, hits per look-up) are derived by the health score from
//! the counts here: a rate of sums, never a mean of rates. `docs/signals.md` shows the whole table.

mod api_errors_5xx;
mod api_latency_p95_ms;
mod api_requests;
mod cache_engine_cpu_pct;
mod cache_evictions;
mod cache_hits;
mod cache_memory_pct;
mod cache_misses;
mod custom;
mod db_connections;
mod db_cpu_pct;
mod db_free_storage_bytes;
mod db_freeable_memory_bytes;
mod db_read_latency_ms;
mod db_replica_lag_s;
mod db_write_latency_ms;
mod dimensions;
mod errors_4xx;
mod errors_5xx;
mod fleet_cpu_pct;
mod fleet_desired;
mod fleet_disk_pct;
mod fleet_in_service;
mod fleet_memory_pct;
mod function_concurrency;
mod function_duration_p95_ms;
mod function_errors;
mod function_invocations;
mod function_throttles;
mod hosts_healthy;
mod hosts_unhealthy;
mod instance_cpu_pct;
mod instance_disk_pct;
mod instance_memory_pct;
mod instance_status_failed;
mod latency_mean_ms;
mod latency_p95_ms;
mod latency_p99_ms;
mod lb_errors_5xx;
mod lb_requests;
mod levels;
mod queue_deleted;
mod queue_depth;
mod queue_oldest_s;
mod queue_sent;
mod requests;
mod service_cpu_pct;
mod service_desired;
mod service_memory_max_pct;
mod service_memory_min_pct;
mod service_memory_pct;
mod service_running;
mod table_read_throttles;
mod table_read_units;
mod table_write_throttles;
mod table_write_units;

use crate::resource::{Resource, ResourceKind};
use crate::signal::SignalSpec;

/// Every signal. Where AWS keeps a signal under two names there are two rows of one id, and a resource has targets in
/// only one of them.
pub const TABLE: &[SignalSpec] = &[
    latency_p95_ms::SPEC,
    latency_p99_ms::SPEC,
    latency_mean_ms::SPEC,
    requests::SPEC,
    errors_5xx::SPEC,
    errors_4xx::SPEC,
    hosts_healthy::SPEC,
    hosts_unhealthy::SPEC,
    lb_requests::SPEC,
    lb_errors_5xx::SPEC,
    fleet_cpu_pct::SPEC,
    instance_cpu_pct::SPEC,
    fleet_memory_pct::SPEC,
    instance_memory_pct::SPEC,
    fleet_disk_pct::SPEC,
    instance_disk_pct::SPEC,
    instance_status_failed::SPEC,
    fleet_in_service::SPEC,
    fleet_desired::SPEC,
    service_cpu_pct::SPEC,
    service_memory_pct::SPEC,
    service_memory_max_pct::SPEC,
    service_memory_min_pct::SPEC,
    service_running::SPEC,
    service_desired::SPEC,
    function_invocations::SPEC,
    function_errors::SPEC,
    function_throttles::SPEC,
    function_duration_p95_ms::SPEC,
    function_concurrency::SPEC,
    api_requests::SPEC,
    api_latency_p95_ms::SPEC,
    api_errors_5xx::SPEC,
    api_errors_5xx::SPEC_HTTP,
    db_cpu_pct::SPEC,
    db_connections::SPEC,
    db_freeable_memory_bytes::SPEC,
    db_free_storage_bytes::SPEC,
    db_read_latency_ms::SPEC,
    db_write_latency_ms::SPEC,
    db_replica_lag_s::SPEC,
    db_replica_lag_s::SPEC_AURORA,
    cache_hits::SPEC,
    cache_hits::SPEC_MEMCACHED,
    cache_misses::SPEC,
    cache_misses::SPEC_MEMCACHED,
    cache_evictions::SPEC,
    cache_memory_pct::SPEC,
    cache_engine_cpu_pct::SPEC,
    cache_engine_cpu_pct::SPEC_MEMCACHED,
    queue_depth::SPEC,
    queue_oldest_s::SPEC,
    queue_sent::SPEC,
    queue_deleted::SPEC,
    table_read_units::SPEC,
    table_write_units::SPEC,
    table_read_throttles::SPEC,
    table_write_throttles::SPEC,
    custom::SPEC,
];

/// The definition of a signal by its id; of two rows the first, which differs only in where AWS keeps it.
pub fn spec(id: &str) -> Option<&'static SignalSpec> {
    TABLE.iter().find(|spec| spec.id == id)
}

/// The signals that are measured on a kind of resource.
pub fn of_kind(kind: ResourceKind) -> impl Iterator<Item = &'static SignalSpec> {
    TABLE.iter().filter(move |spec| spec.kind == kind)
}

/// The signals that a resource has, each with the dimension sets to read.
pub fn of_resource(resource: &Resource) -> impl Iterator<Item = (&'static SignalSpec, Vec<crate::signal::Target>)> {
    of_kind(resource.kind()).filter_map(|spec| {
        let targets = (spec.dimensions)(resource);
        (!targets.is_empty()).then_some((spec, targets))
    })
}

#[cfg(test)]
mod tests;
