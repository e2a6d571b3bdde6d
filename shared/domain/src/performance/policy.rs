//! Thresholds of the performance cycle.

use serde::{Deserialize, Serialize};

/// Thresholds of the performance cycle, with the reason for each default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PerformancePolicy"))]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Seconds of normal traffic that are measured before and after a change. Default 900: the specification's 15 minutes.
    pub window_s: u32,
    /// A query that takes longer on average, in milliseconds, is slow. Default 100: the budget of a query.
    pub slow_query_ms: f64,
    /// A query that takes more than this share of all time spent in the database, in per cent, is worth an index even when it is not
    /// slow. Default 20: so much the least gain that counts would give back.
    pub heavy_query_pct: f64,
    /// Time of the database that an index for such queries must save, in milliseconds an hour. Default 36,000: one per cent of a core.
    pub saves_ms_hour_min: f64,
    /// Executions of a statement that a window must hold, before and after. Default 20: fewer say little of their mean.
    pub calls_min: f64,
    /// Least improvement that counts, in per cent of the time that the queries of a change took. Default 20: the specification's.
    pub improvement_pct_min: f64,
    /// 95th percentile of users' response times that is good enough, in milliseconds. Default 500: the specification's.
    pub target_p95_ms: f64,
    /// A response time that got worse by so many per cent, for certain, takes the change back. Default 10: as in the cost cycle.
    pub loss_pct_max: f64,
    /// Iterations that changed something, a day. Default 3: the specification's.
    pub iterations_per_day_max: u32,
    /// Largest index that is built, in bytes. Default 10 GiB: about what builds within a quarter of an hour.
    pub index_bytes_max: f64,
    /// Indexes that no query has used for so many days are told. Default 30: a job that runs once a month has run.
    pub unused_days: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window_s: 900,
            slow_query_ms: 100.0,
            heavy_query_pct: 20.0,
            saves_ms_hour_min: 36_000.0,
            calls_min: 20.0,
            improvement_pct_min: 20.0,
            target_p95_ms: 500.0,
            loss_pct_max: 10.0,
            iterations_per_day_max: 3,
            index_bytes_max: 10_737_418_240.0,
            unused_days: 30,
        }
    }
}

impl Policy {
    /// What is wrong with these numbers: the key, and what would be right.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        // Written out, so that a new threshold does not pass unchecked.
        let Self {
            window_s,
            slow_query_ms,
            heavy_query_pct,
            saves_ms_hour_min,
            calls_min,
            improvement_pct_min,
            target_p95_ms,
            loss_pct_max,
            iterations_per_day_max,
            index_bytes_max,
            unused_days,
        } = *self;
        let whole = [
            ("window_s", window_s, 60, 3_600),
            ("iterations_per_day_max", iterations_per_day_max, 1, 24),
            ("unused_days", unused_days, 1, 365),
        ];
        let shares = [
            ("heavy_query_pct", heavy_query_pct, 0.0, 100.0),
            ("improvement_pct_min", improvement_pct_min, 0.0, 99.0),
            ("loss_pct_max", loss_pct_max, 0.0, 100.0),
            ("calls_min", calls_min, 2.0, 1_000_000.0),
            ("saves_ms_hour_min", saves_ms_hour_min, 0.0, 3_600_000.0),
        ];
        let above_nothing =
            [("slow_query_ms", slow_query_ms), ("target_p95_ms", target_p95_ms), ("index_bytes_max", index_bytes_max)];
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        wrong.extend(
            whole
                .into_iter()
                .filter(|(_, value, min, max)| !(min..=max).contains(&value))
                .map(|(key, value, min, max)| (key, format!("must be from {min} to {max}, not {value}"))),
        );
        wrong.extend(
            shares
                .into_iter()
                .filter(|(_, value, min, max)| !(min..=max).contains(&value))
                .map(|(key, value, min, max)| (key, format!("must be from {min} to {max}, not {value}"))),
        );
        wrong.extend(
            above_nothing
                .into_iter()
                .filter(|(_, value)| !(*value > 0.0 && value.is_finite()))
                .map(|(key, value)| (key, format!("must be more than 0, not {value}"))),
        );
        wrong
    }
}
