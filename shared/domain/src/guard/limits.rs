//! How much the maintainer may change, and on what evidence. Numbers only; the guards apply them.

use serde::{Deserialize, Serialize};

/// Limits that hold for an application. Defaults are careful; every one can be set in the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Changes in one run. Default 6: one for each iteration that a run may have.
    pub changes_per_execution_max: u32,
    /// Changes on an application in an hour, over all runs and cycles. Default 6: a run that starts over and over
    /// changes no more than one run does.
    pub changes_per_hour_max: u32,
    /// Changes on an application in a day. Default 20: what needs more is not mended by changes.
    pub changes_per_day_max: u32,
    /// Changes of one resource in an hour, of any kind, over all runs and cycles. Default 4: what so many have not mended
    /// has another cause, and each of them has its own effect.
    pub changes_per_resource_per_hour_max: u32,
    /// Changes of one resource in a day, of any kind. Default 8.
    pub changes_per_resource_per_day_max: u32,
    /// Seconds between two changes of one resource. Default 300: the observed window, so that a change is measured
    /// before the next one.
    pub cooldown_s: u32,
    /// Share of a fleet that one change may take out of service, 0 to 1. Default 0.34: one of three.
    pub blast_radius: f64,
    /// Factor by which one change may grow or shrink a fleet. Default 2: doubling.
    pub step_factor_max: f64,
    /// Cost that the changes of one run may add, in US cents a month. Default 20,000: 200 USD.
    pub spend_usd_cents_month_max: i64,
    /// Cost that the changes of 30 days that stand may add to an application, over all runs and cycles, in US cents a month.
    /// Default 100,000: 1,000 USD.
    pub app_spend_usd_cents_month_max: i64,
    /// Age of the snapshot beyond which a plan is not carried out, in seconds. Default 900: three observed windows.
    pub snapshot_age_s_max: u32,
    /// Share of signals that must be known for a change, 0 to 1. Default 0.5: below half, one is guessing.
    pub completeness_min: f64,
    /// Undone changes on the application within a day that open the circuit breaker. Default 4.
    pub undos_per_day_max: u32,
    /// Same remedy on the same resource within a day; beyond that it is a finding, not a fix. Default 3.
    pub repeats_per_day_max: u32,
    /// Hours for which a verified growth is not taken back by another cycle, and for which what a person has had rolled
    /// back is made again only with a person's yes. Default 24: a whole day of load has then been seen.
    pub reversal_bars_h: u32,
    /// Seconds that the oldest open transaction of a database may be old when an index is built, which waits for it to end. Default 60.
    pub transaction_s_max: u32,
    /// Size in GiB of the largest table on which an index is built. Default 20: a function has 15 minutes, and reading the table twice at
    /// 50 MB a second takes most of them.
    pub indexed_table_gib_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            changes_per_execution_max: 6,
            changes_per_hour_max: 6,
            changes_per_day_max: 20,
            changes_per_resource_per_hour_max: 4,
            changes_per_resource_per_day_max: 8,
            cooldown_s: 300,
            blast_radius: 0.34,
            step_factor_max: 2.0,
            spend_usd_cents_month_max: 20_000,
            app_spend_usd_cents_month_max: 100_000,
            snapshot_age_s_max: 900,
            completeness_min: 0.5,
            undos_per_day_max: 4,
            repeats_per_day_max: 3,
            reversal_bars_h: 24,
            transaction_s_max: 60,
            indexed_table_gib_max: 20,
        }
    }
}
