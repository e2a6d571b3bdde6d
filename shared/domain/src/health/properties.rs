//! What holds for every snapshot, plan and record, whatever the numbers.

use super::fixture::{MEMBERS, NOW, Shop};
use super::plan::plan;
use super::policy::Policy;
use super::{Memory, Next, analyze, iterate, verify};
use crate::change::{Action, Better, Change, Expectation};
use crate::execution::IterationRecord;
use crate::guard::Limits;
use crate::objective::Objectives;
use crate::observed::{Missing, Observed};
use crate::outcome::Verdict;
use crate::resource::Live;
use jiff::SignedDuration;
use proptest::prelude::*;

/// Signal, resource, smallest and largest level, and whether more is worse.
const RANGES: [(&str, &str, f64, f64, bool); 12] = [
    ("latency_p95_ms", "tg", 10.0, 5_000.0, true),
    ("errors_5xx", "tg", 0.0, 3_000.0, true),
    ("hosts_unhealthy", "tg", 0.0, 4.0, true),
    ("fleet_cpu_pct", "asg", 1.0, 100.0, true),
    ("fleet_memory_pct", "asg", 1.0, 100.0, true),
    ("service_cpu_pct", "ecs", 1.0, 100.0, true),
    ("db_cpu_pct", "db", 1.0, 100.0, true),
    ("db_connections", "db", 1.0, 450.0, true),
    ("db_free_storage_bytes", "db", 1.0e9, 1.0e11, false),
    ("cache_misses", "cache", 0.0, 60_000.0, true),
    ("queue_depth", "queue", 0.0, 20_000.0, true),
    ("queue_oldest_s", "queue", 0.0, 5_000.0, true),
];

/// Positions between smallest and largest, one per range.
fn positions() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.0_f64..=1.0, RANGES.len())
}

fn level(index: usize, position: f64) -> f64 {
    let (_, _, low, high, _) = RANGES[index];
    low + position * (high - low)
}

fn shop(positions: &[f64]) -> Shop {
    RANGES.iter().enumerate().fold(Shop::new(), |shop, (index, (signal, resource, ..))| {
        let level = level(index, positions[index]);
        shop.law(signal, resource, move |_| Some(level))
    })
}

fn failure() -> impl Strategy<Value = Missing> {
    prop_oneof![
        Just(Missing::Throttled),
        Just(Missing::Partial),
        Just(Missing::Denied("cloudwatch:GetMetricData".to_owned())),
        Just(Missing::Failed("a lost answer".to_owned())),
        Just(Missing::Gone),
    ]
}

fn record(iteration: u32, scores: (Option<f64>, Option<f64>)) -> IterationRecord {
    let at = NOW + SignedDuration::from_mins(11 * i64::from(iteration));
    IterationRecord {
        iteration,
        at,
        score: scores.0,
        score_after: scores.1,
        measured_at: Some(at + SignedDuration::from_mins(10)),
        applied: 0,
        verified: 0,
        undone: 0,
        refused: 0,
        answer_lost: false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn prop_the_score_lies_between_1_and_10_and_each_signal_s_too(positions in positions()) {
        let analysis = shop(&positions).analysis();
        let scores = analysis.signals.iter().map(|signal| &signal.score).chain([&analysis.score]);
        for score in scores.filter_map(Observed::known) {
            prop_assert!((1.0..=10.0).contains(score), "{score}");
        }
    }

    #[test]
    fn prop_making_a_signal_worse_never_raises_the_score(positions in positions(), index in 0..RANGES.len(), worse in 0.0_f64..=1.0) {
        let mut bad = positions.clone();
        let more_is_worse = RANGES[index].4;
        bad[index] = if more_is_worse { bad[index].max(worse) } else { bad[index].min(worse) };
        let (before, after) = (shop(&positions).score().unwrap(), shop(&bad).score().unwrap());
        prop_assert!(after <= before + 1e-9, "{} from {before} to {after}", RANGES[index].0);
    }

    #[test]
    fn prop_missing_never_makes_a_score_better(positions in positions(), pick in any::<prop::sample::Index>(), reason in failure()) {
        let known = shop(&positions);
        let before = known.score().unwrap();
        let mut blind = known;
        let count = blind.snapshot.measurements.len();
        blind.snapshot.measurements[pick.index(count)].series = Observed::Missing(reason);
        if let Some(after) = blind.score() {
            prop_assert!(after <= before + 1e-9, "{before} to {after}");
        }
    }

    #[test]
    fn prop_the_same_input_gives_the_same_bytes(positions in positions()) {
        let shop = shop(&positions);
        let bytes = || {
            let (analysis, memory) = analyze(&shop.snapshot, &Objectives::default(), &Policy::default(), Memory::default());
            let plan = plan(&shop.snapshot, &analysis, &Policy::default(), &Limits::default(), &[], &"run".into(), 1);
            serde_json::to_vec(&(analysis, memory, plan)).unwrap()
        };
        prop_assert_eq!(bytes(), bytes());
    }

    #[test]
    fn prop_a_plan_never_leaves_the_bounds_of_the_owner_nor_shrinks_anything(
        positions in positions(),
        (min, desired, max) in (1_u32..5, 0_u32..10, 0_u32..20),
        factor in 1.0_f64..4.0,
        sent in 0.0_f64..9_000.0,
    ) {
        let desired = min + desired;
        let max = desired + max;
        let cpu = level(3, positions[3]);
        let shop = shop(&positions)
            .is("queue_sent", "queue", sent)
            .fleet(|fleet| (fleet.min, fleet.desired, fleet.max) = (min, desired, max))
            .service(|service| (service.desired, service.running, service.bounds) = (desired, desired, Some((min, max))));
        let shop = MEMBERS.iter().fold(shop, |shop, member| shop.member("instance_cpu_pct", member, move |_| Some(cpu)));
        let limits = Limits { step_factor_max: factor, ..Limits::default() };
        let plan = plan(&shop.snapshot, &shop.analysis(), &Policy::default(), &limits, &[], &"run".into(), 1);
        for change in &plan.changes {
            if let Action::SetFleetCapacity { desired: wanted, .. } | Action::SetServiceCount { desired: wanted, .. } = change.action {
                prop_assert!(desired < wanted && wanted <= max, "{desired} to {wanted} in {min}..{max}");
                let step = f64::from(wanted) <= f64::from(desired) * factor || wanted == desired + 1;
                prop_assert!(step, "{desired} to {wanted} at a factor of {factor}");
            }
            prop_assert_eq!(plan.changes.iter().filter(|other| other.resource == change.resource).count(), 1);
        }
    }

    #[test]
    fn prop_a_run_always_ends_within_six_iterations_and_never_well_without_a_measured_score(
        scores in prop::collection::vec((prop::option::of(1.0_f64..10.0), prop::option::of(1.0_f64..10.0)), 8),
        lost in prop::collection::vec(any::<bool>(), 8),
    ) {
        let mut records: Vec<IterationRecord> = (1..).zip(&scores).map(|(iteration, scores)| record(iteration, *scores)).collect();
        records.iter_mut().zip(&lost).for_each(|(record, lost)| record.answer_lost = *lost);
        // Those with a lost answer come on top, two at most.
        let most = 6 + lost.iter().filter(|lost| **lost).count().min(2);
        let policy = Policy::default();
        let now = NOW + SignedDuration::from_hours(3);
        let ends = (1..=most).find(|count| iterate(&records[..*count], &policy, now) != Next::Continue);
        prop_assert!(ends.is_some());
        if let Some(count) = ends
            && let Next::Succeeded { why } = iterate(&records[..count], &policy, now)
        {
            let last: Vec<_> = records[..count].iter().rev().take(3).map(|record| record.score_after).collect();
            prop_assert!(last.len() == 3 && last.iter().all(|score| score.is_some_and(|score| score >= 8.0)), "{why}");
        }
    }

    #[test]
    fn prop_a_useless_change_is_never_verified_whatever_the_load_does(
        utilization in 0.2_f64..0.96, ratio in 0.3_f64..1.0, symptom in any::<bool>()
    ) {
        let web = |load: f64| {
            let rho = utilization * load;
            Shop::new()
                .is("fleet_cpu_pct", "asg", 100.0 * rho)
                .is("latency_p95_ms", "tg", 50.0 / (1.0 - rho))
                .is("requests", "tg", 20_000.0 * load)
        };
        let (signal, on, before) = if symptom { ("latency_p95_ms", "tg", 500.0) } else { ("fleet_cpu_pct", "asg", 90.0) };
        let change = Change {
            id: "change".into(),
            action: Action::SetFleetCapacity { group: "shop-web".to_owned(), desired: 7 },
            resource: "asg".into(),
            because: "saturation".into(),
            reason: String::new(),
            expected: Expectation { signal: signal.into(), resource: on.into(), better: Better::Lower, before, after: 0.9 * before },
            cost_usd_cents_month: None,
            rollout: None,
        };
        let after = web(ratio).at(NOW + SignedDuration::from_mins(11));
        let outcome = verify(&change, &web(1.0).snapshot, &after.snapshot, NOW, &Policy::default());
        prop_assert_ne!(outcome.verdict, Verdict::Verified, "{}", outcome.why);
    }
}

#[test]
fn the_memory_feeds_each_point_once_and_survives_a_state_it_cannot_read() {
    let shop = Shop::new();
    let (objectives, policy) = (Objectives::default(), Policy::default());
    let (_, first) = analyze(&shop.snapshot, &objectives, &policy, Memory::default());
    assert!(!first.is_empty() && first.len() <= super::SERIES_MAX);
    let (_, again) = analyze(&shop.snapshot, &objectives, &policy, first.clone());
    assert_eq!(first, again, "the same snapshot teaches nothing new");
    let mut stored = serde_json::to_value(&first).unwrap();
    let key = stored["detectors"].as_object().unwrap().keys().next().unwrap().clone();
    stored["detectors"][&key]["version"] = serde_json::json!(200);
    let read: Memory = serde_json::from_value(stored).unwrap();
    assert_eq!(read.len(), first.len() - 1, "one starts anew, the others go on");
}

#[test]
fn an_anomaly_is_evidence_and_no_reason_for_a_change() {
    let shop = Shop::new().became("requests", "tg", 25_000.0, 6.0);
    let analysis = shop.analysis();
    assert!(analysis.anomalies.iter().any(|anomaly| anomaly.signal.as_str() == "requests"), "{:?}", analysis.anomalies);
    assert!(shop.plan(&[]).changes.is_empty());
    assert!(matches!(shop.snapshot.resources[2].live, Live::AutoScalingGroup(_)));
}
