//! What an application promises its users.

use serde::{Deserialize, Serialize};

/// Service level objectives of one application. Defaults are those of the product's specification.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Objectives {
    /// Response time that 95 of 100 requests stay under, in milliseconds.
    /// Default 200: the API budget; the alarm level is five times that.
    pub latency_p95_ms: f64,
    /// Share of requests that may fail, in per cent. Default 0.1.
    pub error_rate_pct: f64,
    /// Share of time the service must answer, in per cent. Default 99.9.
    pub availability_pct: f64,
    /// Messages that may wait in a queue. Default 1,000.
    pub queue_depth_max: f64,
    /// Age that the oldest message may reach, in seconds. Default 300.
    pub queue_age_max_s: f64,
}

impl Default for Objectives {
    fn default() -> Self {
        Self {
            latency_p95_ms: 200.0,
            error_rate_pct: 0.1,
            availability_pct: 99.9,
            queue_depth_max: 1_000.0,
            queue_age_max_s: 300.0,
        }
    }
}
