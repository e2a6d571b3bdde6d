//! Verdicts on labelled cases: was a change kept that had done no good, was one undone that had helped?
//!
//! What a change has really done is told by a twin of the same application, with the same noise and the same load, on which it was
//! not made. The product sees only the one on which it was made. A change has helped when it did at least half of what was expected
//! of it, in the window that the product judged and half an hour after the change; it did nothing when it did less than 3 % in
//! both (in the situations of an hour: less than a tenth of the difference that was seen); it harmed when its own signal or the users' p95 got clearly worse in either. What lies between has no label: there either
//! verdict can be defended.

use super::*;
use crate::local::root;
use crate::model::{Event, Happening};
use crate::scenario::{AppScenario, load};
use domain::change::{Action, Better, Change, Expectation};
use domain::health;
use domain::ids::{ChangeId, ResourceId, RuleId, SignalId};
use domain::outcome::{Outcome, Verdict};
use domain::resource::{Resource, ResourceKind};
use domain::snapshot::Snapshot;
use std::collections::BTreeMap;
use testkit::Proof;

/// What a change has really done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Helped,
    DidNothing,
    Harmed,
}

/// A sickness, and what somebody may try against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Situation {
    Surge,
    Backlog,
    SlowDependency,
    Healthy,
    FullDatabase,
    /// A job of this hour asks the cache for what nobody has stored, and ends by itself, as every week.
    NightlyJob,
    /// A cache that is full of the wrong entries, today.
    PoisonedCache,
    /// What the application calls is slow at this hour, and ends by itself, as every week.
    NightlyDependency,
    /// The same, but only today, in an application whose requests are not counted.
    UncountedDependency,
    /// The peak of every week, in an application whose requests are not counted; more servers do help.
    UncountedPeak,
}

/// Minutes of past: what a snapshot shows, and as much as a verdict looks at.
const PAST_MIN: i64 = 190;
const HOURS_PAST_MIN: i64 = 70;

/// Situations whose difference the hour explains, or could explain.
const HOURS: [Situation; 5] = [
    Situation::NightlyJob,
    Situation::PoisonedCache,
    Situation::NightlyDependency,
    Situation::UncountedDependency,
    Situation::UncountedPeak,
];

const SITUATIONS: [Situation; 5] =
    [Situation::Surge, Situation::Backlog, Situation::SlowDependency, Situation::Healthy, Situation::FullDatabase];

struct Case {
    situation: Situation,
    label: Option<Label>,
    /// The verdict that knows of no earlier weeks.
    alone: Outcome,
    /// The verdict that knows two.
    outcome: Outcome,
    /// Whether it does: not every case has earlier weeks.
    knows_weeks: bool,
    story: String,
}

fn sickness(situation: Situation, random: &mut fastrand::Rng) -> Option<Happening> {
    let mut between = |low: f64, high: f64| low + (high - low) * random.f64();
    match situation {
        Situation::Surge => Some(Happening::Load { factor: between(1.6, 2.3), over_min: 3.0 }),
        Situation::Backlog => Some(Happening::Messages { factor: between(2.1, 3.5) }),
        Situation::SlowDependency => {
            Some(Happening::Dependency { latency_ms: between(300.0, 900.0), error_pct: between(0.0, 2.0) })
        }
        Situation::Healthy => None,
        Situation::FullDatabase => {
            Some(Happening::Database { capacity_factor: between(0.4, 0.6), contention_factor: between(2.0, 6.0) })
        }
        Situation::NightlyJob => Some(Happening::ColdKeys { share: between(0.4, 0.8) }),
        Situation::PoisonedCache => Some(Happening::PoisonCache {}),
        Situation::NightlyDependency | Situation::UncountedDependency => {
            Some(Happening::Dependency { latency_ms: between(300.0, 900.0), error_pct: 0.0 })
        }
        Situation::UncountedPeak => Some(Happening::Load { factor: between(1.2, 1.5), over_min: 0.0 }),
    }
}

/// The application in a situation of an hour: what ends by itself does so before the second measurement.
fn at_an_hour(situation: Situation, decided_min: i64, random: &mut fastrand::Rng) -> AppScenario {
    let mut app = ordinary();
    let happens = sickness(situation, random).unwrap();
    let ends = situation != Situation::PoisonedCache;
    let weekly = !matches!(situation, Situation::PoisonedCache | Situation::UncountedDependency);
    #[allow(clippy::cast_precision_loss, reason = "a few minutes")]
    let for_min = ends.then(|| decided_min as f64 + 1.0 + 3.0 * random.f64() - 3.0);
    app.events = vec![Event { at_min: 3.0, for_min, first_change: None, weekly, happens }];
    app
}

pub(super) fn ordinary() -> AppScenario {
    load(&root().join("tests/scenarios/healthy.yaml")).unwrap().apps["shop"].clone()
}

/// The signals of an application whose requests nobody counts.
fn uncounted(mut snapshot: Snapshot) -> Snapshot {
    snapshot.measurements.retain(|measured| !matches!(measured.signal.as_str(), "requests" | "lb_requests"));
    snapshot
}

/// The application with its sickness, and with what happens to its load while the change is being verified.
fn application(situation: Situation, decided_min: i64, random: &mut fastrand::Rng) -> AppScenario {
    let mut app = ordinary();
    let happens = sickness(situation, random);
    app.events = happens
        .into_iter()
        .map(|happens| Event { at_min: 3.0, for_min: None, first_change: None, weekly: false, happens })
        .collect();
    if random.f64() < 0.6 {
        let factor = 0.5 + 1.1 * random.f64();
        #[allow(clippy::cast_precision_loss, reason = "a few minutes")]
        let at_min = decided_min as f64 + 1.0 + 8.0 * random.f64();
        app.events.push(Event {
            at_min,
            for_min: None,
            first_change: None,
            weekly: false,
            happens: Happening::Load { factor, over_min: 3.0 },
        });
    }
    app
}

fn remedy(situation: Situation, stage: &Stage, before: &Snapshot) -> Option<Change> {
    let resources = stage.resources();
    let of = |kind| resources.iter().find(|resource: &&Resource| resource.kind() == kind);
    let (fleet, service) = (of(ResourceKind::AutoScalingGroup)?, of(ResourceKind::EcsService)?);
    let cache = of(ResourceKind::Cache)?;
    let (servers, tasks) = stage.sizes();
    let more_servers = Action::SetFleetCapacity { group: fleet.name.clone(), desired: servers + servers / 2 + 1 };
    let (on, action, signal, share) = match situation {
        Situation::Backlog => {
            let domain::resource::Live::EcsService(live) = &service.live else { return None };
            let action = Action::SetServiceCount {
                cluster: live.cluster.clone(),
                service: service.name.clone(),
                desired: tasks * 2,
            };
            (service, action, "queue_depth", 0.1)
        }
        Situation::Surge | Situation::UncountedPeak => (fleet, more_servers, "fleet_cpu_pct", 0.6),
        Situation::NightlyJob | Situation::PoisonedCache => {
            (cache, Action::FlushCache { cache: cache.name.clone() }, "cache_hit_rate_pct", 1.0)
        }
        _ => (fleet, more_servers, "latency_p95_ms", 0.6),
    };
    let (measured, better) = match signal {
        "cache_hit_rate_pct" => (&cache.id, Better::Higher),
        _ => (&before.of_signal(signal).next()?.resource, Better::Lower),
    };
    let level = level(before, signal, measured)?;
    let after = if better == Better::Higher { BEST_HIT_RATE_PCT } else { level * share };
    let expected =
        Expectation { signal: SignalId::from(signal), resource: measured.clone(), better, before: level, after };
    Some(Change {
        id: ChangeId::from("c1"),
        action,
        resource: on.id.clone(),
        because: RuleId::from("trial"),
        reason: "tried".to_owned(),
        expected,
        cost_usd_cents_month: None,
        rollout: None,
    })
}

/// What an emptied cache is hoped to come to.
const BEST_HIT_RATE_PCT: f64 = 96.0;

/// The level of a signal in a snapshot, derived signals included.
fn level(snapshot: &Snapshot, signal: &str, on: &ResourceId) -> Option<f64> {
    let policy = health::Policy::default();
    health::view::View::new(snapshot, &policy).known(signal, snapshot.resource(on)?)
}

/// What the change has done at a moment, from the two twins.
struct Effect {
    /// The share of its signal that it took away.
    gain: f64,
    /// The share of the difference that is seen between before and then which is its doing.
    of_seen: f64,
    is_harm: bool,
}

fn effect(change: &Change, with: &Snapshot, without: &Snapshot) -> Option<Effect> {
    let levels = |signal: &str, on| Some((level(with, signal, on)?, level(without, signal, on)?));
    let door = &with.of_signal("latency_p95_ms").next()?.resource;
    let (p95, p95_without) = levels("latency_p95_ms", door)?;
    let (own, own_without) = levels(change.expected.signal.as_str(), &change.expected.resource)?;
    let gain = change.expected.better.sign() * (own_without - own) / own_without.max(1.0);
    let of_seen = (own_without - own) / (change.expected.before - own);
    let is_harm = gain < -0.15 || (p95 > 1.15 * p95_without && p95 - p95_without > 200.0);
    Some(Effect { gain, of_seen, is_harm })
}

fn label(change: &Change, is_of_an_hour: bool, effects: &[Effect; 2]) -> Option<Label> {
    let expected = (change.expected.after - change.expected.before).abs() / change.expected.before.max(1.0);
    let nothing = |effect: &Effect| if is_of_an_hour { effect.of_seen.abs() < 0.1 } else { effect.gain.abs() < 0.03 };
    if effects.iter().any(|effect| effect.is_harm) {
        Some(Label::Harmed)
    } else if effects.iter().all(|effect| effect.gain >= expected / 2.0) {
        Some(Label::Helped)
    } else if effects.iter().all(nothing) {
        Some(Label::DidNothing)
    } else {
        None
    }
}

fn play(seed: u64, of: &[Situation]) -> Option<Case> {
    let mut random = fastrand::Rng::with_seed(seed);
    let situation = of[random.usize(..of.len())];
    let decided_min = random.i64(9..16);
    let app = match HOURS.contains(&situation) {
        true => at_an_hour(situation, decided_min, &mut random),
        false => application(situation, decided_min, &mut random),
    };
    // Beside the hours, every fifth is judged beside two ordinary weeks as well.
    let is_of_an_hour = HOURS.contains(&situation);
    let past_min = if is_of_an_hour { HOURS_PAST_MIN } else { PAST_MIN };
    let app = AppScenario { past_weeks: if is_of_an_hour || seed.is_multiple_of(5) { 2 } else { 0 }, ..app };
    let is_counted = !matches!(situation, Situation::UncountedDependency | Situation::UncountedPeak);
    let seen = |snapshot: Snapshot| if is_counted { snapshot } else { uncounted(snapshot) };
    let rules = Rehearsal::default();
    let window_s = rules.policy.window_s;
    let mut stage = Stage::with_past("shop", &app, seed, past_min);
    let live = |stage: &mut Stage, minutes: u32| (0..minutes).for_each(|_| drop(stage.live()));
    while stage.minute() < decided_min {
        live(&mut stage, 1);
    }
    let before = seen(stage.snapshot(window_s));
    let change = remedy(situation, &stage, &before)?;
    let weeks = stage.forget_weeks();
    let mut twin = stage.clone();
    stage.remember_weeks(weeks);
    stage.apply(&change.action);
    let at = stage.now();
    let wait_min = (change.action.spec().settle_s + window_s).max(rules.policy.wait_s) / 60;
    live(&mut stage, wait_min);
    live(&mut twin, wait_min);
    let mut after = seen(stage.snapshot(window_s));
    let verdict = |after: &Snapshot| health::verify(&change, &before, after, at, &rules.policy);
    let alone = verdict(&after);
    after.weeks = stage.weeks(&[(&change, at)], &after, &rules);
    for week in after.weeks.iter_mut().filter(|_| !is_counted) {
        week.measurements.retain(|measured| measured.signal.as_str() != "requests");
    }
    let outcome = verdict(&after);
    stage.forget_weeks();
    let judged = effect(&change, &after, &twin.snapshot(window_s))?;
    live(&mut stage, 30 - wait_min);
    live(&mut twin, 30 - wait_min);
    let later = effect(&change, &stage.snapshot(window_s), &twin.snapshot(window_s))?;
    let label = label(&change, is_of_an_hour, &[judged, later]);
    let story = format!(
        "seed {seed}: {situation:?}, {label:?}, {}, keep {} (alone {}, {}): {}\n  {:?}",
        outcome.verdict, outcome.keep, alone.verdict, alone.keep, outcome.why, app.events
    );
    Some(Case { situation, label, alone, outcome, knows_weeks: !after.weeks.is_empty(), story })
}

/// P13: of what did no good at most one in a hundred is kept, of what helped at most one in twenty is undone.
#[test]
fn prop_on_labelled_cases_hardly_anything_is_wrongly_kept_or_wrongly_undone() {
    let proof = Proof::begin("labelled-verdicts");
    let cases: Vec<Case> =
        (0..600).filter_map(|seed| play(seed, &SITUATIONS)).filter(|case| case.label.is_some()).collect();
    let labelled = |helped: bool| cases.iter().filter(move |case| (case.label == Some(Label::Helped)) == helped);
    let wrongly_kept: Vec<&Case> = labelled(false).filter(|case| case.outcome.keep).collect();
    let wrongly_undone: Vec<&Case> = labelled(true).filter(|case| !case.outcome.keep).collect();
    let mut table = BTreeMap::new();
    for case in &cases {
        *table.entry((case.situation, case.label, case.outcome.verdict.to_string(), case.outcome.keep)).or_insert(0) +=
            1;
    }
    let stories = |cases: &[&Case]| cases.iter().map(|case| case.story.as_str()).collect::<Vec<_>>().join("\n");
    for ((situation, label, verdict, is_kept), count) in &table {
        println!("{count:>4}  {situation:?} {label:?} {verdict} kept {is_kept}");
    }
    let (bad, good) = (labelled(false).count(), labelled(true).count());
    assert!(bad > 100 && good > 100, "too few cases: {bad} without benefit, {good} with");
    assert!(wrongly_kept.len() * 100 <= bad, "{} of {bad} kept:\n{}", wrongly_kept.len(), stories(&wrongly_kept));
    let undone = wrongly_undone.len();
    assert!(undone * 20 <= good, "{undone} of {good} undone:\n{}", stories(&wrongly_undone));
    // Weeks that were ordinary take nothing from a change that helped, and leave nothing that did not.
    let beside: Vec<&Case> = cases.iter().filter(|case| case.knows_weeks).collect();
    let differ: Vec<&Case> = beside.iter().copied().filter(|case| case.alone.keep != case.outcome.keep).collect();
    assert!(beside.len() >= 50 && differ.len() * 100 <= beside.len(), "{}:\n{}", differ.len(), stories(&differ));
    println!("kept without benefit: {} of {bad}; undone though it helped: {undone} of {good}", wrongly_kept.len());
    println!("decided otherwise for knowing two ordinary weeks: {} of {}", differ.len(), beside.len());
    proof.survived(cases.len());
}

/// The difference that an hour makes by itself is credited to a change that is judged alone, and not to one that is judged beside the
/// earlier weeks; what has really helped is still seen.
#[test]
fn what_the_hour_does_by_itself_is_not_credited_to_a_change() {
    let cases: Vec<Case> = (0..120).filter_map(|seed| play(seed, &HOURS)).filter(|case| case.label.is_some()).collect();
    let mut table = BTreeMap::new();
    for case in &cases {
        let of = |outcome: &Outcome| (outcome.verdict.to_string(), outcome.keep);
        *table.entry((case.situation, case.label, of(&case.alone), of(&case.outcome))).or_insert(0) += 1;
    }
    for ((situation, label, alone, with), count) in &table {
        println!("{count:>4}  {situation:?} {label:?}: alone {alone:?}, beside earlier weeks {with:?}");
    }
    let of = |wanted: &'static [Situation], helped: bool| {
        let is_wanted = move |case: &&Case| wanted.contains(&case.situation);
        let is_label = move |case: &&Case| (case.label == Some(Label::Helped)) == helped;
        cases.iter().filter(is_wanted).filter(is_label).collect::<Vec<&Case>>()
    };
    let verified = |cases: &[&Case], of: fn(&Case) -> &Outcome| {
        cases.iter().filter(|case| of(case).verdict == Verdict::Verified).count()
    };
    let stories = |cases: &[&Case]| cases.iter().map(|case| case.story.as_str()).collect::<Vec<_>>().join("\n");
    let useless = of(&[Situation::NightlyJob, Situation::NightlyDependency, Situation::UncountedDependency], false);
    let (alone, with) = (verified(&useless, |case| &case.alone), verified(&useless, |case| &case.outcome));
    println!("useless, called verified: alone {alone}, beside earlier weeks {with}, of {}", useless.len());
    assert!(useless.len() >= 40 && alone * 2 > useless.len(), "{alone} of {}: they prove nothing", useless.len());
    assert!(with * 100 <= useless.len(), "{with} of {}:\n{}", useless.len(), stories(&useless));
    let poisoned = of(&[Situation::PoisonedCache], true);
    let (alone, with) = (verified(&poisoned, |case| &case.alone), verified(&poisoned, |case| &case.outcome));
    println!(
        "an emptied cache that was poisoned, called verified: alone {alone}, beside earlier weeks {with}, of {}",
        poisoned.len()
    );
    assert!(poisoned.len() >= 15 && with * 20 >= alone * 19, "{with} of {alone}:\n{}", stories(&poisoned));
    let peaks = of(&[Situation::UncountedPeak], true);
    let (alone, with) = (verified(&peaks, |case| &case.alone), verified(&peaks, |case| &case.outcome));
    println!(
        "servers that helped without a count of requests, called verified: alone {alone}, beside earlier weeks {with}, of {}",
        peaks.len()
    );
    assert!(peaks.len() >= 10 && alone == 0 && with * 10 >= peaks.len() * 9, "{with}:\n{}", stories(&peaks));
}
