//! analyze: a snapshot becomes scores, trends, anomalies and findings. Pure: same input, same bytes out.

use super::anomalies::{AnomalySeen, Memory, detect};
use super::policy::Policy;
use super::rules::{Context, findings};
use super::score::{SignalScore, place, score};
use super::trends::{TrendSeen, trends};
use super::view::View;
use crate::finding::Finding;
use crate::objective::Objectives;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::signal::Role;
use crate::signals;
use crate::snapshot::Snapshot;
use serde::{Deserialize, Serialize};

/// What a snapshot means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Health score of the application, 1 to 10; missing when its symptoms can't all be measured.
    pub score: Observed<f64>,
    /// Share of the judged signals that is known, 0 to 1.
    pub confidence: f64,
    /// Score of every judged signal.
    pub signals: Vec<SignalScore>,
    /// Problems, worst first.
    pub findings: Vec<Finding>,
    /// Significant trends.
    pub trends: Vec<TrendSeen>,
    /// Unusual points of the last windows.
    pub anomalies: Vec<AnomalySeen>,
    /// What should have been measured and was not, one sentence each.
    pub unmeasured: Vec<String>,
    /// Why there is nothing to optimize, with the numbers; none when there is a finding.
    pub no_opportunity_because: Option<String>,
}

/// What analyze decided, as it is stored for the steps that follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// What the snapshot means.
    pub analysis: Analysis,
    /// What is to be done.
    pub plan: Plan,
}

impl Analysis {
    /// The known symptom with the lowest score.
    pub fn worst_symptom(&self) -> Option<&SignalScore> {
        worst(&self.signals, Role::Symptom)
    }
}

/// Analyzes a snapshot. The memory is what the last analysis of the application returned.
pub fn analyze(snapshot: &Snapshot, objectives: &Objectives, policy: &Policy, memory: Memory) -> (Analysis, Memory) {
    let view = View::new(snapshot, policy);
    let scores = score(&view, objectives);
    let context = Context { view: &view, objectives, signals: &scores.signals };
    let findings = findings(&context);
    let trends = trends(&view, &scores.signals);
    let (anomalies, memory) = detect(&view, &scores.signals, memory);
    let no_opportunity_because = findings.is_empty().then(|| proof(&view, &scores.signals, &scores.unmeasured));
    let analysis = Analysis {
        score: scores.app,
        confidence: scores.confidence,
        signals: scores.signals,
        findings,
        trends,
        anomalies,
        unmeasured: scores.unmeasured,
        no_opportunity_because,
    };
    (analysis, memory)
}

fn worst(signals: &[SignalScore], role: Role) -> Option<&SignalScore> {
    let known =
        signals.iter().filter(|signal| signal.role == role).filter_map(|signal| Some((signal, *signal.score.known()?)));
    known.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(signal, _)| signal)
}

/// Why no rule found anything: how many signals score well, and those nearest to their bounds.
fn proof(view: &View<'_>, signals: &[SignalScore], unmeasured: &[String]) -> String {
    let known = signals.iter().filter(|signal| !signal.score.is_missing()).count();
    let bound = view.policy.success_score;
    let good = signals.iter().filter(|signal| signal.score.known().is_some_and(|score| *score >= bound)).count();
    let mut nearest: Vec<(&SignalScore, f64, f64)> = signals
        .iter()
        .filter_map(|signal| {
            let level = *signal.level.known()?;
            // How far the level is on its way to the bound: 1 is the bound itself, on either scale.
            let way = if signal.bad > signal.good {
                level / signal.good.max(f64::MIN_POSITIVE)
            } else {
                signal.good / level.max(f64::MIN_POSITIVE)
            };
            (signal.good != 0.0 || level != 0.0).then_some((signal, level, way))
        })
        .collect();
    nearest.sort_by(|(_, _, a), (_, _, b)| b.total_cmp(a));
    let list: Vec<String> = nearest
        .iter()
        .take(3)
        .map(|(signal, level, _)| {
            let id = signal.signal.as_str();
            format!(
                "{} of {} is {} (good: {})",
                signal.title,
                place(view, signal),
                worded(id, *level),
                worded(id, signal.good)
            )
        })
        .collect();
    let blind = match unmeasured.len() {
        0 => String::new(),
        count => format!("; {count} could not be measured"),
    };
    if known == 0 {
        return format!("no judged signal is known, so nothing can be said{blind}");
    }
    format!(
        "no rule found anything: {good} of {known} judged signals score {bound} or better{blind}; nearest to their bounds: {}",
        list.join(", ")
    )
}

/// A number as a person would write it: three digits are enough.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        size if size < 0.005 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A level with its unit.
pub(super) fn worded(signal: &str, value: f64) -> String {
    let unit = match signals::spec(signal) {
        Some(spec) => spec.unit,
        None if signal.ends_with("_pct") => "%",
        None => "",
    };
    match unit {
        "bytes" => format!("{} GiB", short(value / BYTES_PER_GIB)),
        "count" | "value" | "" => short(value),
        unit => format!("{} {unit}", short(value)),
    }
}

const BYTES_PER_GIB: f64 = 1_073_741_824.0;

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn regression_what_rounds_to_nothing_has_no_sign() {
        let written: Vec<String> = [-0.0, -0.004, 0.004, 0.005, -0.006, 9.99, 10.0, -99.95, 100.0].map(short).into();
        assert_eq!(written, ["0", "0", "0", "0.01", "-0.01", "9.99", "10.0", "-100.0", "100"]);
    }
}
