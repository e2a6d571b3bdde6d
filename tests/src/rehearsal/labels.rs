//! Verdicts on labelled cases: was a change kept that had done no good, was one undone that had helped?
//!
//! What a change has really done is told by a twin of the same application, with the same noise and the same load, on which it was
//! not made. The product sees only the one on which it was made. A change has helped when it did at least half of what was expected
//! of it, in the window that the product judged and half an hour after the change; it did nothing when it did less than 3 % in
//! both; it harmed when its own signal or the users' p95 got clearly worse in either. What lies between has no label: there either
//! verdict can be defended.

use super::*;
use crate::local::root;
use crate::model::{Event, Happening};
use crate::scenario::{AppScenario, load};
use domain::change::{Action, Better, Change, Expectation};
use domain::health;
use domain::ids::{ChangeId, RuleId, SignalId};
use domain::outcome::Outcome;
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

/// A sickness, and a growth that somebody may try against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Situation {
    Surge,
    Backlog,
    SlowDependency,
    Healthy,
    FullDatabase,
}

const SITUATIONS: [Situation; 5] =
    [Situation::Surge, Situation::Backlog, Situation::SlowDependency, Situation::Healthy, Situation::FullDatabase];

struct Case {
    situation: Situation,
    label: Option<Label>,
    outcome: Outcome,
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
    }
}

/// The application with its sickness, and with what happens to its load while the change is being verified.
fn application(situation: Situation, decided_min: i64, random: &mut fastrand::Rng) -> AppScenario {
    let mut app = load(&root().join("tests/scenarios/healthy.yaml")).unwrap().apps["shop"].clone();
    let happens = sickness(situation, random);
    app.events = happens.into_iter().map(|happens| Event { at_min: 3.0, for_min: None, happens }).collect();
    if random.f64() < 0.6 {
        let factor = 0.5 + 1.1 * random.f64();
        #[allow(clippy::cast_precision_loss, reason = "a few minutes")]
        let at_min = decided_min as f64 + 1.0 + 8.0 * random.f64();
        app.events.push(Event { at_min, for_min: None, happens: Happening::Load { factor, over_min: 3.0 } });
    }
    app
}

fn growth(situation: Situation, stage: &Stage, before: &Snapshot) -> Option<Change> {
    let resources = stage.resources();
    let of = |kind| resources.iter().find(|resource: &&Resource| resource.kind() == kind);
    let (fleet, service) = (of(ResourceKind::AutoScalingGroup)?, of(ResourceKind::EcsService)?);
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
        Situation::Surge => (fleet, more_servers, "fleet_cpu_pct", 0.6),
        _ => (fleet, more_servers, "latency_p95_ms", 0.6),
    };
    let measured = &before.of_signal(signal).next()?.resource;
    let level = before.level(signal, measured)?;
    let expected = Expectation {
        signal: SignalId::from(signal),
        resource: measured.clone(),
        better: Better::Lower,
        before: level,
        after: level * share,
    };
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

/// What the change has done at a moment, from the two twins: the share of its signal that it took away, and whether it harmed.
fn effect(change: &Change, with: &Snapshot, without: &Snapshot) -> Option<(f64, bool)> {
    let levels = |signal: &str, resource| Some((with.level(signal, resource)?, without.level(signal, resource)?));
    let door = &with.of_signal("latency_p95_ms").next()?.resource;
    let (p95, p95_without) = levels("latency_p95_ms", door)?;
    let (own, own_without) = levels(change.expected.signal.as_str(), &change.expected.resource)?;
    let gain = (own_without - own) / own_without.max(1.0);
    Some((gain, gain < -0.15 || (p95 > 1.15 * p95_without && p95 - p95_without > 200.0)))
}

fn label(change: &Change, effects: [(f64, bool); 2]) -> Option<Label> {
    let expected = 1.0 - change.expected.after / change.expected.before;
    if effects.iter().any(|(_, is_harm)| *is_harm) {
        Some(Label::Harmed)
    } else if effects.iter().all(|(gain, _)| *gain >= expected / 2.0) {
        Some(Label::Helped)
    } else if effects.iter().all(|(gain, _)| gain.abs() < 0.03) {
        Some(Label::DidNothing)
    } else {
        None
    }
}

fn play(seed: u64) -> Option<Case> {
    let mut random = fastrand::Rng::with_seed(seed);
    let situation = SITUATIONS[random.usize(..SITUATIONS.len())];
    let decided_min = random.i64(9..16);
    let app = application(situation, decided_min, &mut random);
    let rules = Rehearsal::default();
    let window_s = rules.policy.window_s;
    let mut stage = Stage::new("shop", &app, seed);
    let live = |stage: &mut Stage, minutes: u32| (0..minutes).for_each(|_| drop(stage.live()));
    while stage.minute() < decided_min {
        live(&mut stage, 1);
    }
    let before = stage.snapshot(window_s);
    let change = growth(situation, &stage, &before)?;
    let mut twin = stage.clone();
    stage.apply(&change.action);
    let at = stage.now();
    let wait_min = (change.action.spec().settle_s + window_s).max(rules.policy.wait_s) / 60;
    live(&mut stage, wait_min);
    live(&mut twin, wait_min);
    let after = stage.snapshot(window_s);
    let outcome = health::verify(&change, &before, &after, at, &rules.policy);
    let judged = effect(&change, &after, &twin.snapshot(window_s))?;
    live(&mut stage, 30 - wait_min);
    live(&mut twin, 30 - wait_min);
    let later = effect(&change, &stage.snapshot(window_s), &twin.snapshot(window_s))?;
    let label = label(&change, [judged, later]);
    let story = format!(
        "seed {seed}: {situation:?}, {label:?}, {}, keep {}: {}\n  {:?}",
        outcome.verdict, outcome.keep, outcome.why, app.events
    );
    Some(Case { situation, label, outcome, story })
}

/// P13: of what did no good at most one in a hundred is kept, of what helped at most one in twenty is undone.
#[test]
fn prop_on_labelled_cases_hardly_anything_is_wrongly_kept_or_wrongly_undone() {
    let proof = Proof::begin("labelled-verdicts");
    let cases: Vec<Case> = (0..600).filter_map(play).filter(|case| case.label.is_some()).collect();
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
    println!("kept without benefit: {} of {bad}; undone though it helped: {undone} of {good}", wrongly_kept.len());
    proof.survived(cases.len());
}
