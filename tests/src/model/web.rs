//! The web tier: every server is a queue with several processors.
//!
//! Time in a server by Sakasegawa's approximation of M/M/c: `R = S · (1 + ρ^(√(2(c+1))−1) / (c(1−ρ)))`, with S the
//! service time, c the processors, ρ the utilization. Beyond ρ = 0.97 the line grows on by the excess; what can't be
//! served within the minute is an error.

use super::params::WebParams;

/// One server as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// EC2 instance id.
    pub id: String,
    /// Memory in use in per cent.
    pub memory_pct: f64,
    /// Times the normal service time, for a sick server.
    pub slowdown: f64,
    /// Share of answers that are errors, for a sick server, 0 to 1.
    pub errors: f64,
}

/// One minute of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerMinute {
    /// EC2 instance id.
    pub id: String,
    /// CPU in per cent.
    pub cpu_pct: f64,
    /// Memory in per cent.
    pub memory_pct: f64,
    /// Mean time in the server, in milliseconds.
    pub time_ms: f64,
    /// Share of its answers that are errors, 0 to 1.
    pub errors: f64,
}

/// Utilization from which on a server counts as overrun.
const KNEE: f64 = 0.97;
/// Added time per unit of utilization beyond the knee, in milliseconds.
const OVERRUN_MS: f64 = 10_000.0;
/// No request waits longer; the load balancer answers for the server.
const TIME_MS_MAX: f64 = 8_000.0;
/// CPU that a server needs to keep itself alive, as a share.
const IDLE_CPU: f64 = 0.02;
/// CPU that threads spend on waiting for a connection when the pools are all busy, as a share.
const SPIN_CPU: f64 = 0.6;
/// Memory from which on a server swaps.
const SWAP_PCT: f64 = 90.0;

/// One minute of a server that gets `rps` requests a second while `pool_busy` of its connections wait for the database.
pub fn serve(params: &WebParams, server: &Server, rps: f64, pool_busy: f64) -> ServerMinute {
    let swap = ((server.memory_pct - SWAP_PCT) / 10.0).clamp(0.0, 1.0);
    let service_ms = params.service_ms * server.slowdown * (1.0 + 5.0 * swap);
    let work = rps * service_ms / 1_000.0 / params.cores.max(1.0);
    // Threads spin only where the pools are nearly exhausted.
    let spin = SPIN_CPU * ((pool_busy - 0.8) / 0.2).clamp(0.0, 1.0);
    let time_ms = time_in_server(service_ms, work, params.cores.max(1.0)).min(TIME_MS_MAX);
    let overrun = if work > 1.0 { 1.0 - 1.0 / work } else { 0.0 };
    ServerMinute {
        id: server.id.clone(),
        cpu_pct: 100.0 * (IDLE_CPU + work + spin).min(1.0),
        memory_pct: server.memory_pct,
        time_ms,
        errors: 1.0 - (1.0 - overrun) * (1.0 - server.errors) * (1.0 - 0.1 * swap),
    }
}

fn time_in_server(service_ms: f64, utilization: f64, cores: f64) -> f64 {
    let rho = utilization.min(KNEE);
    let power = (2.0 * (cores + 1.0)).sqrt() - 1.0;
    let queueing = rho.powf(power) / (cores * (1.0 - rho));
    service_ms * (1.0 + queueing) + OVERRUN_MS * (utilization - KNEE).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> Server {
        Server { id: "i-1".to_owned(), memory_pct: 45.0, slowdown: 1.0, errors: 0.0 }
    }

    fn at(rps: f64) -> ServerMinute {
        serve(&WebParams::default(), &healthy(), rps, 0.0)
    }

    #[test]
    fn response_time_grows_with_utilization() {
        // ρ = 0.45: 20 ms · (1 + 0.45^1.45 / (2 · 0.55)) = 25.7 ms, as worked out in the documentation.
        assert!((at(45.0).time_ms - 25.7).abs() < 0.1, "{:?}", at(45.0));
        assert!(at(90.0).time_ms > 4.0 * at(45.0).time_ms);
        assert!(at(130.0).errors > 0.2 && at(130.0).cpu_pct > 99.9);
    }

    #[test]
    fn a_server_that_swaps_is_slow_and_fails() {
        let mut server = healthy();
        server.memory_pct = 98.0;
        let swapping = serve(&WebParams::default(), &server, 45.0, 0.0);
        assert!(swapping.time_ms > 3.0 * at(45.0).time_ms && swapping.errors > 0.05, "{swapping:?}");
    }
}
