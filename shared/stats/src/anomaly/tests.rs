//! Behaviour that callers rely on: no look-ahead, redelivery, gaps, restarts, units.

mod reference;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use reference::Reference;

use super::{ALERT_SCORE, Detector, Score, View};

const STEP_S: i64 = 300;

/// A reproducible noise source (SplitMix64), uniform in −1..1.
fn noise(seed: u64) -> f64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// A daily wave with noise, five minutes a point.
fn wave(i: u64) -> f64 {
    50.0 + 20.0 * (i as f64 / 288.0 * std::f64::consts::TAU).sin() + 2.0 * noise(i)
}

fn feed(detector: &mut Detector, values: impl IntoIterator<Item = f64>) -> Vec<Option<Score>> {
    let start = detector.last_time_s().map_or(0, |t| t + STEP_S);
    values.into_iter().zip(0..).map(|(value, i)| detector.update(start + i * STEP_S, value)).collect()
}

fn scores(values: impl IntoIterator<Item = f64>) -> Vec<Option<Score>> {
    feed(&mut Detector::default(), values)
}

fn value_of(score: Option<Score>) -> f64 {
    score.map_or(0.0, |s| s.value)
}

#[test]
fn a_spike_alerts_and_names_the_expected_level() {
    let mut detector = Detector::default();
    feed(&mut detector, (0..2000).map(wave));
    let usual = wave(2000);
    let score = feed(&mut detector, [usual + 60.0])[0].unwrap();
    assert!(score.value > ALERT_SCORE, "{score:?}");
    assert!((score.expected - usual).abs() < 10.0, "{score:?}");
}

#[test]
fn a_second_spike_like_the_first_is_damped() {
    let mut detector = Detector::default();
    feed(&mut detector, (0..2000).map(wave));
    let first = value_of(feed(&mut detector, [120.0])[0]);
    feed(&mut detector, (2001..2004).map(wave));
    let second = value_of(feed(&mut detector, [118.0])[0]);
    assert!(first > ALERT_SCORE && second < ALERT_SCORE, "{first} {second}");
}

#[test]
fn a_missing_daily_rise_alerts_by_season() {
    let mut detector = Detector::default();
    let level = |i: u64| if i % 288 < 144 { 20.0 } else { 80.0 } + noise(i);
    feed(&mut detector, (0..288 * 9).map(level));
    let stuck = feed(&mut detector, (288 * 9..288 * 10).map(|i| 20.0 + noise(i)));
    let worst = stuck.into_iter().flatten().max_by(|a, b| a.value.total_cmp(&b.value)).unwrap();
    assert!(worst.value > ALERT_SCORE && worst.view == View::Season, "{worst:?}");
}

#[test]
fn a_change_after_a_constant_series_alerts() {
    let mut detector = Detector::default();
    let calm = feed(&mut detector, std::iter::repeat_n(7.0, 1000));
    assert!(calm.into_iter().all(|s| value_of(s) == 0.0));
    assert!(value_of(feed(&mut detector, [8.0])[0]) > ALERT_SCORE);
}

#[test]
fn noise_alone_alerts_rarely() {
    let alerts = scores((0..4000).map(noise)).into_iter().filter(|s| value_of(*s) >= ALERT_SCORE).count();
    assert!(alerts <= 4, "{alerts}");
}

#[test]
fn the_first_points_never_alert() {
    let wild = (0..100).map(|i| noise(i) * 10_f64.powi(i32::try_from(i % 17).unwrap()));
    assert!(scores(wild).into_iter().all(|s| value_of(s) < ALERT_SCORE));
}

#[test]
fn a_point_delivered_again_or_late_changes_nothing() {
    let mut detector = Detector::default();
    feed(&mut detector, (0..500).map(wave));
    let before = detector.clone();
    let last = detector.last_time_s().unwrap();
    assert_eq!(detector.update(last, 1e6), None);
    assert_eq!(detector.update(last - 900, 1e6), None);
    assert_eq!(detector, before);
}

#[test]
fn missing_values_are_skipped_and_never_learnt() {
    let mut detector = Detector::default();
    feed(&mut detector, (0..500).map(wave));
    let before = detector.clone();
    for (i, value) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1e31].into_iter().enumerate() {
        assert_eq!(detector.update(10_000_000 + i as i64, value), None);
    }
    assert_eq!(detector, before);
}

#[test]
fn a_point_at_the_ends_of_time_is_accepted() {
    let mut detector = Detector::default();
    assert!(detector.update(i64::MIN, 1.0).is_some());
    assert!(detector.update(i64::MAX, f64::MIN_POSITIVE).is_some());
}

#[test]
fn the_stored_state_is_small_and_does_not_grow() {
    let mut detector = Detector::default();
    for (i, limit) in [(0_u64, 7000), (100, 7000), (30_000, 7000)] {
        feed(&mut detector, (0..i).map(wave));
        let size = serde_json::to_string(&detector).unwrap().len();
        assert!(size < limit, "{size} bytes after {i} points");
    }
}

#[test]
fn refuses_a_state_of_another_version_or_a_damaged_one() {
    let good = serde_json::to_value(Detector::default()).unwrap();
    let change = |key: &str, value: serde_json::Value| {
        let mut bad = good.clone();
        bad[key] = value;
        serde_json::from_value::<Detector>(bad).unwrap_err().to_string()
    };
    assert_eq!(change("version", 9.into()), "detector state has version 9, this build reads version 1");
    assert_eq!(change("origin", "AAAA".into()), "expected 8 bytes, found 3");
    assert_eq!(change("shape_tail", serde_json::json!({"at_least": "*"})), "expected base64");
}

/// Whole numbers from a source without rounding, so that the state is the same on every machine.
fn exact_series() -> impl Iterator<Item = f64> {
    (0..5000_u64)
        .map(|i| (noise(i) * 64.0).round() + if i % 288 < 144 { 20.0 } else { 80.0 } + (i / 1900) as f64 * 300.0)
}

/// Memories that are stored already go on as if nothing had changed. `last_alert` is left out: it comes from logarithms, whose
/// last bit is the machine's business.
#[test]
fn the_stored_state_is_the_same_as_ever() {
    let mut detector = Detector::default();
    feed(&mut detector, exact_series());
    let mut state = serde_json::to_value(&detector).unwrap();
    state["last_alert"] = "".into();
    let hash: String = Sha256::digest(state.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "ff1712468ddd1b4798e48a00c597fd2ce5955ba3669cada1031cfef24e09f585");
}

/// Feeds both; compares every score to the last bit.
fn compare(points: impl IntoIterator<Item = (i64, f64)>) -> Result<(), TestCaseError> {
    let (mut fast, mut plain) = (Detector::default(), Reference::default());
    for (time_s, value) in points {
        let (fast, plain) = (fast.update(time_s, value), plain.update(time_s, value));
        prop_assert_eq!(fast, plain, "at {}", time_s);
    }
    Ok(())
}

/// Long enough that every memory is full and the histograms have halved their counts twice.
#[test]
fn equals_the_plain_detector_on_an_endless_series() {
    let jump = |i: u64| if i % 7001 < 40 { 500.0 } else { 0.0 };
    compare((0..45_000).map(|i| (i as i64 * STEP_S, wave(i) + jump(i)))).unwrap();
}

/// Pieces of what series are made of, glued together: noise, steps, constants, ramps, spikes, steps of the number format.
fn pieces() -> impl Strategy<Value = Vec<f64>> {
    let piece = (0_u32..7, 1_usize..400, -3_i32..7, any::<u64>()).prop_map(|(kind, points, power, seed)| {
        let scale = 10_f64.powi(power);
        let point = move |i: usize| {
            let chance = noise(seed.wrapping_add(i as u64));
            match kind {
                0 => chance * scale,
                1 => scale,
                2 => scale + (chance * 8.0).round(),
                3 => i as f64 * scale,
                4 if chance > 0.9 => f64::NAN,
                4 => 50.0 + chance,
                5 if i.is_multiple_of(37) => 100.0 * scale,
                5 => chance * 0.01 * scale,
                _ => 40.0 + 20.0 * (i as f64 / 24.0).sin(),
            }
        };
        (0..points).map(point).collect::<Vec<_>>()
    });
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn series() -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![
        6 => (0_u32..100).prop_map(f64::from),
        2 => -1e6_f64..1e6,
        1 => Just(f64::NAN),
        1 => Just(0.0),
    ];
    prop::collection::vec(point, 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn prop_scores_of_a_prefix_do_not_change_when_the_series_goes_on(values in series(), cut in 0.0_f64..1.0) {
        let cut = (values.len() as f64 * cut) as usize;
        let whole = scores(values.iter().copied());
        prop_assert_eq!(&whole[..cut], &scores(values[..cut].iter().copied())[..]);
    }

    #[test]
    fn prop_a_restart_in_the_middle_gives_identical_scores(values in series(), cut in 0.0_f64..1.0) {
        let cut = (values.len() as f64 * cut) as usize;
        let mut whole = Detector::default();
        let mut first = Detector::default();
        for (i, value) in values[..cut].iter().enumerate() {
            whole.update(i as i64 * STEP_S, *value);
            first.update(i as i64 * STEP_S, *value);
        }
        let mut second: Detector = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        for (i, value) in values[cut..].iter().enumerate() {
            let time = (cut + i) as i64 * STEP_S;
            prop_assert_eq!(whole.update(time, *value), second.update(time, *value));
        }
        prop_assert_eq!(whole, second);
    }

    #[test]
    fn prop_scores_stay_between_0_and_1_and_are_finite(values in series()) {
        for score in scores(values).into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&score.value), "{:?}", score);
            prop_assert!(score.surprise.is_finite() && score.expected.is_finite(), "{:?}", score);
        }
    }

    /// Powers of two and whole numbers, so that the arithmetic itself is exact.
    #[test]
    fn prop_unit_and_zero_point_of_the_series_do_not_matter(values in prop::collection::vec(0_u32..1000, 0..600), power in -20_i32..20, shift in -1000_i32..1000) {
        let plain: Vec<f64> = scores(values.iter().map(|v| f64::from(*v))).into_iter().map(value_of).collect();
        let other = values.iter().map(|v| (f64::from(*v) + f64::from(shift)) * 2_f64.powi(power));
        let other: Vec<f64> = scores(other).into_iter().map(value_of).collect();
        prop_assert_eq!(plain, other);
    }

    #[test]
    fn prop_equals_the_plain_detector(values in pieces(), step_s in 1_i64..9000, late in 2_usize..50) {
        // Every so often a point comes again, at its time or at an older one.
        let time_s = |i: usize| step_s * if i.is_multiple_of(late) { i as i64 - 2 } else { i as i64 };
        compare(values.into_iter().enumerate().map(|(i, value)| (time_s(i), value)))?;
    }

    #[test]
    fn prop_a_gap_is_the_same_as_points_that_never_came(values in series()) {
        let mut with = Detector::default();
        let mut without = Detector::default();
        for (i, value) in values.iter().enumerate() {
            let time = i as i64 * STEP_S;
            let score = with.update(time, *value);
            if value.is_finite() {
                prop_assert_eq!(score, without.update(time, *value));
            }
        }
        prop_assert_eq!(with, without);
    }
}
