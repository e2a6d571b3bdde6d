//! The database: throughput by the Universal Scalability Law, time by Little's law.
//!
//! `X(N) = N·r / (1 + σ(N−1) + κN(N−1))` queries a second with N queries in it, r = 1/query time. κ makes the curve
//! fall again: beyond its peak each further query takes more from the others than it gets done. More web servers bring
//! more connections, so at a saturated database they lower its throughput.

use super::params::DatabaseParams;

/// What the database remembers from minute to minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Database {
    /// Queries in it at the same time.
    in_flight: f64,
    /// Contention was there in the last minute.
    contended: bool,
}

/// One minute of the database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DatabaseLoad {
    /// Mean time of a query, waiting for a connection included, in milliseconds.
    pub query_ms: f64,
    /// Share of the queries that got no answer in time, 0 to 1.
    pub refused_share: f64,
    /// CPU in per cent.
    pub cpu_pct: f64,
    /// Open connections.
    pub connections: f64,
    /// Share of the connection pools that is busy, 0 to 1.
    pub pool_busy: f64,
}

/// Connections that a web server keeps open when idle.
const IDLE_PER_SERVER: f64 = 5.0;
/// Utilization from which on a database counts as saturated.
const FULL: f64 = 0.97;
/// A query that waits longer is given up by the application.
const GIVE_UP_MS: f64 = 8_000.0;

impl Default for Database {
    fn default() -> Self {
        Self { in_flight: 1.0, contended: false }
    }
}

impl Database {
    /// One minute with `queries_rps` offered by `servers` web servers.
    pub fn step(
        &mut self,
        params: &DatabaseParams,
        servers: f64,
        queries_rps: f64,
        capacity: f64,
        contention: f64,
    ) -> DatabaseLoad {
        let pool = (servers * params.pool_per_server).max(1.0);
        let lock_wait = contention > 1.0;
        if lock_wait && !self.contended {
            // A lock that everybody waits for fills the pools within seconds, long before a minute is over.
            self.in_flight = pool;
        }
        self.contended = lock_wait;
        let in_flight = self.in_flight.min(pool);
        let now_rps = throughput(params, in_flight, capacity, contention);
        self.in_flight = if queries_rps < FULL * now_rps {
            let query_s = params.query_ms / 1_000.0 / (1.0 - queries_rps / now_rps) / capacity;
            // The pools drain by half a minute at a time.
            0.5 * in_flight + 0.5 * (queries_rps * query_s).clamp(1.0, pool)
        } else {
            // Arrivals pile up until enough are served at a time; where that is nowhere, the pools fill to the last connection.
            crowd(params, in_flight, pool, queries_rps, capacity, contention).unwrap_or(pool)
        };
        let rate = throughput(params, self.in_flight, capacity, contention);
        let served = queries_rps.min(rate);
        let idle_rate = throughput(params, self.in_flight, capacity, 1.0);
        DatabaseLoad {
            query_ms: (1_000.0 * self.in_flight / rate.max(0.1)).min(GIVE_UP_MS),
            refused_share: (1.0 - served / queries_rps.max(0.1)).clamp(0.0, 1.0),
            cpu_pct: (100.0 * served / idle_rate.max(0.1)).clamp(2.0, 100.0),
            connections: servers * IDLE_PER_SERVER.min(params.pool_per_server) + self.in_flight,
            pool_busy: self.in_flight / pool,
        }
    }
}

/// The smallest number of queries in flight, from `from` up, at which the offered ones are served.
fn crowd(
    params: &DatabaseParams,
    from: f64,
    pool: f64,
    queries_rps: f64,
    capacity: f64,
    contention: f64,
) -> Option<f64> {
    let mut n = from.max(1.0);
    while n <= pool {
        if queries_rps < FULL * throughput(params, n, capacity, contention) {
            return Some(n);
        }
        n += 1.0;
    }
    None
}

/// Queries a second with `n` in flight.
fn throughput(params: &DatabaseParams, n: f64, capacity: f64, contention: f64) -> f64 {
    let n = n.max(1.0);
    let pair = params.kappa * contention;
    capacity * n * (1_000.0 / params.query_ms) / (1.0 + params.sigma * (n - 1.0) + pair * n * (n - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(servers: f64, queries: f64, capacity: f64, contention: f64) -> DatabaseLoad {
        let mut database = Database::default();
        let mut load = database.step(&DatabaseParams::default(), servers, queries, capacity, contention);
        for _ in 0..30 {
            load = database.step(&DatabaseParams::default(), servers, queries, capacity, contention);
        }
        load
    }

    #[test]
    fn an_unloaded_database_answers_in_its_query_time() {
        let load = settled(4.0, 60.0, 1.0, 1.0);
        assert!(load.query_ms < 25.0, "{load:?}");
        assert_eq!(load.refused_share, 0.0);
    }

    #[test]
    fn more_servers_make_a_contended_database_slower() {
        let four = settled(4.0, 61.0, 1.0, 40.0);
        let eight = settled(8.0, 61.0, 1.0, 40.0);
        assert!(four.query_ms > 1_000.0, "{four:?}");
        assert!(eight.query_ms > 1.4 * four.query_ms, "{four:?} {eight:?}");
        assert!(eight.refused_share > four.refused_share);
        assert!(four.cpu_pct < 60.0, "waiting for locks needs no CPU: {four:?}");
    }

    #[test]
    fn more_queries_than_it_can_do_are_refused() {
        let load = settled(4.0, 400.0, 1.0, 1.0);
        assert!(load.refused_share > 0.3 && load.cpu_pct > 95.0, "{load:?}");
    }
}
