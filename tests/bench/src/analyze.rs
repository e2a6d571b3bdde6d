//! Time of analyze for ten thousand signals, and of the anomaly detector for one point.

use crate::estate;
use crate::report::{Failure, figure, least, median, say};
use domain::health::{Memory, analyze};
use domain::snapshot::HISTORY_S;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stats::anomaly::Detector;
use std::hint::black_box;
use std::time::Instant;

const SIGNALS: usize = 10_000;
const PASSES: usize = 7;
/// Minutes between two iterations of a run: the wait and the steps.
const ITERATION_MIN: i64 = 13;
const TAKEN_AT: Timestamp = Timestamp::constant(1_767_225_600, 0);
/// Points of the detector's figure: a month of five-minute values.
const POINTS: usize = 8_640;

/// Measures the detector's time, and analyze with an empty memory (the first time) and with one that is an iteration old.
///
/// # Errors
/// When nobody reads stdout.
pub fn measure() -> Result<(), Failure> {
    let app = estate::app()?;
    let first = estate::snapshot(&app, SIGNALS, TAKEN_AT);
    let second = estate::snapshot(&app, SIGNALS, TAKEN_AT + SignedDuration::from_mins(ITERATION_MIN));
    let (_, memory) = analyze(&first, &app.objectives, &app.policy, Memory::default());
    for (name, snapshot, memory) in [("empty", &first, Memory::default()), ("an iteration old", &second, memory)] {
        let mut took_ms = Vec::new();
        let mut findings = 0;
        for _ in 0..PASSES {
            let memory = memory.clone();
            let began = Instant::now();
            let (analysis, memory) = black_box(analyze(black_box(snapshot), &app.objectives, &app.policy, memory));
            took_ms.push(began.elapsed().as_secs_f64() * 1000.0);
            findings = analysis.findings.len();
            drop(memory);
        }
        let (ms, per_signal_us) = (median(&took_ms), median(&took_ms) * 1000.0 / SIGNALS as f64);
        say(&format!(
            "analyze {SIGNALS} signals, memory {name}: {ms:.0} ms, {per_signal_us:.1} µs a signal, {findings} findings"
        ));
        let context = json!({"signals": SIGNALS, "points_each": HISTORY_S / 60, "memory": name, "passes": PASSES,
            "least": least(&took_ms), "us_per_signal": (per_signal_us * 100.0).round() / 100.0, "findings": findings});
        figure("analyze", ms, "ms", context)?;
    }
    detector()
}

fn detector() -> Result<(), Failure> {
    let values: Vec<f64> =
        (0..POINTS).map(|point| 50.0 + 10.0 * (point as f64 * 0.022).sin() + (point as f64 * 2.399).cos()).collect();
    let mut ns = Vec::new();
    for _ in 0..PASSES {
        let mut detector = Detector::default();
        let began = Instant::now();
        for (point, value) in (0..).zip(&values) {
            black_box(detector.update(300 * point, *value));
        }
        ns.push(began.elapsed().as_nanos() as f64 / POINTS as f64);
    }
    say(&format!("the detector takes {:.0} ns a point", median(&ns)));
    figure(
        "detector_point",
        median(&ns),
        "ns",
        json!({"points": POINTS, "passes": PASSES, "least": least(&ns), "aim": 200}),
    )
}
