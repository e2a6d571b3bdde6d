//! What contradicts in a policy. Says it; changes nothing.

use super::Policy;

/// Seconds that a rule may look back at most: less than [`HISTORY_S`](crate::snapshot::HISTORY_S), or it could never fire.
const LOOK_BACK_MAX_S: f64 = 7_200.0;

/// A key and what is wrong with its value.
type Found = Option<(&'static str, String)>;

impl Policy {
    /// What contradicts: the key as in the configuration, and a sentence of which it is the subject. Empty when all is well.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        let found = [self.levels(), self.scores(), self.times(), self.counts(), self.rest()];
        found.into_iter().flatten().flatten().collect()
    }

    fn levels(&self) -> Vec<Found> {
        let levels = [
            [
                ("cpu_warn_pct", self.cpu_warn_pct),
                ("cpu_act_pct", self.cpu_act_pct),
                ("cpu_critical_pct", self.cpu_critical_pct),
            ],
            [
                ("memory_warn_pct", self.memory_warn_pct),
                ("memory_act_pct", self.memory_act_pct),
                ("memory_critical_pct", self.memory_critical_pct),
            ],
            [
                ("disk_warn_pct", self.disk_warn_pct),
                ("disk_act_pct", self.disk_act_pct),
                ("disk_critical_pct", self.disk_critical_pct),
            ],
            [
                ("db_cpu_warn_pct", self.db_cpu_warn_pct),
                ("db_cpu_act_pct", self.db_cpu_act_pct),
                ("db_cpu_critical_pct", self.db_cpu_critical_pct),
            ],
            [
                ("connections_warn_pct", self.connections_warn_pct),
                ("connections_act_pct", self.connections_act_pct),
                ("connections_critical_pct", self.connections_critical_pct),
            ],
        ];
        let mut found: Vec<Found> = levels
            .into_iter()
            .flat_map(|[warn, act, critical]| {
                [positive(warn.0, warn.1), under(warn, act), under(act, critical), at_most(critical, 100.0)]
            })
            .collect();
        found.extend([
            positive("cpu_target_pct", self.cpu_target_pct),
            under(("cpu_target_pct", self.cpu_target_pct), ("cpu_act_pct", self.cpu_act_pct)),
            positive("memory_target_pct", self.memory_target_pct),
            under(("memory_target_pct", self.memory_target_pct), ("memory_act_pct", self.memory_act_pct)),
        ]);
        found
    }

    fn scores(&self) -> Vec<Found> {
        let restart = ("restart_under_score", self.restart_under_score);
        let success = ("success_score", self.success_score);
        vec![
            at_least(("escalate_under_score", self.escalate_under_score), 1.0),
            under(("escalate_under_score", self.escalate_under_score), restart),
            under(restart, success),
            at_most(success, 10.0),
            at_least(("alarm_score_max", self.alarm_score_max), 1.0),
            // Or an application would be called well while its alarm stands.
            under(("alarm_score_max", self.alarm_score_max), success),
            at_least(("saturation_score_min", self.saturation_score_min), self.restart_under_score),
            under(("saturation_score_min", self.saturation_score_min), success),
            within("mean_symptom_weight", self.mean_symptom_weight, 0.0, 0.5),
            positive("improvement_points", self.improvement_points),
            at_most(("improvement_points", self.improvement_points), 9.0),
        ]
    }

    fn times(&self) -> Vec<Found> {
        let window_s = f64::from(self.window_s);
        vec![
            within("window_s", window_s, 60.0, 3_600.0),
            // Or the second measurement would hold values from before the change; and the lease must outlive the wait.
            within("wait_s", f64::from(self.wait_s), window_s, 1_200.0),
            at_least(("stale_after_s", f64::from(self.stale_after_s)), window_s),
            within("verify_before_s", f64::from(self.verify_before_s), window_s, LOOK_BACK_MAX_S),
            at_most(("leak_history_s", f64::from(self.leak_history_s)), LOOK_BACK_MAX_S),
        ]
    }

    fn counts(&self) -> Vec<Found> {
        let max = f64::from(self.iterations_max);
        vec![
            within("iterations_max", max, 1.0, 20.0),
            within("success_iterations", f64::from(self.success_iterations), 1.0, max),
            within("escalate_after_iterations", f64::from(self.escalate_after_iterations), 1.0, max),
            within("unmeasured_iterations_max", f64::from(self.unmeasured_iterations_max), 1.0, max),
            at_least(("verify_points_min", f64::from(self.verify_points_min)), 2.0),
            at_least(("service_count_max", f64::from(self.service_count_max)), 1.0),
        ]
    }

    fn rest(&self) -> Vec<Found> {
        let over_zero = [
            ("low_traffic_requests", self.low_traffic_requests),
            ("disk_full_within_h", self.disk_full_within_h),
            ("hit_rate_fall_pct", self.hit_rate_fall_pct),
            ("hit_rate_rise_pct", self.hit_rate_rise_pct),
            ("lookups_min", self.lookups_min),
            ("evictions_act_pct", self.evictions_act_pct),
            ("replica_lag_act_s", self.replica_lag_act_s),
            ("backlog_drain_s", self.backlog_drain_s),
            ("outlier_z", self.outlier_z),
            ("outlier_points", self.outlier_points),
            ("leak_pct_per_h_min", self.leak_pct_per_h_min),
            ("leak_full_within_h", self.leak_full_within_h),
            ("throttles_act_per_min", self.throttles_act_per_min),
            ("trend_p_max", self.trend_p_max),
            ("load_steady_pct", self.load_steady_pct),
            ("effect_min_pct", self.effect_min_pct),
            ("harm_min_pct", self.harm_min_pct),
            ("harm_latency_ms", self.harm_latency_ms),
            ("harm_error_rate_pct", self.harm_error_rate_pct),
        ];
        let mut found: Vec<Found> = over_zero.into_iter().map(|(key, value)| positive(key, value)).collect();
        found.extend([
            within("hit_rate_act_pct", self.hit_rate_act_pct, 1.0, 99.0),
            within("sick_share_max_pct", self.sick_share_max_pct, 1.0, 100.0),
            within("consumer_target_pct", self.consumer_target_pct, 1.0, 99.0),
            within("effect_share_min_pct", self.effect_share_min_pct, 0.0, 100.0),
            at_most(("trend_p_max", self.trend_p_max), 0.1),
            under(("1", 1.0), ("flood_factor", self.flood_factor)),
        ]);
        found
    }
}

// Comparisons are written so that "not a number" is found wrong as well.

fn positive(key: &'static str, value: f64) -> Found {
    (value.is_nan() || value <= 0.0).then(|| (key, format!("must be above 0, not {value}")))
}

fn at_least((key, value): (&'static str, f64), min: f64) -> Found {
    (value.is_nan() || value < min).then(|| (key, format!("must be at least {min}, not {value}")))
}

fn at_most((key, value): (&'static str, f64), max: f64) -> Found {
    (value.is_nan() || value > max).then(|| (key, format!("must be at most {max}, not {value}")))
}

fn within(key: &'static str, value: f64, min: f64, max: f64) -> Found {
    (!(min..=max).contains(&value)).then(|| (key, format!("must be from {min} to {max}, not {value}")))
}

/// The larger one is named, which is where most people correct it.
fn under((small_key, small): (&'static str, f64), (key, value): (&'static str, f64)) -> Found {
    let fine = small < value;
    (!fine).then(|| match small_key.parse::<f64>() {
        Ok(_) => (key, format!("must be above {small_key}, not {value}")),
        Err(_) => (key, format!("must be above {small_key}, which is {small}, not {value}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_contradict_nothing() {
        assert_eq!(Policy::default().check(), Vec::new());
    }

    #[test]
    fn each_contradiction_is_one_sentence_with_the_names_and_numbers() {
        type Case = (fn(&mut Policy), &'static str, &'static str);
        let cases: [Case; 15] = [
            (|p| p.cpu_act_pct = 69.0, "cpu_act_pct", "must be above cpu_warn_pct, which is 70, not 69"),
            (|p| p.memory_critical_pct = 120.0, "memory_critical_pct", "must be at most 100, not 120"),
            (|p| p.cpu_target_pct = 80.0, "cpu_act_pct", "must be above cpu_target_pct, which is 80, not 80"),
            (|p| p.success_score = 5.0, "success_score", "must be above restart_under_score, which is 6, not 5"),
            (|p| p.alarm_score_max = 9.0, "success_score", "must be above alarm_score_max, which is 9, not 8"),
            (|p| p.saturation_score_min = 2.0, "saturation_score_min", "must be at least 6, not 2"),
            (|p| p.wait_s = 60, "wait_s", "must be from 300 to 1200, not 60"),
            (|p| p.success_iterations = 7, "success_iterations", "must be from 1 to 6, not 7"),
            (|p| p.escalate_after_iterations = 0, "escalate_after_iterations", "must be from 1 to 6, not 0"),
            (|p| p.outlier_z = f64::NAN, "outlier_z", "must be above 0, not NaN"),
            (|p| p.flood_factor = 1.0, "flood_factor", "must be above 1, not 1"),
            (|p| p.verify_points_min = 1, "verify_points_min", "must be at least 2, not 1"),
            (|p| p.verify_before_s = 9_000, "verify_before_s", "must be from 300 to 7200, not 9000"),
            (|p| p.leak_history_s = 7_201, "leak_history_s", "must be at most 7200, not 7201"),
            (|p| p.mean_symptom_weight = 0.9, "mean_symptom_weight", "must be from 0 to 0.5, not 0.9"),
        ];
        for (set, key, says) in cases {
            let mut policy = Policy::default();
            set(&mut policy);
            let wrong = policy.check();
            assert!(wrong.contains(&(key, says.to_owned())), "{key}: {wrong:?}");
        }
    }

    #[test]
    fn no_rule_may_look_back_further_than_a_snapshot_reaches() {
        assert!(LOOK_BACK_MAX_S < f64::from(crate::snapshot::HISTORY_S));
    }

    #[test]
    fn an_unknown_threshold_is_refused_and_a_missing_one_has_its_default() {
        let some: Policy = serde_json::from_str(r#"{"cpu_act_pct": 75}"#).unwrap();
        assert_eq!(some, Policy { cpu_act_pct: 75.0, ..Policy::default() });
        assert!(serde_json::from_str::<Policy>(r#"{"cpu_act": 75}"#).is_err());
    }
}
