//! One application from minute to minute: load → servers → cache → database, and the queue beside them.

use super::database::{Database, DatabaseLoad};
use super::effects::Effects;
use super::latency::{Part, Quantiles, mixture};
use super::params::Params;
use super::queue::{Queue, QueueMinute};
use super::web::{Server, ServerMinute, serve};
use super::world::{CacheSeen, InstanceSeen, ServiceSeen, World};
use std::collections::BTreeMap;

/// The application: its laws and what it remembers.
#[derive(Clone, Debug)]
pub struct App {
    params: Params,
    noise: fastrand::Rng,
    database: Database,
    queue: Queue,
    /// Instance that each sickness has befallen, by the minute it began (as bits: minutes are exact in the scenario).
    sick: BTreeMap<u64, String>,
    /// Share of the requests that timed out in the last minute: their senders try again.
    timeouts: f64,
    /// Share of the connection pools that was busy in the last minute.
    pool_busy: f64,
}

/// Everything measured in one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Requests that arrived in this minute.
    pub requests: f64,
    /// Response times of those that were answered.
    pub latency: Quantiles,
    /// Errors of the servers, in requests.
    pub errors_5xx: f64,
    /// Errors of the load balancer, which found no server in time, in requests.
    pub lb_errors_5xx: f64,
    /// Mistakes of the clients, in requests.
    pub errors_4xx: f64,
    /// Servers.
    pub servers: Vec<ServerMinute>,
    /// Servers that fail their health check.
    pub unhealthy: u32,
    /// Size that the group wants.
    pub desired: u32,
    /// Instances of the group that are in service.
    pub in_service: u32,
    /// The cache.
    pub cache: CacheSeen,
    /// Look-ups that found their key.
    pub hits: f64,
    /// Look-ups that did not.
    pub misses: f64,
    /// The database.
    pub database: DatabaseLoad,
    /// The queue.
    pub queue: QueueMinute,
    /// The worker service.
    pub service: ServiceSeen,
    /// Memory of each of its running tasks in per cent.
    pub tasks_memory_pct: Vec<f64>,
}

/// Share of the load by which a day swings around its mean.
const DAILY_SWING: f64 = 0.05;
/// Minutes of a day.
const DAY_MIN: f64 = 1_440.0;
/// How far the load scatters from minute to minute, as a share.
const LOAD_NOISE: f64 = 0.02;
/// Memory of a fresh instance in per cent.
const MEMORY_PCT: f64 = 45.0;
/// Memory of a fresh worker task in per cent.
const TASK_MEMORY_PCT: f64 = 52.0;
/// Errors of an application in good health, as a share.
const BASE_ERRORS: f64 = 0.000_1;
/// Share of requests with a client's mistake.
const CLIENT_ERRORS: f64 = 0.005;
/// How often a request that timed out is sent again.
const RETRIES: f64 = 0.8;
/// Time of the downstream dependency when it is well, in milliseconds.
const DEPENDENCY_MS: f64 = 5.0;
/// Share of errors from which on the health check of the load balancer fails.
const UNHEALTHY_ERRORS: f64 = 0.5;

impl App {
    /// A new application.
    pub fn new(params: Params, seed: u64) -> Self {
        Self {
            params,
            noise: fastrand::Rng::with_seed(seed),
            database: Database::default(),
            queue: Queue::default(),
            sick: BTreeMap::new(),
            timeouts: 0.0,
            pool_busy: 0.0,
        }
    }

    /// Its sizes and laws.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Lives through one minute in this world.
    pub fn step(&mut self, world: &World, effects: &Effects, minute: f64) -> Sample {
        self.bind_sickness(world, effects);
        let load_rps = self.load(effects, minute);
        let offered_rps = load_rps * (1.0 + RETRIES * self.timeouts);
        let instances: Vec<&InstanceSeen> = world.serving().collect();
        let count = count(instances.len());
        let servers = self.serve_all(&instances, effects, minute, offered_rps / count.max(1.0));

        let best = self.params.cache.best_hit_share * effects.warm_keys;
        let hit_share = if world.cache.reachable { best * world.cache.warm_share } else { 0.0 };
        let lookups_rps = load_rps * self.params.database.lookups_per_request;
        let queries =
            self.params.database.queries_per_request + self.params.database.lookups_per_request * (1.0 - hit_share);
        let mut real = self.params.database.clone();
        real.query_ms = world.query_ms.unwrap_or(real.query_ms);
        let database = self.database.step(
            &real,
            count.max(1.0),
            offered_rps * queries,
            effects.db_capacity,
            effects.db_contention,
        );
        self.timeouts = database.refused_share * queries.min(1.0);
        self.pool_busy = database.pool_busy;

        let parts = parts(&servers, queries.min(1.0), &database, self.params.web.dependency_share, effects);
        let requests = 60.0 * offered_rps;
        let (own, balancer) = self.errors(&servers, effects);
        let sent_per_s = self.params.workers.messages_per_s * effects.messages * self.scatter(LOAD_NOISE);
        let queue = self.queue.step(&self.params.workers, f64::from(world.service.running), sent_per_s);
        Sample {
            requests: requests.round(),
            latency: mixture(&parts),
            errors_5xx: (requests * own * self.scatter(0.1)).round(),
            lb_errors_5xx: (requests * balancer).round(),
            errors_4xx: (requests * CLIENT_ERRORS * self.scatter(0.1)).round(),
            unhealthy: small(servers.iter().filter(|server| server.errors >= UNHEALTHY_ERRORS).count()),
            in_service: small(servers.len()),
            servers,
            desired: world.desired,
            cache: world.cache,
            hits: (60.0 * lookups_rps * hit_share).round(),
            misses: (60.0 * lookups_rps * (1.0 - hit_share)).round(),
            database,
            queue,
            service: world.service.clone(),
            tasks_memory_pct: tasks_memory(&world.service, effects, minute),
        }
    }

    /// Sickness befalls an instance, not a place: its replacement is well.
    fn bind_sickness(&mut self, world: &World, effects: &Effects) {
        let mut ids: Vec<&str> = world.serving().map(|instance| instance.id.as_str()).collect();
        ids.sort_unstable();
        for (index, _, _, since) in &effects.sick {
            if let Some(id) = ids.get(*index) {
                self.sick.entry(since.to_bits()).or_insert_with(|| (*id).to_owned());
            }
        }
    }

    fn load(&mut self, effects: &Effects, minute: f64) -> f64 {
        let day = 1.0 + DAILY_SWING * (2.0 * std::f64::consts::PI * minute / DAY_MIN).sin();
        self.params.web.load_rps * effects.load * day * self.scatter(LOAD_NOISE)
    }

    fn serve_all(
        &mut self,
        instances: &[&InstanceSeen],
        effects: &Effects,
        minute: f64,
        rps: f64,
    ) -> Vec<ServerMinute> {
        instances
            .iter()
            .map(|instance| {
                let mut server = Server {
                    id: instance.id.clone(),
                    memory_pct: self.memory(instance, effects, minute),
                    slowdown: self.scatter(0.02),
                    errors: 0.0,
                };
                for (_, slowdown, errors, since) in &effects.sick {
                    if self.sick.get(&since.to_bits()) == Some(&instance.id) {
                        server.slowdown *= slowdown;
                        server.errors = *errors;
                    }
                }
                serve(&self.params.web, &server, rps, self.pool_busy)
            })
            .collect()
    }

    fn memory(&mut self, instance: &InstanceSeen, effects: &Effects, minute: f64) -> f64 {
        let leaked = effects
            .leak
            .map_or(0.0, |(pct_per_min, since)| pct_per_min * instance.age_min.min(minute - since).max(0.0));
        (MEMORY_PCT + leaked + 0.5 * (self.noise.f64() - 0.5)).min(99.0)
    }

    /// Share of requests that fail at a server, and share that the load balancer answers for lack of one.
    fn errors(&self, servers: &[ServerMinute], effects: &Effects) -> (f64, f64) {
        if servers.is_empty() {
            return (0.0, 1.0);
        }
        let at_servers = servers.iter().map(|server| server.errors).sum::<f64>() / count(servers.len());
        let downstream = self.params.web.dependency_share * effects.dependency_errors;
        let own = 1.0 - (1.0 - BASE_ERRORS) * (1.0 - at_servers) * (1.0 - self.timeouts) * (1.0 - downstream);
        (own, 0.0)
    }

    /// A factor around 1: nearly normal, the sum of three even draws, with this standard deviation.
    fn scatter(&mut self, deviation: f64) -> f64 {
        let sum = self.noise.f64() + self.noise.f64() + self.noise.f64() - 1.5;
        1.0 + deviation * 2.0 * sum
    }
}

/// Memory of the running tasks: it stands still unless they leak.
fn tasks_memory(service: &ServiceSeen, effects: &Effects, minute: f64) -> Vec<f64> {
    let leaked = |age_min: &f64| {
        effects.worker_leak.map_or(0.0, |(pct_per_min, since)| pct_per_min * age_min.min(minute - since).max(0.0))
    };
    service.ages_min.iter().map(|age_min| (TASK_MEMORY_PCT + leaked(age_min)).min(99.0)).collect()
}

/// Groups of requests that take alike: with and without a query, with and without a call downstream, by server.
fn parts(servers: &[ServerMinute], queries: f64, database: &DatabaseLoad, calls: f64, effects: &Effects) -> Vec<Part> {
    let mut parts = Vec::with_capacity(4 * servers.len());
    let each = 1.0 / count(servers.len()).max(1.0);
    for server in servers {
        for (query_share, query_ms) in [(1.0 - queries, 0.0), (queries, database.query_ms)] {
            for (call_share, call_ms) in [(1.0 - calls, 0.0), (calls, DEPENDENCY_MS + effects.dependency_ms)] {
                parts.push(Part {
                    share: each * query_share * call_share,
                    mean_ms: server.time_ms + query_ms + call_ms,
                });
            }
        }
    }
    parts
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn count(count: usize) -> f64 {
    f64::from(small(count))
}
