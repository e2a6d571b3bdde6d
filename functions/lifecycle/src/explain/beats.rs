//! Turns what the steps wrote down into beats of a story: one line each, with details below it.
//!
//! Reads documents as they are, and gives nothing for one of another shape: an old run must be told too.

use crate::words::{known_as, levels, number, plural};
use domain::cost::savings::Savings;
use domain::execution::{ExecutionRecord, Status};
use domain::finding::{Finding, Severity};
use domain::observed::Observed;
use domain::outcome::{Outcome, Verdict};
use domain::plan::Plan;
use domain::snapshot::Snapshot;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A document that a step writes in each iteration.
pub struct Document {
    /// Its name, without `.json`.
    pub name: &'static str,
    /// Its beat.
    pub beat: fn(&Value) -> Option<Beat>,
    /// When it was written, as far as it says so.
    pub at: fn(&Value) -> Option<Timestamp>,
}

/// The documents that tell the story, in the order of a run without interruptions.
pub const DOCUMENTS: [Document; 8] = [
    Document { name: "settled", beat: settled, at: newest_line },
    Document { name: "residue", beat: residue, at: newest_outcome },
    Document { name: "residue_undone", beat: undone, at: newest_line },
    Document { name: "snapshot", beat: monitor, at: |body| moment(body.get("taken_at")) },
    Document { name: "analysis", beat: analyze, at: |_| None },
    Document { name: "actions", beat: optimize, at: |body| moment(body.get("ended_at")) },
    Document { name: "validation", beat: validate, at: newest_outcome },
    Document { name: "undone", beat: undone, at: newest_line },
];

fn moment(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}

fn newest_line(body: &Value) -> Option<Timestamp> {
    changes(body).iter().filter_map(|change| moment(change.get("at"))).max()
}

fn newest_outcome(body: &Value) -> Option<Timestamp> {
    body.get("outcomes")?.as_array()?.iter().filter_map(|outcome| moment(outcome.get("measured_at"))).max()
}

/// One thing that is told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beat {
    /// What does it: a step of the cycle, an alarm, a person.
    pub step: &'static str,
    /// The line.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// Lines below it: a label and a text.
    pub details: Vec<(&'static str, String, Tone)>,
}

/// How something is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// As it is.
    Plain,
    /// It helped.
    Good,
    /// It hurts.
    Bad,
    /// To be noted.
    Note,
    /// Beside the point.
    Dim,
}

impl Beat {
    /// A line without details.
    pub fn new(step: &'static str, text: impl Into<String>, tone: Tone) -> Self {
        Self { step, text: text.into(), tone, details: Vec::new() }
    }
}

/// The snapshot before anything is changed.
fn monitor(artifact: &Value) -> Option<Beat> {
    let snapshot: Snapshot = serde_json::from_value(artifact.clone()).ok()?;
    let known = snapshot.measurements.iter().filter(|measurement| !measurement.series.is_missing()).count();
    let tone = if snapshot.completeness() < 0.9 { Tone::Note } else { Tone::Plain };
    let text = format!(
        "{known} of {} signals of {} resources measured over {} min",
        snapshot.measurements.len(),
        snapshot.resources.len(),
        snapshot.window_s / 60
    );
    Some(Beat::new("monitor", text, tone))
}

/// What the analysis found and what is planned.
fn analyze(artifact: &Value) -> Option<Beat> {
    let analysis = artifact.get("analysis")?;
    let score: Observed<f64> = serde_json::from_value(analysis.get("score")?.clone()).ok()?;
    // The cost cycle looks at what could be saved, not at a score.
    let opportunities = artifact.get("opportunities").and_then(Value::as_array);
    let (text, tone) = match &score {
        _ if opportunities.is_some() => {
            let count = opportunities.map_or(0, Vec::len);
            (format!("{count} thing(s) cost more than they must"), if count == 0 { Tone::Good } else { Tone::Note })
        }
        Observed::Known(score) => (format!("score {score:.1} of 10"), score_tone(*score)),
        Observed::Missing(why) => (format!("score unknown: {why}"), Tone::Bad),
    };
    let mut beat = Beat::new("analyze", text, tone);
    for finding in findings(artifact) {
        let tone = if finding.severity >= Severity::High { Tone::Bad } else { Tone::Note };
        let text = format!(
            "{} ({}, {:.0} % sure): {}",
            finding.rule,
            finding.severity,
            100.0 * finding.confidence,
            finding.summary
        );
        beat.details.push(("finding", text, tone));
    }
    beat.details.extend(saved(artifact));
    if let Some(why) = analysis.get("no_opportunity_because").and_then(Value::as_str) {
        beat.details.push(("no change", why.to_owned(), Tone::Dim));
    }
    if let Some(plan) = artifact.get("plan").and_then(|plan| serde_json::from_value::<Plan>(plan.clone()).ok()) {
        for change in &plan.changes {
            let expected = &change.expected;
            let text = format!(
                "{}; expects {}",
                change.in_words(),
                from_to(expected.signal.as_str(), expected.before, expected.after)
            );
            beat.details.push(("plan", text, Tone::Plain));
            beat.details.push(("", change.reason.clone(), Tone::Dim));
        }
        for passed in &plan.passed_over {
            beat.details.push(("not now", format!("{}: {}", passed.remedy, passed.reason), Tone::Dim));
        }
    }
    Some(beat)
}

/// What earlier changes of the cost cycle have saved, where there are any.
fn saved(artifact: &Value) -> Vec<(&'static str, String, Tone)> {
    let savings = artifact.get("savings").and_then(|savings| serde_json::from_value::<Savings>(savings.clone()).ok());
    let Some(savings) = savings.filter(|savings| !savings.changes.is_empty()) else { return Vec::new() };
    let changes = savings.changes.iter().map(|change| ("", change.to_string(), Tone::Dim));
    std::iter::once(("saved", savings.sums.to_string(), Tone::Good)).chain(changes).collect()
}

/// Findings of an analysis.
pub fn findings(artifact: &Value) -> Vec<Finding> {
    let found = artifact.get("analysis").and_then(|analysis| analysis.get("findings")).cloned();
    found.and_then(|found| serde_json::from_value(found).ok()).unwrap_or_default()
}

/// What became of the plan.
fn optimize(artifact: &Value) -> Option<Beat> {
    let lines = artifact.get("changes")?.as_array()?;
    let mut beat = Beat::new("optimize", format!("{} planned", plural(lines.len(), "change")), Tone::Plain);
    for line in lines {
        let field = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
        let result = line.get("result");
        let of = |name: &str| result.and_then(|result| result.get(name)).and_then(Value::as_str).unwrap_or_default();
        let before_after = match (line.get("before").and_then(Value::as_str), line.get("after").and_then(Value::as_str))
        {
            (Some(before), Some(after)) => format!(" ({before} → {after})"),
            _ => String::new(),
        };
        beat.details.push(match of("is") {
            "applied" => ("applied", format!("{}{before_after}", field("what")), Tone::Good),
            "refused" => ("refused", format!("{}: {}", field("what"), of("why")), Tone::Note),
            "not_tried" => ("not tried", field("what").to_owned(), Tone::Dim),
            other => ("failed", format!("{} ({other}): {}", field("what"), of("why")), Tone::Bad),
        });
    }
    Some(beat)
}

/// What measuring again brought.
fn validate(artifact: &Value) -> Option<Beat> {
    let outcomes: Vec<Outcome> = serde_json::from_value(artifact.get("outcomes")?.clone()).ok()?;
    let (text, tone) = match artifact.get("score").and_then(Value::as_f64) {
        Some(score) => (format!("score {score:.1} of 10"), score_tone(score)),
        None if artifact.get("cycle").and_then(Value::as_str) == Some("cost") => {
            ("how users fare since the phase".to_owned(), Tone::Plain)
        }
        None => ("the score can't be measured".to_owned(), Tone::Bad),
    };
    Some(judged(Beat::new("validate", text, tone), outcomes))
}

/// What measuring brought to light about changes that a dead run had left.
fn residue(artifact: &Value) -> Option<Beat> {
    let outcomes: Vec<Outcome> = serde_json::from_value(artifact.get("outcomes")?.clone()).ok()?;
    // The cost cycle names only what it has judged.
    let waiting = artifact.get("too_early").and_then(Value::as_array).map_or(0, Vec::len);
    let text =
        format!("{} left by a run that died, {waiting} not settled yet", plural(outcomes.len() + waiting, "change"));
    Some(judged(Beat::new("judge", text, Tone::Note), outcomes))
}

/// Adds a verdict for each change.
fn judged(mut beat: Beat, outcomes: Vec<Outcome>) -> Beat {
    for outcome in outcomes {
        let (label, tone) = match outcome.verdict {
            Verdict::Verified => ("verified", Tone::Good),
            Verdict::Regressed => ("regressed", Tone::Bad),
            Verdict::Inconclusive => ("inconclusive", Tone::Note),
        };
        beat.details.push((label, measured(&outcome), tone));
        beat.details.push(("", outcome.why, Tone::Dim));
    }
    beat
}

fn measured(outcome: &Outcome) -> String {
    let signal = outcome.signal.as_str();
    let levels = match (outcome.before, outcome.after) {
        (Some(before), Some(after)) => from_to(signal, before, after),
        _ => format!("{} could not be measured before and after", known_as(signal).0),
    };
    match outcome.interval {
        Some((low, high)) => format!("{levels}, difference {} to {} (95 %)", number(low), number(high)),
        None => levels,
    }
}

/// What a crash, a time-out or a lost answer had left open.
fn settled(artifact: &Value) -> Option<Beat> {
    settlement("settle", artifact)
}

/// What was undone.
fn undone(artifact: &Value) -> Option<Beat> {
    settlement("undo", artifact)
}

/// Lines of one or of several settlements.
fn changes(artifact: &Value) -> Vec<&Value> {
    let parts = artifact.as_array().map_or_else(|| vec![artifact], |parts| parts.iter().collect());
    let lists = parts.into_iter().filter_map(|part| part.get("changes")?.as_array());
    lists.flatten().collect()
}

/// What became of changes that were settled after a crash, or undone because they did not help.
fn settlement(step: &'static str, artifact: &Value) -> Option<Beat> {
    let changes = changes(artifact);
    let text = if changes.is_empty() { "nothing was left open".to_owned() } else { plural(changes.len(), "change") };
    let mut beat = Beat::new(step, text, Tone::Note);
    for change in changes {
        let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let end = change.get("end")?;
        if end.get("retry_after_s").is_some() {
            let text =
                format!("{}: it may still take effect, so it is looked at until that is known", text(change, "what"));
            beat.details.push(("in flight", text, Tone::Note));
            continue;
        }
        let (label, tone) = match text(end, "is").as_str() {
            "undone" => ("undone", Tone::Note),
            "applied" => ("had happened", Tone::Note),
            "not_applied" => ("had not", Tone::Note),
            "kept" => ("kept", Tone::Good),
            "refused" => ("refused", Tone::Note),
            _ => ("open", Tone::Bad),
        };
        beat.details.push((label, format!("{}: {}", text(change, "what"), text(end, "why")), tone));
    }
    Some(beat)
}

/// How a run ended.
pub fn ending(run: &ExecutionRecord) -> Beat {
    let (text, tone) = match run.status {
        Status::Completed => ("completed", Tone::Good),
        Status::Escalated => ("escalated", Tone::Note),
        Status::Failed => ("failed", Tone::Bad),
        Status::Running => ("still running", Tone::Note),
    };
    let conclusion = run.conclusion.as_deref().unwrap_or("no conclusion");
    Beat::new("verdict", format!("{text}: {conclusion}"), tone)
}

fn score_tone(score: f64) -> Tone {
    match score {
        score if score >= 8.0 => Tone::Good,
        score if score >= 6.0 => Tone::Note,
        _ => Tone::Bad,
    }
}

/// `CPU 96.2 → 57.1 %`.
fn from_to(signal: &str, before: f64, after: f64) -> String {
    let (title, before, after) = levels(signal, before, after);
    format!("{title} {before} → {after}")
}
