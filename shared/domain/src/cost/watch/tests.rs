//! The watch on both sides of its bounds.

use super::*;
use crate::change::{Action, Better, Expectation};
use crate::cost::fixture::NOW;
use crate::cost::plan::WASTE;
use crate::ids::{AppId, ChangeId, ResourceId, RuleId, SignalId};
use crate::observed::{Missing, Observed};
use crate::resource::{Fleet, Live, Resource, Tags};
use crate::series::Series;
use jiff::SignedDuration;
use proptest::prelude::{ProptestConfig, any, proptest};

const DOOR: &str = "tg/shop";

fn change(action: Action) -> Change {
    Change {
        id: ChangeId::from("c1"),
        action,
        resource: ResourceId::from("volume/vol-1"),
        because: RuleId::from("gp2_volume"),
        reason: String::new(),
        expected: Expectation {
            signal: SignalId::from(WASTE),
            resource: ResourceId::from("volume/vol-1"),
            better: Better::Lower,
            before: 5.0,
            after: 0.0,
        },
        cost_usd_cents_month: Some(-500),
        rollout: None,
    }
}

fn gp3() -> Change {
    let (volume, volume_type) = ("vol-1".to_owned(), "gp3".to_owned());
    change(Action::SetVolumeType { volume, volume_type, iops: 3_000, throughput_mibps: 125 })
}

fn smaller() -> Change {
    change(Action::SetFleetCapacity { group: "web".to_owned(), desired: 2 })
}

/// Three hours of a shop: response time with a small ripple, requests and failures a minute.
fn shop(latency_ms: f64, requests: f64, errors: f64) -> Snapshot {
    let series = |of: fn(f64, f64) -> f64, level: f64| {
        let ripple = (0..175_u8).map(|minute| of(level, f64::from(minute % 7) / 7.0 - 0.5));
        let start = NOW - SignedDuration::from_mins(175);
        Observed::Known(Series { start, period_s: 60, values: ripple.map(Some).collect() })
    };
    let measured = |signal: &str, series| Measurement {
        signal: SignalId::from(signal),
        resource: ResourceId::from(DOOR),
        member: None,
        series,
    };
    Snapshot {
        app: AppId::from("shop"),
        taken_at: NOW,
        window_s: 300,
        resources: Vec::new(),
        measurements: vec![
            measured("latency_p95_ms", series(|level, ripple| level * (1.0 + ripple / 50.0), latency_ms)),
            measured("requests", series(|level, _| level, requests)),
            measured("errors_5xx", series(|level, _| level, errors)),
        ],
        alarms: Observed::Known(Vec::new()),
        undiscovered: Vec::new(),
        prices: Vec::new(),
        weeks: Vec::new(),
    }
}

fn verdict(change: &Change, after: &Snapshot) -> (Verdict, bool) {
    let outcome = watch(change, &shop(100.0, 6_000.0, 1.0), after, &Policy::default());
    (outcome.verdict, outcome.keep)
}

#[test]
fn a_loss_of_a_tenth_for_certain_takes_a_change_back_and_the_exclusion_of_one_keeps_it() {
    for (latency_ms, expected) in [
        (100.0, (Verdict::Verified, true)),
        (90.0, (Verdict::Verified, true)),
        (109.0, (Verdict::Verified, true)),
        (110.2, (Verdict::Regressed, false)),
        (150.0, (Verdict::Regressed, false)),
    ] {
        assert_eq!(verdict(&gp3(), &shop(latency_ms, 6_000.0, 1.0)), expected, "{latency_ms} ms");
    }
}

#[test]
fn regression_an_outcome_names_the_signal_whose_levels_it_carries() {
    let outcome = watch(&gp3(), &shop(100.0, 6_000.0, 1.0), &shop(150.0, 6_000.0, 1.0), &Policy::default());
    assert_eq!((outcome.signal.as_str(), outcome.resource.as_str()), ("latency_p95_ms", DOOR));
    assert!(outcome.before.is_some_and(|ms| (99.0..101.0).contains(&ms)), "{outcome:?}");
}

#[test]
fn failed_requests_take_it_back_whatever_the_response_time() {
    assert_eq!(verdict(&gp3(), &shop(100.0, 6_000.0, 29.0)), (Verdict::Verified, true), "99.52 %");
    assert_eq!(verdict(&gp3(), &shop(100.0, 6_000.0, 31.0)), (Verdict::Regressed, false), "99.48 %");
    let bad_before = watch(&gp3(), &shop(100.0, 6_000.0, 40.0), &shop(100.0, 6_000.0, 40.0), &Policy::default());
    assert_eq!(bad_before.verdict, Verdict::Verified, "no worse than before is not this change's doing");
}

#[test]
fn a_load_that_has_gone_away_proves_nothing() {
    assert_eq!(verdict(&smaller(), &shop(100.0, 4_900.0, 1.0)), (Verdict::Verified, true), "82 %");
    assert_eq!(verdict(&smaller(), &shop(100.0, 4_700.0, 1.0)), (Verdict::Inconclusive, false), "78 %: undone");
    assert_eq!(verdict(&gp3(), &shop(100.0, 4_700.0, 1.0)), (Verdict::Inconclusive, true), "by the rule of its kind");
    assert_eq!(verdict(&smaller(), &shop(120.0, 4_700.0, 1.0)), (Verdict::Regressed, false), "worse at less load");
}

/// The shop behind a fleet of four at 2 % CPU.
fn idle_fleet(latency_ms: f64, requests: f64) -> Snapshot {
    let mut shop = shop(latency_ms, requests, 1.0);
    let fleet = Fleet {
        min: 1,
        max: 8,
        desired: 4,
        instances: Vec::new(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: vec![ResourceId::from(DOOR)],
    };
    let mut cpu = shop.measurements[0].clone();
    cpu.signal = SignalId::from("fleet_cpu_pct");
    cpu.resource = ResourceId::from("volume/vol-1");
    if let Observed::Known(series) = &mut cpu.series {
        series.values.fill(Some(2.0));
    }
    shop.resources.push(Resource {
        id: cpu.resource.clone(),
        name: "web".to_owned(),
        tags: Tags::default(),
        live: Live::AutoScalingGroup(fleet),
    });
    shop.measurements.push(cpu);
    shop
}

#[test]
fn more_than_a_smaller_fleet_explains_takes_it_back_whatever_is_allowed() {
    let before = idle_fleet(100.0, 6_000.0);
    // Two of four members at 2 %: at most 100 · 0.98 / (1 − 0.044) = 102.5 ms.
    for (latency_ms, requests, expected) in [
        (102.0, 6_000.0, Verdict::Verified),
        (104.0, 6_000.0, Verdict::Regressed),
        (104.0, 12_000.0, Verdict::Verified),
        (111.0, 6_000.0, Verdict::Regressed),
    ] {
        let outcome = watch(&smaller(), &before, &idle_fleet(latency_ms, requests), &Policy::default());
        assert_eq!(outcome.verdict, expected, "{latency_ms} ms at {requests}: {}", outcome.why);
    }
    let outcome = watch(&smaller(), &before, &idle_fleet(104.0, 6_000.0), &Policy::default());
    let words = "slower than a smaller fleet explains: latency_p95_ms of tg/shop went from 100 to 104 ms at the same time of day";
    assert!(
        outcome.why.starts_with(words) && outcome.why.ends_with("; 100 to 102 ms were expected)"),
        "{}",
        outcome.why
    );
}

#[test]
fn what_is_not_measured_is_not_harmless() {
    let mut blind = shop(100.0, 6_000.0, 1.0);
    blind.measurements[0].series = Observed::Missing(Missing::Throttled);
    assert_eq!(verdict(&smaller(), &blind), (Verdict::Inconclusive, false));
    let nobody = watch(&smaller(), &Snapshot { measurements: Vec::new(), ..blind.clone() }, &blind, &Policy::default());
    assert_eq!((nobody.verdict, nobody.keep), (Verdict::Inconclusive, false));
    let without = watch_without_before(&gp3(), &blind, "it is gone");
    assert_eq!((without.verdict, without.keep, without.why.as_str()), (Verdict::Inconclusive, true, "it is gone"));
}

#[test]
fn what_can_t_be_undone_stays_and_the_verdict_says_what_happened() {
    let delete = change(Action::DeleteVolume { volume: "vol-1".to_owned() });
    assert_eq!(verdict(&delete, &shop(150.0, 6_000.0, 1.0)), (Verdict::Regressed, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Never verified at a loss beyond the bound, never regressed at a gain.
    #[test]
    fn no_loss_is_called_harmless_and_no_gain_harmful(latency_ms in 20.0..300.0_f64, _seed in any::<u8>()) {
        let (verdict, _) = verdict(&gp3(), &shop(latency_ms, 6_000.0, 1.0));
        assert!(!(verdict == Verdict::Verified && latency_ms > 111.0), "{latency_ms}");
        assert!(!(verdict == Verdict::Regressed && latency_ms < 109.0), "{latency_ms}");
    }
}
