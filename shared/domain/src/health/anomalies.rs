//! Anomalies: points that the streaming detector has not seen the like of, and the memory it keeps between invocations.
//!
//! Every point is fed once, in order, without look-ahead; what was seen before is skipped. Anomalies are evidence for
//! people and never by themselves a reason for a change.

use super::score::SignalScore;
use super::view::{View, earlier};
use crate::ids::{ResourceId, SignalId};
use crate::observed::Observed;
use crate::resource::Resource;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use stats::anomaly::{ALERT_SCORE, Detector, View as Aspect};
use std::collections::{BTreeMap, BTreeSet};

/// A point that was unusual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnomalySeen {
    /// Signal.
    pub signal: SignalId,
    /// Resource.
    pub resource: ResourceId,
    /// When.
    pub at: Timestamp,
    /// The value.
    pub value: f64,
    /// What was expected.
    pub expected: f64,
    /// From 0 (usual) to 1.
    pub score: f64,
    /// What about it was unusual.
    pub aspect: Aspect,
}

/// What the detectors remember of each series. Bounded: at most [`SERIES_MAX`] detectors of about 6 KB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// One detector per `resource#signal`.
    #[serde(default, deserialize_with = "readable")]
    detectors: BTreeMap<String, Detector>,
}

/// Series that are watched in an application, at most: 3 MB of memory. Judged signals come first.
pub const SERIES_MAX: usize = 500;
/// Anomalies older than so many windows are no news in a report.
const REPORTED_WINDOWS: u32 = 3;
/// The newest period is held back: CloudWatch may still be adding to it.
const HELD_BACK_PERIODS: i64 = 1;

impl Memory {
    /// Number of series that are remembered.
    pub fn len(&self) -> usize {
        self.detectors.len()
    }

    /// True when nothing is remembered yet.
    pub fn is_empty(&self) -> bool {
        self.detectors.is_empty()
    }
}

/// Feeds the new points of each series to its detector. Gives the anomalies of the last windows and the new memory.
pub fn detect(view: &View<'_>, signals: &[SignalScore], mut memory: Memory) -> (Vec<AnomalySeen>, Memory) {
    let resources: BTreeMap<&str, &Resource> =
        view.snapshot.resources.iter().map(|resource| (resource.id.as_str(), resource)).collect();
    let mut seen = Vec::new();
    let mut watched = BTreeSet::new();
    for (signal, resource) in watch_list(view, signals) {
        let Some(resource) = resources.get(resource) else { continue };
        let key = format!("{}#{signal}", resource.id);
        watched.insert(key.clone());
        if let Observed::Known(series) = view.series(signal, resource) {
            seen.extend(feed(view, signal, resource, &series, memory.detectors.entry(key).or_default()));
        }
    }
    // A signal that is missing this time keeps its memory; one that no longer exists is forgotten.
    memory.detectors.retain(|key, _| watched.contains(key));
    (seen, memory)
}

/// Judged signals of whole resources first, then the others; each once.
fn watch_list<'a>(view: &View<'a>, signals: &'a [SignalScore]) -> Vec<(&'a str, &'a str)> {
    let judged = signals.iter().filter(|signal| signal.member.is_none());
    let judged = judged.map(|signal| (signal.signal.as_str(), signal.resource.as_str()));
    let others = view.snapshot.measurements.iter().filter(|m| m.member.is_none());
    let others = others.map(|measurement| (measurement.signal.as_str(), measurement.resource.as_str()));
    let mut listed = BTreeSet::new();
    judged.chain(others).filter(|place| listed.insert(*place)).take(SERIES_MAX).collect()
}

fn feed(
    view: &View<'_>,
    signal: &str,
    resource: &Resource,
    series: &crate::series::Series,
    detector: &mut Detector,
) -> Vec<AnomalySeen> {
    let now = view.snapshot.taken_at;
    let until = earlier(now, HELD_BACK_PERIODS * i64::from(series.period_s));
    let report_from = earlier(now, i64::from(view.snapshot.window_s.saturating_mul(REPORTED_WINDOWS)));
    let after = detector.last_time_s().and_then(|second| Timestamp::from_second(second).ok());
    let mut seen = Vec::new();
    for (at, value) in super::view::between(series, after.unwrap_or(Timestamp::MIN), until) {
        let Some(score) = detector.update(at.as_second(), value) else { continue };
        if score.value >= ALERT_SCORE && at >= report_from {
            seen.push(AnomalySeen {
                signal: SignalId::from(signal),
                resource: resource.id.clone(),
                at,
                value,
                expected: score.expected,
                score: score.value,
                aspect: score.view,
            });
        }
    }
    seen
}

/// Detectors that this build can read; one of another format starts anew, instead of stopping every run.
fn readable<'de, D: Deserializer<'de>>(source: D) -> Result<BTreeMap<String, Detector>, D::Error> {
    let stored = BTreeMap::<String, serde_json::Value>::deserialize(source)?;
    Ok(stored.into_iter().filter_map(|(key, state)| Some((key, serde_json::from_value(state).ok()?))).collect())
}
