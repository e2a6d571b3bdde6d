//! The thresholds of the health cycle, each with its default and the reason for it.
//!
//! Numbers only: rules, score, plan, verification and stop criteria read them here and nowhere else. [`Policy::check`]
//! says what contradicts; a policy with contradictions must not be put in force.

mod check;

use serde::{Deserialize, Serialize};

/// Thresholds of the health cycle. Where a quantity has three levels, `warn < act < critical`: at *warn* it is
/// mentioned or no longer counts as idle, at *act* something is done, at *critical* it is urgent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Length of the observed window in seconds. Default 300: the specification observes over 5 minutes.
    pub window_s: u32,
    /// Seconds between the changes and the second measurement. Default 600: the specification waits 10 minutes.
    pub wait_s: u32,
    /// Age in seconds up to which the newest value of a utilization still counts when the window holds none. Default
    /// 900: EC2 with basic monitoring publishes every 5 minutes and up to 10 minutes late. Symptoms must be in the window.
    pub stale_after_s: u32,

    /// Score under which degraded services are restarted when nothing better is known. Default 6, by the specification.
    pub restart_under_score: f64,
    /// Score from which on an application counts as well. Default 8, by the specification.
    pub success_score: f64,
    /// Iterations in a row that must end at that score. Default 3, by the specification.
    pub success_iterations: u32,
    /// Seconds for which the score must have stayed there. Default 1,800: the specification asks for 30 minutes.
    pub stable_s: u32,
    /// Iterations of a run at most. Default 6, by the specification.
    pub iterations_max: u32,
    /// Score under which a person is told after the first iterations. Default 4, by the specification.
    pub escalate_under_score: f64,
    /// Iterations after which a person is told when the score is that low or has not improved. Default 3, by the
    /// specification.
    pub escalate_after_iterations: u32,
    /// Points that count as an improvement of the score. Default 1, by the specification.
    pub improvement_points: f64,
    /// Iterations in a row without a score after which a person is told. Default 2: one lost reading may be a hiccup of
    /// CloudWatch, two are ten minutes of blindness.
    pub unmeasured_iterations_max: u32,
    /// Score that an application can reach at most while one of its alarms stands. Default 7: somebody has said that
    /// this is not well, so it is never called a success.
    pub alarm_score_max: f64,
    /// Score that saturation alone can lower an application to. Default 6: short of resources but not yet felt by anybody
    /// is no reason for a restart, which begins under 6.
    pub saturation_score_min: f64,
    /// Weight of the mean of all symptoms beside the worst one, 0 to 0.5. Default 0.15: two things wrong is worse than
    /// one, but nothing that works makes up for what does not.
    pub mean_symptom_weight: f64,
    /// Requests in the window under which an error rate counts only as far as it is certain (lower 95 % bound). Default
    /// 100: below that one failed request would be a whole per cent.
    pub low_traffic_requests: f64,

    /// CPU of a fleet or service in per cent that is mentioned. Default 70: the specification's alarm.
    pub cpu_warn_pct: f64,
    /// CPU in per cent from which on it is scaled out. Default 80, by the specification.
    pub cpu_act_pct: f64,
    /// CPU in per cent that is urgent. Default 95: waiting time grows without bound.
    pub cpu_critical_pct: f64,
    /// CPU in per cent that scaling aims at. Default 60: the specification adds instances above it when it plans capacity.
    pub cpu_target_pct: f64,
    /// Memory in per cent that is mentioned. Default 75: ten points of warning before anything is done.
    pub memory_warn_pct: f64,
    /// Memory in per cent from which on something is done. Default 85, by the specification.
    pub memory_act_pct: f64,
    /// Memory in per cent that is urgent. Default 95: the next step is the out-of-memory kill.
    pub memory_critical_pct: f64,
    /// Memory in per cent that scaling aims at. Default 70: the specification takes larger instances above it.
    pub memory_target_pct: f64,
    /// Disk in per cent that is mentioned. Default 75: ten points of warning before anything is done.
    pub disk_warn_pct: f64,
    /// Disk in per cent from which on something is done. Default 85.
    pub disk_act_pct: f64,
    /// Disk in per cent that is urgent. Default 95: the reserve of the file system is all that is left.
    pub disk_critical_pct: f64,
    /// Hours to a full disk that are urgent. Default 24: a working day to react.
    pub disk_full_within_h: f64,

    /// Cache hit rate in per cent under which the cache is looked at. Default 70, by the specification.
    pub hit_rate_act_pct: f64,
    /// Points by which a hit rate must have fallen at an onset to speak of a poisoned cache. Default 20: more than the
    /// swing between day and night.
    pub hit_rate_fall_pct: f64,
    /// Points by which a hit rate must rise within a window to be left alone as cold. Default 3.
    pub hit_rate_rise_pct: f64,
    /// Look-ups in the window under which a hit rate means nothing. Default 100.
    pub lookups_min: f64,
    /// Share of the look-ups, in per cent, that evict an entry from which on a cache counts as too small. Default 5.
    pub evictions_act_pct: f64,

    /// CPU of a database in per cent from which on it no longer counts as idle. Default 70, as for servers.
    pub db_cpu_warn_pct: f64,
    /// CPU of a database in per cent from which on it is the bottleneck, so that more web servers don't help. Default 90.
    pub db_cpu_act_pct: f64,
    /// CPU of a database in per cent that is urgent. Default 98.
    pub db_cpu_critical_pct: f64,
    /// Connections in per cent of the maximum from which on a database no longer counts as idle. Default 60.
    pub connections_warn_pct: f64,
    /// Connections in per cent of the maximum that count as exhausted. Default 80, by the specification.
    pub connections_act_pct: f64,
    /// Connections in per cent of the maximum that are urgent. Default 95.
    pub connections_critical_pct: f64,
    /// Lag of a read replica in seconds that is a finding. Default 30: readers see what was true half a minute ago.
    pub replica_lag_act_s: f64,

    /// Seconds in which a backlog shall be worked off after scaling. Default 600: by the second measurement.
    pub backlog_drain_s: f64,
    /// Share of the consumers' capacity, in per cent, that new messages may take after scaling. Default 80.
    pub consumer_target_pct: f64,
    /// Tasks of a service without bounds of its own, at most. Default 20: growth without a ceiling is nobody's wish.
    pub service_count_max: u32,

    /// Robust z-score by which a member must stand out from its peers to be called sick. Default 6: at 3.5 one of a
    /// thousand healthy readings would.
    pub outlier_z: f64,
    /// Points by which a sick member must differ from its peers besides. Default 20: three servers at 40.1, 40.2 and 43 %
    /// are all well, whatever their z-scores.
    pub outlier_points: f64,
    /// Share of a fleet's members, in per cent, that may be sick at once. Default 40: over it nothing is changed on the fleet and a
    /// person is told, because so many are no bad machine but a common cause, and replacing them spreads it.
    pub sick_share_max_pct: f64,
    /// Seconds that a new member is left alone. Default 600: caches and just-in-time compilers warm up.
    pub newcomer_s: u32,
    /// Growth of memory in points an hour from which on it may be a leak. Default 2: a day fills half the memory.
    pub leak_pct_per_h_min: f64,
    /// Seconds of history that a leak needs. Default 1,800: less can't be told from warming up.
    pub leak_history_s: u32,
    /// Hours to full memory beyond which a leak is left to the next scheduled run. Default 24.
    pub leak_full_within_h: f64,
    /// Factor over the hours before that counts as a flood of requests. Default 4: a campaign doubles or triples.
    pub flood_factor: f64,
    /// Seconds after a deployment in which an onset of errors is put down to it. Default 900.
    pub deployment_onset_s: u32,
    /// Throttled calls per minute from which on they are a finding. Default 1: the first refused call is felt.
    pub throttles_act_per_min: f64,
    /// Probability under which a trend counts as real. Default 0.01: of a hundred series that stand still, one is called
    /// a trend.
    pub trend_p_max: f64,

    /// Seconds before a change that its effect is compared with. Default 300: the observed window; further back lie the
    /// time before the incident and the settling of the change before.
    pub verify_before_s: u32,
    /// Datapoints that a window must hold to be compared. Default 3: fewer have no scatter.
    pub verify_points_min: u32,
    /// Change of load in per cent up to which a worsening is not put down to it. Default 10: the scatter of load itself.
    pub load_steady_pct: f64,
    /// Improvement in per cent under which a change is not called verified. Default 5.
    pub effect_min_pct: f64,
    /// Share of the expected effect, in per cent, under which a change is not called verified. Default 25: a change that was
    /// meant to halve the errors and took a tenth off them has not done what it was made for.
    pub effect_share_min_pct: f64,
    /// Worsening in per cent from which on a change has regressed: of its own signal, or of latency or errors, whatever it
    /// was meant for. Default 15.
    pub harm_min_pct: f64,
    /// Response time in milliseconds under which a worsening harms nobody. Default 200: the budget.
    pub harm_latency_ms: f64,
    /// Error rate in per cent under which a worsening harms nobody. Default 0.1: the budget.
    pub harm_error_rate_pct: f64,
    /// Hours for which a remedy that made things worse is not planned again on the same resource. Default 24.
    pub regressed_bars_h: u32,
    /// Hours for which a remedy that could not be seen to help is not planned again on the same resource. Default 4: until
    /// the next scheduled run.
    pub inconclusive_bars_h: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window_s: 300,
            wait_s: 600,
            stale_after_s: 900,
            restart_under_score: 6.0,
            success_score: 8.0,
            success_iterations: 3,
            stable_s: 1_800,
            iterations_max: 6,
            escalate_under_score: 4.0,
            escalate_after_iterations: 3,
            improvement_points: 1.0,
            unmeasured_iterations_max: 2,
            alarm_score_max: 7.0,
            saturation_score_min: 6.0,
            mean_symptom_weight: 0.15,
            low_traffic_requests: 100.0,
            cpu_warn_pct: 70.0,
            cpu_act_pct: 80.0,
            cpu_critical_pct: 95.0,
            cpu_target_pct: 60.0,
            memory_warn_pct: 75.0,
            memory_act_pct: 85.0,
            memory_critical_pct: 95.0,
            memory_target_pct: 70.0,
            disk_warn_pct: 75.0,
            disk_act_pct: 85.0,
            disk_critical_pct: 95.0,
            disk_full_within_h: 24.0,
            hit_rate_act_pct: 70.0,
            hit_rate_fall_pct: 20.0,
            hit_rate_rise_pct: 3.0,
            lookups_min: 100.0,
            evictions_act_pct: 5.0,
            db_cpu_warn_pct: 70.0,
            db_cpu_act_pct: 90.0,
            db_cpu_critical_pct: 98.0,
            connections_warn_pct: 60.0,
            connections_act_pct: 80.0,
            connections_critical_pct: 95.0,
            replica_lag_act_s: 30.0,
            backlog_drain_s: 600.0,
            consumer_target_pct: 80.0,
            service_count_max: 20,
            outlier_z: 6.0,
            outlier_points: 20.0,
            sick_share_max_pct: 40.0,
            newcomer_s: 600,
            leak_pct_per_h_min: 2.0,
            leak_history_s: 1_800,
            leak_full_within_h: 24.0,
            flood_factor: 4.0,
            deployment_onset_s: 900,
            throttles_act_per_min: 1.0,
            trend_p_max: 0.01,
            verify_before_s: 300,
            verify_points_min: 3,
            load_steady_pct: 10.0,
            effect_min_pct: 5.0,
            effect_share_min_pct: 25.0,
            harm_min_pct: 15.0,
            harm_latency_ms: 200.0,
            harm_error_rate_pct: 0.1,
            regressed_bars_h: 24,
            inconclusive_bars_h: 4,
        }
    }
}
