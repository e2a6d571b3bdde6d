//! `bench-nab DIR [--out RESULTS]`: runs the streaming detector over every series under `DIR/data`, point by point.
//!
//! With `DIR/labels.json` it prints the benchmark's three profiles, and the standard profile without each category in
//! turn (a score that hangs on one kind of data would drop). One JSON object per figure on stdout, explanations on
//! stderr. With `--out` it writes `RESULTS/<category>/<series>.csv` with the columns timestamp, value, anomaly_score.

mod dataset;
mod scoring;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};
use stats::anomaly::{ALERT_SCORE, Detector};

use dataset::Series;
use scoring::{Outcome, PROFILES, Point, outcome, points};

/// Repetitions of the timed run.
const PASSES: u32 = 15;

const USAGE: &str = "usage: bench-nab DIR [--out RESULTS]\n  \
    DIR has data/<category>/<series>.csv (timestamp,value) and, to be scored, labels.json (series → [[start, end], …])";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&message);
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (dir, out) = arguments(std::env::args().skip(1))?;
    let (all, labelled) = dataset::load(&dir)?;
    let count: usize = all.iter().map(|series| series.values.len()).sum();
    say(&format!("{} series, {count} points", all.len()));

    let scores: Vec<Vec<f64>> = all.iter().map(detect).collect();
    if let Some(out) = out {
        for (series, scores) in all.iter().zip(&scores) {
            write_results(&out, series, scores)?;
        }
        say(&format!("results in {}", out.display()));
    }
    if labelled {
        report_scores(&all, &scores)?;
    } else {
        say("no labels.json, so nothing to score");
    }
    report_cost(&all, count)
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(PathBuf, Option<PathBuf>), String> {
    let (mut dir, mut out) = (None, None);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--out" => out = Some(given.next().ok_or(USAGE)?.into()),
            "-h" | "--help" => return Err(USAGE.to_owned()),
            _ if argument.starts_with('-') || dir.is_some() => return Err(format!("unexpected {argument}\n{USAGE}")),
            _ => dir = Some(PathBuf::from(argument)),
        }
    }
    Ok((dir.ok_or(USAGE)?, out))
}

/// One score per row; a row the detector skips (no value, no newer time) gets 0.
fn detect(series: &Series) -> Vec<f64> {
    let mut detector = Detector::default();
    let rows = series.times_s.iter().zip(&series.values);
    rows.map(|(&time_s, &value)| detector.update(time_s, value).map_or(0.0, |score| score.value)).collect()
}

fn write_results(out: &Path, series: &Series, scores: &[f64]) -> Result<(), String> {
    let path = out.join(&series.name);
    let mut text = String::from("timestamp,value,anomaly_score\n");
    for ((stamp, value), score) in series.stamps.iter().zip(&series.values).zip(scores) {
        text += &format!("{stamp},{value},{score}\n");
    }
    let parent = path.parent().unwrap_or(out);
    std::fs::create_dir_all(parent)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|e| format!("{}: {e}", path.display()))
}

fn report_scores(all: &[Series], scores: &[Vec<f64>]) -> Result<(), String> {
    let per_series: Vec<Vec<Point>> =
        all.iter().zip(scores).enumerate().map(|(k, (series, scores))| points(k, scores, &series.windows)).collect();
    let merged: Vec<Point> = per_series.concat();
    for profile in &PROFILES {
        let best = outcome(&merged, profile, None);
        say_outcome(profile.name, &best);
        figure("nab_score", best.score, "points of 100", with_outcome(json!({"profile": profile.name}), &best))?;
    }
    let fixed = outcome(&merged, &PROFILES[0], Some(ALERT_SCORE));
    say_outcome(&format!("standard at {ALERT_SCORE}"), &fixed);
    figure(
        "nab_score_at_alert_score",
        fixed.score,
        "points of 100",
        with_outcome(json!({"profile": "standard"}), &fixed),
    )?;

    let mut categories: Vec<&str> = all.iter().map(Series::category).collect();
    categories.dedup();
    for category in categories.iter().filter(|_| categories.len() > 1) {
        let others = all.iter().zip(&per_series).filter(|(series, _)| series.category() != *category);
        let rest: Vec<Point> = others.flat_map(|(_, points)| points.iter().copied()).collect();
        let best = outcome(&rest, &PROFILES[0], None);
        if best.windows > 0 {
            say_outcome(&format!("without {category}"), &best);
            let context = with_outcome(json!({"profile": "standard", "without": category}), &best);
            figure("nab_score_leave_category_out", best.score, "points of 100", context)?;
        }
    }
    Ok(())
}

/// Time of the detector alone: for each series the fastest of several passes, because the least disturbed one says most
/// about the code.
fn report_cost(all: &[Series], count: usize) -> Result<(), String> {
    let mut checksum = 0.0;
    let mut total_ns = 0.0;
    for series in all {
        let mut fastest = f64::INFINITY;
        for _ in 0..PASSES {
            let start = Instant::now();
            let mut detector = Detector::default();
            for (&time_s, &value) in series.times_s.iter().zip(&series.values) {
                checksum += detector.update(time_s, value).map_or(0.0, |score| score.value);
            }
            fastest = fastest.min(start.elapsed().as_nanos() as f64);
        }
        total_ns += fastest;
    }
    let per_point = total_ns / count as f64;
    let longest = all.iter().max_by_key(|series| series.values.len());
    let mut grown = Detector::default();
    for (&time_s, &value) in longest.iter().flat_map(|series| series.times_s.iter().zip(&series.values)) {
        grown.update(time_s, value);
    }
    let state_bytes = serde_json::to_string(&grown).map_err(|e| e.to_string())?.len();
    say(&format!("{per_point:.0} ns per point, {state_bytes} bytes of state (checksum {checksum:.3})"));
    figure("detector_time_per_point", per_point, "ns", json!({"points": count, "passes": PASSES}))?;
    figure("detector_state", state_bytes as f64, "bytes", json!({"format": "JSON", "points": grown.points()}))
}

fn with_outcome(mut context: Value, outcome: &Outcome) -> Value {
    context["threshold"] = json!(outcome.threshold);
    context["flagged_inside"] = json!(outcome.flagged_inside);
    context["flagged_outside"] = json!(outcome.flagged_outside);
    context["windows"] = json!(outcome.windows);
    context["windows_hit"] = json!(outcome.windows_hit);
    context
}

fn say_outcome(what: &str, outcome: &Outcome) {
    let Outcome { score, threshold, flagged_inside, flagged_outside, windows, windows_hit } = outcome;
    say(&format!(
        "{what:32} {score:6.2}  threshold {threshold:.4}  {windows_hit} of {windows} windows, points flagged in windows {flagged_inside}, outside {flagged_outside}"
    ));
}

/// One JSON object on a line of stdout.
fn figure(name: &str, value: f64, unit: &str, context: Value) -> Result<(), String> {
    let line = json!({"figure": name, "value": value, "unit": unit, "context": context});
    writeln!(std::io::stdout(), "{line}").map_err(|e| format!("stdout: {e}"))
}

/// A line for people. If stderr is gone, there is nobody to tell.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
