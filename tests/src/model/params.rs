//! Sizes and laws of one application. Every field has a default, so a scenario names only what differs.

use serde::Deserialize;

/// One application.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Params {
    /// Web servers behind the load balancer.
    pub web: WebParams,
    /// Workers behind the queue.
    pub workers: WorkerParams,
    /// The cache in front of the database.
    pub cache: CacheParams,
    /// The database.
    pub database: DatabaseParams,
}

/// The web tier: an Auto Scaling group behind a load balancer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebParams {
    /// Servers at the start.
    pub servers: u32,
    /// Smallest size of the group.
    pub min: u32,
    /// Largest size of the group.
    pub max: u32,
    /// Requests a second at the daily mean.
    pub load_rps: f64,
    /// Time that a request needs on an idle server, in milliseconds.
    pub service_ms: f64,
    /// Processors of a server.
    pub cores: f64,
    /// Share of requests that call the downstream dependency, 0 to 1.
    pub dependency_share: f64,
    /// Minutes that a new instance needs until it serves.
    pub warmup_min: f64,
}

impl Default for WebParams {
    fn default() -> Self {
        Self {
            servers: 4,
            min: 2,
            max: 10,
            load_rps: 180.0,
            service_ms: 20.0,
            cores: 2.0,
            dependency_share: 0.5,
            warmup_min: 1.0,
        }
    }
}

/// The workers: an ECS service that takes messages from an SQS queue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerParams {
    /// Tasks at the start.
    pub tasks: u32,
    /// Messages that the application sends, a second.
    pub messages_per_s: f64,
    /// Messages that one task works off, a second.
    pub per_task_per_s: f64,
}

impl Default for WorkerParams {
    fn default() -> Self {
        Self { tasks: 3, messages_per_s: 15.0, per_task_per_s: 10.0 }
    }
}

/// The cache.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheParams {
    /// Entries that make up the warm set.
    pub entries: u32,
    /// Share of the look-ups that hit when the whole warm set is there; the rest asks for rare things.
    pub best_hit_share: f64,
    /// Share of the warm set that the application can store again in a minute.
    pub refill_share_per_min: f64,
}

impl Default for CacheParams {
    fn default() -> Self {
        Self { entries: 200, best_hit_share: 0.96, refill_share_per_min: 0.25 }
    }
}

/// The database.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseParams {
    /// Time of one query when the database is idle, in milliseconds.
    pub query_ms: f64,
    /// Queries a request makes whatever the cache holds.
    pub queries_per_request: f64,
    /// Cache look-ups of a request, each a query when it misses.
    pub lookups_per_request: f64,
    /// Connections that one web server opens at most.
    pub pool_per_server: f64,
    /// Share of a query that can't run beside others (the σ of the Universal Scalability Law).
    pub sigma: f64,
    /// Cost of every pair of queries that wait for each other (the κ of that law).
    pub kappa: f64,
}

impl Default for DatabaseParams {
    fn default() -> Self {
        Self {
            query_ms: 10.0,
            queries_per_request: 0.3,
            lookups_per_request: 1.0,
            pool_per_server: 30.0,
            sigma: 0.4,
            kappa: 0.0005,
        }
    }
}
