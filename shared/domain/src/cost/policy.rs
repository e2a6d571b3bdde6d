//! Thresholds of the cost cycle. The defaults are those of the specification; each can be set in the configuration.

use serde::{Deserialize, Serialize};

/// Thresholds that hold for an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CostPolicy"))]
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
    /// Days after which a secret that nobody has read, or an image that nobody has launched or pulled, is unused. Default 90: a quarter, which has
    /// what is done once a quarter in it.
    pub forgotten_days: u32,
    /// Seconds for which an application is watched after each phase. Default 86,400: a whole day.
    pub watch_s: u32,
    /// Loss of performance in per cent that takes a change back. Default 10.
    pub performance_loss_pct_max: f64,
    /// Availability in per cent under which a change is taken back. Default 99.5.
    pub availability_pct_min: f64,
    /// Whole days of the bill that a commitment needs. Default 28: four whole weeks, which is what the 30 days of a bill have without
    /// the last two, which may still change.
    pub commitment_days_min: u32,
    /// Share in per cent of the use on demand that must be there on every day before a commitment is advised. Default 30.
    pub commitment_pct_min: f64,
    /// Share in per cent of the use on demand that is committed at most. Default 70: what is left may shrink without a loss.
    pub commitment_pct_max: f64,
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
            forgotten_days: 90,
            watch_s: 86_400,
            performance_loss_pct_max: 10.0,
            availability_pct_min: 99.5,
            commitment_days_min: 28,
            commitment_pct_min: 30.0,
            commitment_pct_max: 70.0,
            week_over_week_pct_max: 30.0,
            budget_usd_month: 0.0,
        }
    }
}

/// Longest watch in seconds: the lease of the cycle must outlive it.
const WATCH_S_MAX: u32 = 90_000;
/// Shortest watch in seconds: one observed window after the slowest change has settled.
const WATCH_S_MIN: u32 = 600;

impl Policy {
    /// What is wrong with these numbers: the key, and what would be right.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        // Written out, so that a new threshold does not pass unchecked.
        let Self {
            unused_days,
            grace_days,
            history_days_min,
            cpu_pct_max,
            memory_pct_max,
            cpu_pct_after_max,
            memory_pct_after_max,
            saving_usd_month_min,
            log_retention_days,
            log_gib_min,
            snapshot_days,
            forgotten_days,
            watch_s,
            performance_loss_pct_max,
            availability_pct_min,
            commitment_days_min,
            commitment_pct_min,
            commitment_pct_max,
            week_over_week_pct_max,
            budget_usd_month,
        } = *self;
        let days = [
            ("unused_days", unused_days, 1, 365),
            ("grace_days", grace_days, 1, 365),
            ("history_days_min", history_days_min, 1, 30),
            ("log_retention_days", log_retention_days, 1, 3_653),
            ("snapshot_days", snapshot_days, 1, 3_653),
            ("forgotten_days", forgotten_days, 30, 3_653),
            ("commitment_days_min", commitment_days_min, 7, 30),
            ("watch_s", watch_s, WATCH_S_MIN, WATCH_S_MAX),
        ];
        let shares = [
            ("cpu_pct_max", cpu_pct_max),
            ("memory_pct_max", memory_pct_max),
            ("cpu_pct_after_max", cpu_pct_after_max),
            ("memory_pct_after_max", memory_pct_after_max),
            ("performance_loss_pct_max", performance_loss_pct_max),
            ("availability_pct_min", availability_pct_min),
            ("commitment_pct_min", commitment_pct_min),
            ("commitment_pct_max", commitment_pct_max),
        ];
        let amounts = [
            ("saving_usd_month_min", saving_usd_month_min),
            ("log_gib_min", log_gib_min),
            ("week_over_week_pct_max", week_over_week_pct_max),
            ("budget_usd_month", budget_usd_month),
        ];
        let below = [
            ("cpu_pct_max", cpu_pct_max, "cpu_pct_after_max", cpu_pct_after_max),
            ("memory_pct_max", memory_pct_max, "memory_pct_after_max", memory_pct_after_max),
        ];
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        wrong.extend(
            days.into_iter()
                .filter(|(_, value, min, max)| !(min..=max).contains(&value))
                .map(|(key, value, min, max)| (key, format!("must be from {min} to {max}, not {value}"))),
        );
        wrong.extend(
            shares
                .into_iter()
                .filter(|(_, value)| !(*value > 0.0 && *value <= 100.0))
                .map(|(key, value)| (key, format!("must be above 0 and at most 100, not {value}"))),
        );
        wrong.extend(
            amounts
                .into_iter()
                .filter(|(_, value)| !(*value >= 0.0 && value.is_finite()))
                .map(|(key, value)| (key, format!("must not be negative, as {value} is"))),
        );
        wrong.extend(below.into_iter().filter(|(_, low, _, high)| low >= high).map(|(key, low, other, high)| {
            (
                key,
                format!(
                    "must be below {other}, which is {high}, not {low}: what is too large would be too small after"
                ),
            )
        }));
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_right_and_what_contradicts_itself_is_named() {
        assert_eq!(Policy::default().check(), []);
        type Change = fn(&mut Policy);
        let cases: [(&str, Change, Change); 5] = [
            ("watch_s", |p| p.watch_s = WATCH_S_MIN, |p| p.watch_s = WATCH_S_MIN - 1),
            ("watch_s", |p| p.watch_s = WATCH_S_MAX, |p| p.watch_s = WATCH_S_MAX + 1),
            ("grace_days", |p| p.grace_days = 1, |p| p.grace_days = 0),
            ("availability_pct_min", |p| p.availability_pct_min = 100.0, |p| p.availability_pct_min = f64::NAN),
            ("cpu_pct_max", |p| p.cpu_pct_max = 59.9, |p| p.cpu_pct_max = 60.0),
        ];
        for (key, right, wrong) in cases {
            let of = |change: Change| {
                let mut policy = Policy::default();
                change(&mut policy);
                policy.check().into_iter().map(|(key, _)| key).collect::<Vec<_>>()
            };
            assert_eq!((of(right), of(wrong)), (vec![], vec![key]));
        }
    }
}
