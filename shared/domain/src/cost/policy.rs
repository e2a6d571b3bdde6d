//! Thresholds of the cost cycle. The defaults are those of the specification; each can be set in the configuration.

use serde::{Deserialize, Serialize};

/// Thresholds that hold for an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days without use after which something counts as unused. Default 14: two whole weeks of whatever happens once a week.
    pub unused_days: u32,
    /// Days between the mark for deletion and the deletion. Default 14: its owner may be on holiday.
    pub grace_days: u32,
    /// Days of history that a claim about use needs. Default 14, of the 30 that are read.
    pub history_days_min: u32,
    /// CPU in per cent under which, all the time, something is too large. Default 30.
    pub cpu_pct_max: f64,
    /// Memory in per cent under which, all the time, something is too large. Default 40.
    pub memory_pct_max: f64,
    /// CPU in per cent that is predicted at the peak after right-sizing, at most. Default 60: room for a surge of two thirds.
    pub cpu_pct_after_max: f64,
    /// Memory in per cent that is predicted at the peak after right-sizing, at most. Default 75.
    pub memory_pct_after_max: f64,
    /// Saving in US dollars a month under which nothing is done. Default 1: less is not worth a change.
    pub saving_usd_month_min: f64,
    /// Days for which logs are kept where nobody has said. Default 90.
    pub log_retention_days: u32,
    /// Gigabytes from which on a log group without retention is worth a finding. Default 10.
    pub log_gib_min: f64,
    /// Days after which a snapshot whose volume is gone is old. Default 90.
    pub snapshot_days: u32,
    /// Seconds for which an application is watched after each phase. Default 86,400: a whole day.
    pub watch_s: u32,
    /// Loss of performance in per cent that takes a change back. Default 10.
    pub performance_loss_pct_max: f64,
    /// Availability in per cent under which a change is taken back. Default 99.5.
    pub availability_pct_min: f64,
    /// Growth of cost in per cent, week over week, that people are told about. Default 30.
    pub week_over_week_pct_max: f64,
    /// Budget in US dollars a month that the forecast is compared with; 0 for none. Default 0.
    pub budget_usd_month: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            unused_days: 14,
            grace_days: 14,
            history_days_min: 14,
            cpu_pct_max: 30.0,
            memory_pct_max: 40.0,
            cpu_pct_after_max: 60.0,
            memory_pct_after_max: 75.0,
            saving_usd_month_min: 1.0,
            log_retention_days: 90,
            log_gib_min: 10.0,
            snapshot_days: 90,
            watch_s: 86_400,
            performance_loss_pct_max: 10.0,
            availability_pct_min: 99.5,
            week_over_week_pct_max: 30.0,
            budget_usd_month: 0.0,
        }
    }
}
