//! The health score: 1 (as bad as it gets) to 10 (good) for each judged signal and for the application.
//!
//! The worst symptom dominates, saturation can lower the score but not below a floor, an alarm that stands caps it, and
//! an application whose symptoms can't all be measured has no score at all. Never turns a missing value into a good
//! one. The reasons, the rejected alternatives and a worked example are in `docs/health-score.md`.

use super::derived;
use super::view::View;
use crate::ids::{ResourceId, SignalId};
use crate::objective::Objectives;
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Resource, ResourceKind};
use crate::signal::{Judge, Role};
use crate::signals;
use crate::snapshot::{AlarmState, Snapshot};
use serde::{Deserialize, Serialize};

/// The score of one signal of one resource or of one member of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalScore {
    /// Signal, measured or derived.
    pub signal: SignalId,
    /// What a person calls it.
    pub title: String,
    /// Resource.
    pub resource: ResourceId,
    /// Member of the resource, where it is read per member.
    pub member: Option<String>,
    /// Symptom or saturation.
    pub role: Role,
    /// Level over the observed window.
    pub level: Observed<f64>,
    /// Level that is still good.
    pub good: f64,
    /// Level that is as bad as it gets.
    pub bad: f64,
    /// 1 to 10; missing where the level is.
    pub score: Observed<f64>,
}

impl SignalScore {
    /// False when the signal was never going to be there: nothing publishes it, or there was nothing to measure.
    pub fn is_expected(&self) -> bool {
        !matches!(self.level, Observed::Missing(Missing::NotPublished(_)))
    }
}

/// All scores of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The application's, 1 to 10.
    pub app: Observed<f64>,
    /// Share of the judged signals that is known, 0 to 1. Signals that nothing publishes don't count.
    pub confidence: f64,
    /// Every judged signal.
    pub signals: Vec<SignalScore>,
    /// What should have been measured and was not, one sentence each.
    pub unmeasured: Vec<String>,
}

/// Best score.
const BEST: f64 = 10.0;
/// Worst score.
const WORST: f64 = 1.0;
/// Alarms of target tracking policies stand whenever a fleet has room to shrink, so they say nothing about health.
const SCALING_ALARM_PREFIX: &str = "TargetTracking-";

/// Scores a snapshot.
pub fn score(view: &View<'_>, objectives: &Objectives) -> Scores {
    let signals = judged(view, objectives);
    let mut unmeasured: Vec<String> = signals
        .iter()
        .filter(|signal| signal.is_expected())
        .filter_map(|signal| match &signal.level {
            Observed::Missing(reason) => Some(format!("{} of {}: {reason}", signal.title, place(view, signal))),
            Observed::Known(_) => None,
        })
        .collect();
    for (kind, reason) in &view.snapshot.undiscovered {
        unmeasured.push(format!("every {kind}: {reason}"));
    }
    if let Observed::Missing(reason) = &view.snapshot.alarms {
        unmeasured.push(format!("the alarms: {reason}"));
    }
    Scores { app: app(view, &signals), confidence: confidence(view, &signals), signals, unmeasured }
}

/// A level on the scale: 10 up to `good`, 1 from `bad` on, a straight line in between.
///
/// Worked example: 600 ms between good 200 and bad 1,000 is half way, 10 − 9 · 0.5 = 5.5.
pub fn on_scale(level: f64, judge: Judge) -> f64 {
    let width = judge.bad - judge.good;
    let way = if width == 0.0 { f64::from(level > judge.good) } else { (level - judge.good) / width };
    // Not a number is as bad as it gets: it is never taken for good.
    if way.is_nan() { WORST } else { BEST - (BEST - WORST) * way.clamp(0.0, 1.0) }
}

fn judged(view: &View<'_>, objectives: &Objectives) -> Vec<SignalScore> {
    let mut scores = Vec::new();
    for resource in &view.snapshot.resources {
        for spec in derived::TABLE.iter().filter(|derived| derived.kind == resource.kind()) {
            if let Some(judge) = spec.judge.and_then(|judge| judge(objectives)) {
                let level = silence(view, resource, spec.id, spec.level(view, resource));
                scores.push(of_level(spec.id, spec.title, resource, None, judge, level));
            }
        }
    }
    let resources: std::collections::BTreeMap<&str, &Resource> =
        view.snapshot.resources.iter().map(|resource| (resource.id.as_str(), resource)).collect();
    for measurement in &view.snapshot.measurements {
        let Some(spec) = signals::spec(measurement.signal.as_str()) else { continue };
        let Some(resource) = resources.get(measurement.resource.as_str()) else { continue };
        if let Some(judge) = spec.judge.and_then(|judge| judge(resource, objectives)) {
            let level = match &measurement.series {
                Observed::Known(series) => view.level_of(spec.id, series),
                Observed::Missing(reason) => Observed::Missing(reason.clone()),
            };
            let level = match &measurement.member {
                Some(member) if level.is_missing() => member_silence(resource, member, level),
                Some(_) => level,
                None => silence(view, resource, spec.id, level),
            };
            scores.push(of_level(spec.id, spec.title, resource, measurement.member.clone(), judge, level));
        }
    }
    scores
}

fn of_level(
    id: &str,
    title: &str,
    resource: &Resource,
    member: Option<String>,
    judge: Judge,
    level: Observed<f64>,
) -> SignalScore {
    let score = level.clone().map(|level| on_scale(level, judge));
    SignalScore {
        signal: SignalId::from(id),
        title: title.to_owned(),
        resource: resource.id.clone(),
        member,
        role: judge.role,
        level,
        good: judge.good,
        bad: judge.bad,
        score,
    }
}

/// Tells silence from blindness. Where AWS publishes nothing because nothing happened (no request, no invocation, an idle
/// queue), nobody could feel anything; a failed read and a target group that has gone quiet stay missing.
fn silence(view: &View<'_>, resource: &Resource, signal: &str, level: Observed<f64>) -> Observed<f64> {
    let quiet = matches!(level, Observed::Missing(Missing::NoData | Missing::Stale(_)));
    if !quiet {
        return level;
    }
    let why = match resource.kind() {
        ResourceKind::TargetGroup if view.known("requests", resource) == Some(0.0) => "no requests in the window",
        ResourceKind::Api | ResourceKind::LoadBalancer => "no requests in the window",
        ResourceKind::Function => "not invoked in the window",
        ResourceKind::Table => "nothing throttled in the window",
        ResourceKind::Queue if last_was_zero(view, resource, signal) => "the queue is idle",
        _ => return level,
    };
    not_published(why)
}

/// A member that has never published anything has just been launched, and one that is not in service is on its way out.
/// One that serves and has stopped publishing stays missing.
fn member_silence(resource: &Resource, member: &str, level: Observed<f64>) -> Observed<f64> {
    let leaves = match &resource.live {
        Live::AutoScalingGroup(fleet) => {
            fleet.instances.iter().any(|instance| instance.id == member && !instance.in_service)
        }
        _ => false,
    };
    match level {
        Observed::Missing(Missing::NoData) => not_published("has not published anything yet"),
        Observed::Missing(Missing::Stale(_)) if leaves => not_published("is not in service"),
        level => level,
    }
}

fn not_published(why: &str) -> Observed<f64> {
    Observed::Missing(Missing::NotPublished(why.to_owned()))
}

/// SQS stops publishing for a queue that has been empty and unused for six hours.
fn last_was_zero(view: &View<'_>, resource: &Resource, signal: &str) -> bool {
    match view.series(signal, resource) {
        Observed::Known(series) => series.newest().is_none_or(|(_, value)| value == 0.0),
        Observed::Missing(reason) => reason == Missing::NoData,
    }
}

/// Kinds of resources on which users feel something.
fn bears_symptoms(kind: ResourceKind) -> bool {
    matches!(
        kind,
        ResourceKind::TargetGroup
            | ResourceKind::LoadBalancer
            | ResourceKind::Api
            | ResourceKind::Function
            | ResourceKind::Queue
            | ResourceKind::Custom
    )
}

fn app(view: &View<'_>, signals: &[SignalScore]) -> Observed<f64> {
    let policy = view.policy;
    let undiscovered = view.snapshot.undiscovered.iter().find(|(kind, _)| bears_symptoms(*kind));
    if let Some((_, reason)) = undiscovered {
        return Observed::Missing(reason.clone());
    }
    let mut symptoms = Vec::new();
    for signal in signals.iter().filter(|signal| signal.role == Role::Symptom && signal.is_expected()) {
        match &signal.score {
            Observed::Known(score) => symptoms.push(*score),
            Observed::Missing(reason) => return Observed::Missing(reason.clone()),
        }
    }
    let (Some(worst), Some(mean)) = (symptoms.iter().copied().reduce(f64::min), crate::series::mean(&symptoms)) else {
        return Observed::Missing(Missing::NoData);
    };
    let felt = (1.0 - policy.mean_symptom_weight) * worst + policy.mean_symptom_weight * mean;
    let saturation = signals.iter().filter(|signal| signal.role == Role::Saturation && signal.is_expected());
    // A utilization that could not be read counts as the worst it can be: it is never a reason to call anything well.
    let shortest = saturation.map(|signal| signal.score.known().copied().unwrap_or(WORST)).fold(BEST, f64::min);
    let floor = policy.saturation_score_min;
    let room = floor + (BEST - floor) * (shortest - WORST) / (BEST - WORST);
    Observed::Known(felt.min(room).min(alarm_cap(view)).clamp(WORST, BEST))
}

/// Alarms that can't be read cap the score like one that stands: there may be one.
fn alarm_cap(view: &View<'_>) -> f64 {
    if view.snapshot.alarms.is_missing() || alarm_stands(view.snapshot) { view.policy.alarm_score_max } else { BEST }
}

/// True when an alarm of the application is known to stand.
pub(super) fn alarm_stands(snapshot: &Snapshot) -> bool {
    let alarms = snapshot.alarms.known().map_or(&[][..], Vec::as_slice);
    alarms.iter().any(|alarm| alarm.state == AlarmState::Alarm && !alarm.name.starts_with(SCALING_ALARM_PREFIX))
}

fn confidence(view: &View<'_>, signals: &[SignalScore]) -> f64 {
    let expected = signals.iter().filter(|signal| signal.is_expected());
    let total =
        expected.clone().count() + view.snapshot.undiscovered.len() + usize::from(view.snapshot.alarms.is_missing());
    let known = expected.filter(|signal| !signal.score.is_missing()).count();
    match (u32::try_from(known), u32::try_from(total)) {
        (Ok(known), Ok(total)) if total > 0 => f64::from(known) / f64::from(total),
        _ => 0.0,
    }
}

/// Name of the resource, and of the member where there is one.
pub(super) fn place(view: &View<'_>, signal: &SignalScore) -> String {
    let name =
        view.snapshot.resource(&signal.resource).map_or(signal.resource.as_str(), |resource| resource.name.as_str());
    match &signal.member {
        Some(member) => format!("{member} in {name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::Shop;
    use super::*;

    fn judge(good: f64, bad: f64) -> Judge {
        Judge { good, bad, role: Role::Symptom }
    }

    #[test]
    fn a_level_is_scored_on_a_straight_line_between_good_and_bad() {
        for (level, good, bad, score) in [
            (100.0, 200.0, 1_000.0, 10.0),
            (600.0, 200.0, 1_000.0, 5.5),
            (5_000.0, 200.0, 1_000.0, 1.0),
            (55.0, 80.0, 30.0, 5.5),
            (0.0, 0.0, 0.0, 10.0),
            (0.1, 0.0, 0.0, 1.0),
            (f64::NAN, 0.0, 1.0, 1.0),
        ] {
            assert!((on_scale(level, judge(good, bad)) - score).abs() < 1e-9, "{level} in {good}..{bad}");
        }
    }

    #[test]
    fn the_worked_example_of_the_documentation() {
        let shop = Shop::new().law("latency_p95_ms", "tg", |_| Some(600.0)).law("fleet_cpu_pct", "asg", |_| Some(91.0));
        let analysis = shop.analysis();
        let of = |id: &str| {
            *analysis.signals.iter().find(|s| s.signal.as_str() == id).and_then(|s| s.score.known()).expect(id)
        };
        assert!((of("latency_p95_ms") - 5.5).abs() < 1e-9 && (of("fleet_cpu_pct") - 3.7).abs() < 1e-9);
        // Eight symptoms, one at 5.5 and seven at 10: 0.85 · 5.5 + 0.15 · 9.4375 = 6.09; saturation leaves room up to 7.2.
        let symptoms = analysis.signals.iter().filter(|s| s.role == Role::Symptom).count();
        assert_eq!(symptoms, 8);
        assert!((analysis.score.known().unwrap() - 6.090_625).abs() < 1e-6, "{:?}", analysis.score);
    }

    #[test]
    fn one_dead_symptom_among_many_good_ones_is_under_four() {
        let score = Shop::new().is("latency_p95_ms", "tg", 2_000.0).score().unwrap();
        assert!(score < 4.0, "{score}");
    }

    #[test]
    fn saturation_alone_is_never_called_well_and_never_reason_for_a_restart() {
        let score = Shop::new().is("db_cpu_pct", "db", 100.0).is("fleet_memory_pct", "asg", 99.0).score().unwrap();
        assert!((6.0..8.0).contains(&score), "{score}");
    }

    #[test]
    fn an_alarm_that_stands_caps_the_score_and_one_of_a_scaling_policy_does_not() {
        assert_eq!(Shop::new().score(), Some(10.0));
        assert_eq!(Shop::new().alarm("shop-cpu").score(), Some(7.0));
        assert_eq!(Shop::new().alarm("TargetTracking-shop-web-AlarmLow-1").score(), Some(10.0));
        let mut blind = Shop::new();
        blind.snapshot.alarms = Observed::Missing(Missing::Throttled);
        assert_eq!(blind.score(), Some(7.0));
    }

    #[test]
    fn an_application_whose_symptoms_cannot_all_be_measured_has_no_score() {
        let analysis = Shop::new().missing("latency_p95_ms", "tg", Missing::NoData).analysis();
        assert!(analysis.score.is_missing() && analysis.confidence < 1.0);
        assert_eq!(analysis.unmeasured, ["response time p95 of shop: no datapoint in the window"]);
        let stopped = Shop::new().law("latency_p95_ms", "tg", |ago| (ago > 8.0).then_some(75.0));
        assert_eq!(stopped.analysis().score, Observed::Missing(Missing::Stale(540)));
        let mut unknown = Shop::new();
        unknown.snapshot.undiscovered.push((ResourceKind::Queue, Missing::Throttled));
        assert!(unknown.analysis().score.is_missing());
    }

    #[test]
    fn silence_where_nothing_happened_is_no_blindness() {
        let night = Shop::new()
            .is("requests", "tg", 0.0)
            .is("errors_5xx", "tg", 0.0)
            .law("latency_p95_ms", "tg", |ago| (ago > 20.0).then_some(75.0))
            .missing("function_throttles", "fn", Missing::NoData)
            .missing("function_invocations", "fn", Missing::NoData)
            .missing("queue_depth", "queue", Missing::NoData);
        let analysis = night.analysis();
        assert_eq!((analysis.score, analysis.unmeasured), (Observed::Known(10.0), Vec::<String>::new()));
    }

    #[test]
    fn a_member_that_comes_or_goes_may_be_silent_and_one_that_serves_may_not() {
        let stopped = || Shop::new().member("instance_cpu_pct", "i-2", |ago| (ago > 20.0).then_some(47.0));
        assert_eq!(stopped().score(), Some(6.0));
        assert_eq!(stopped().fleet(|fleet| fleet.instances[1].in_service = false).score(), Some(10.0));
        assert_eq!(Shop::new().member("instance_cpu_pct", "i-2", |_| None).score(), Some(10.0), "just launched");
    }

    #[test]
    fn what_nothing_publishes_is_not_expected() {
        let agentless =
            Shop::new().missing("fleet_memory_pct", "asg", Missing::NotPublished("the CloudWatch agent".to_owned()));
        let analysis = agentless.analysis();
        assert_eq!((analysis.score, analysis.confidence), (Observed::Known(10.0), 1.0));
    }

    #[test]
    fn a_utilization_five_minutes_old_counts_and_a_symptom_of_that_age_does_not() {
        let basic = Shop::new().law("fleet_cpu_pct", "asg", |ago| (ago > 7.0).then_some(47.0));
        assert_eq!(basic.score(), Some(10.0));
        let silent = Shop::new().law("fleet_cpu_pct", "asg", |ago| (ago > 20.0).then_some(47.0));
        assert_eq!(silent.score(), Some(6.0), "it can't be known, so it is not called well");
    }
}
