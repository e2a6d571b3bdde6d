//! How much the maintainer may change, and on what evidence. Numbers only; the guards apply them.

use serde::{Deserialize, Serialize};

/// Limits that hold for an application. Defaults are careful; every one can be set in the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Changes in one run.
    pub changes_per_execution_max: u32,
    /// Changes on an application in an hour, over all runs and cycles.
    pub changes_per_hour_max: u32,
    /// Changes on an application in a day.
    pub changes_per_day_max: u32,
    /// Seconds between two changes of one resource.
    pub cooldown_s: u32,
    /// Share of a fleet that one change may take out of service, 0 to 1.
    pub blast_radius: f64,
    /// Factor by which one change may grow or shrink a fleet.
    pub step_factor_max: f64,
    /// Cost that the changes of one run may add, in US cents a month.
    pub spend_usd_cents_month_max: i64,
    /// Age of the snapshot beyond which a plan is not carried out.
    pub snapshot_age_s_max: u32,
    /// Share of signals that must be known for a change, 0 to 1.
    pub completeness_min: f64,
    /// Undone changes on the application within a day that open the circuit breaker.
    pub undos_per_day_max: u32,
    /// Same remedy on the same resource within a day; beyond that it is a finding, not a fix.
    pub repeats_per_day_max: u32,
}
