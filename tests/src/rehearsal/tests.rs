//! The scenarios of the product, rehearsed: the same expectations, as far as the model alone can tell.

use super::*;
use crate::local::root;
use crate::model::Happening;
use crate::scenario::{Bounds, ExpectedStatus, Scenario, load};
use domain::change::Action;
use domain::health::Next;
use domain::outcome::Verdict;

fn scenario(name: &str) -> Scenario {
    load(&root().join("tests/scenarios").join(format!("{name}.yaml"))).unwrap()
}

fn play(scenario: &Scenario, app: &str, seed: u64) -> End {
    let setup = &scenario.apps[app];
    rehearse(&Rehearsal::default(), app, setup, &scenario.trigger, scenario.time_limit_min, seed)
}

/// What of the scenario's expectations does not hold.
fn failures(scenario: &Scenario, app: &str, end: &End) -> Vec<String> {
    let expect = &scenario.apps[app].expect;
    let mut failed = Vec::new();
    let holds = match expect.status {
        ExpectedStatus::Completed => matches!(end.next, Some(Next::Succeeded { .. })),
        ExpectedStatus::Escalated => matches!(end.next, Some(Next::Escalate { .. })),
        // No rule of the model makes a run fail.
        ExpectedStatus::Failed => false,
        ExpectedStatus::Ended => end.next.is_some(),
        ExpectedStatus::None => end.next.is_none(),
    };
    if !holds {
        failed.push(format!("status {:?}, expected {:?}", end.next, expect.status));
    }
    failed.extend(
        expect.findings.iter().filter(|rule| !end.rules.contains(*rule)).map(|rule| format!("no finding {rule}")),
    );
    let count = |undone_only: bool, kind| {
        let of_kind = end.made.iter().filter(|made| made.change.action.kind() == kind && (made.undone || !undone_only));
        u32::try_from(of_kind.count()).unwrap()
    };
    let made = end.made.iter().map(|made| made.change.action.kind());
    for kind in made.chain(expect.changes.keys().copied()).collect::<std::collections::BTreeSet<_>>() {
        let bounds = expect.changes.get(&kind).copied().unwrap_or(Bounds { at_least: None, at_most: Some(0) });
        let times = count(false, kind);
        if !bounds.hold(times) {
            failed.push(format!("{kind:?} made {times} times, expected {bounds}"));
        }
    }
    for (kind, bounds) in &expect.undone {
        if !bounds.hold(count(true, *kind)) {
            failed.push(format!("{kind:?} undone {} times, expected {bounds}", count(true, *kind)));
        }
    }
    for (verdict, bounds) in &expect.verdicts {
        let of_verdict =
            end.made.iter().filter(|made| made.outcome.as_ref().is_some_and(|one| one.verdict == *verdict));
        let times = u32::try_from(of_verdict.count()).unwrap();
        if !bounds.hold(times) {
            failed.push(format!("{verdict} {times} times, expected {bounds}"));
        }
    }
    let (servers, tasks) = end.stage.sizes();
    for (what, range, value) in [("servers", expect.world.servers, servers), ("tasks", expect.world.tasks, tasks)] {
        if range.is_some_and(|range| !range.holds(f64::from(value))) {
            failed.push(format!("{value} {what}, expected {range:?}"));
        }
    }
    failed
}

fn check(name: &str) {
    let scenario = scenario(name);
    for app in scenario.apps.keys() {
        for seed in 0..8 {
            let end = play(&scenario, app, seed);
            let failed = failures(&scenario, app, &end);
            assert!(failed.is_empty(), "{name}, {app}, seed {seed}: {failed:#?}\n{}", end.story.join("\n"));
        }
    }
}

macro_rules! rehearsals {
    ($($name:ident: $scenario:literal;)*) => {
        $(#[test]
        fn $name() {
            check($scenario);
        })*
    };
}

rehearsals! {
    a_load_surge_is_scaled_out: "load_surge";
    a_leaking_fleet_is_restarted: "memory_leak";
    leaking_workers_are_deployed_anew: "worker_leak";
    a_sick_instance_is_replaced: "sick_instance";
    a_poisoned_cache_is_emptied: "poisoned_cache";
    what_a_nightly_job_does_by_itself_is_not_credited: "nightly_job";
    a_backlog_gets_more_workers: "queue_backlog";
    scaling_out_before_a_saturated_database_is_undone: "database_saturated";
    a_failing_dependency_is_escalated: "downstream_dependency";
    a_healthy_application_is_left_alone: "healthy";
    an_application_without_metrics_is_never_called_healthy: "metrics_stop";
    a_swinging_load_is_not_followed: "flapping_alarm";
    each_of_two_applications_gets_its_own_remedy: "two_apps";
}

/// Runs of the property: seconds on one core.
const RUNS: u64 = 100;

/// Whatever happens, a run ends: well, or with a person who knows. And at the end nothing stands that was judged bad.
#[test]
fn prop_every_run_ends_and_leaves_nothing_that_did_not_help() {
    let mut random = fastrand::Rng::with_seed(41);
    let happenings = |random: &mut fastrand::Rng| match random.u8(0..8) {
        0 => Happening::Load { factor: 0.5 + 2.5 * random.f64(), over_min: 5.0 * random.f64() },
        1 => Happening::Leak { pct_per_min: 2.0 * random.f64() },
        2 => Happening::SickInstance {
            index: random.usize(0..4),
            slowdown: 1.0 + 9.0 * random.f64(),
            error_pct: 50.0 * random.f64(),
        },
        3 => Happening::PoisonCache {},
        4 => Happening::Messages { factor: 4.0 * random.f64() + 0.1 },
        5 => Happening::Database { capacity_factor: 0.3 + random.f64(), contention_factor: 1.0 + 60.0 * random.f64() },
        6 => Happening::Dependency { latency_ms: 2_000.0 * random.f64(), error_pct: 30.0 * random.f64() },
        _ => Happening::MetricsStop {},
    };
    for seed in 0..RUNS {
        let mut scenario = scenario("healthy");
        let app = scenario.apps.get_mut("shop").unwrap();
        for _ in 0..random.u8(0..3) {
            let at_min = f64::from(random.u8(0..30));
            app.events.push(crate::model::Event {
                at_min,
                for_min: None,
                first_change: None,
                weekly: false,
                happens: happenings(&mut random),
            });
        }
        scenario.time_limit_min = 400.0;
        let end = play(&scenario, "shop", seed);
        let story = || format!("seed {seed}, {:?}\n{}", scenario.apps["shop"].events, end.story.join("\n"));
        assert!(end.next.is_some(), "the run did not end: {}", story());
        let stands = end.made.iter().find(|made| {
            let undoable = made.change.action.spec().reversal == domain::change::Reversal::Undoable;
            undoable && !made.undone && made.outcome.as_ref().is_none_or(|outcome| !outcome.keep)
        });
        assert!(stands.is_none(), "{stands:?} {}", story());
    }
}

/// Leaks of servers and workers that began at any time, and something else going wrong beside them: whatever is restarted
/// as a whole, one member of it went first and was verified. Every fleet and service here has more than two members.
#[test]
fn prop_nothing_is_restarted_as_a_whole_before_it_was_verified_on_one() {
    let mut random = fastrand::Rng::with_seed(43);
    let mut restarts = 0;
    for seed in 0..40 {
        let mut scenario = scenario("worker_leak");
        let app = scenario.apps.get_mut("shop").unwrap();
        let pct_per_min = 0.3 + 0.5 * random.f64();
        let leak = if random.bool() { Happening::Leak { pct_per_min } } else { Happening::WorkerLeak { pct_per_min } };
        let beside = match random.u8(0..3) {
            0 => Happening::Load { factor: 1.0 + random.f64(), over_min: 5.0 },
            1 => Happening::Dependency { latency_ms: 1_000.0 * random.f64(), error_pct: 5.0 * random.f64() },
            _ => Happening::SickInstance { index: random.usize(0..4), slowdown: 4.0, error_pct: 10.0 },
        };
        let at =
            |at_min, happens| crate::model::Event { at_min, for_min: None, first_change: None, weekly: false, happens };
        app.events = vec![at(-f64::from(random.u8(40..110)), leak), at(f64::from(random.u8(0..60)), beside)];
        let end = play(&scenario, "shop", seed);
        for made in &end.made {
            if !matches!(made.change.action, Action::RefreshFleet { .. } | Action::RedeployService { .. }) {
                continue;
            }
            restarts += 1;
            let speaks = |canary: &Made| {
                made.change.rollout.as_ref().is_some_and(|part| part.follows(&canary.change.id))
                    && canary.at < made.at
                    && canary.outcome.as_ref().is_some_and(|outcome| outcome.verdict == Verdict::Verified)
            };
            let story = || format!("seed {seed}, {:?}\n{}", scenario.apps["shop"].events, end.story.join("\n"));
            assert!(end.made.iter().any(speaks), "{} without a canary: {}", made.change.action, story());
        }
    }
    assert!(restarts >= 10, "only {restarts} restarts were seen");
}
