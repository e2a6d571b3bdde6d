//! Every call of an iteration fails in every way, once each, and the world must be as if it had not, or as if the change had
//! never been.

use crate::common::{Bench, assert_settled, assert_sound, judge, outcomes, recover, recover_and};
use domain::change::{Action, Change};
use domain::guard::KillSwitch;
use domain::ids::ResourceId;
use domain::outcome::Outcome;
use domain::plan::Plan;
use domain::resource::Resource;
use engine::act::ActError;
use engine::ports::EntryState;
use engine::{act, lease, settle, undo};
use std::collections::BTreeMap;
use std::sync::Arc;
use testkit::{Call, End, Fault, Process, Proof, World, build, interleave, run_to_end};

/// The steps of an iteration that write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Act,
    Settle,
    Keep,
    Undo,
}

const STEPS: [Step; 4] = [Step::Act, Step::Settle, Step::Keep, Step::Undo];

/// Who goes on after a process has died or given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Survivor {
    /// The state machine delivers the step again.
    SameRun,
    /// The run is dead; a later one finds what it left.
    NextRun,
}

fn resources() -> Vec<Resource> {
    vec![
        build::fleet("web", 2),
        build::fleet("api", 3),
        build::fleet("batch", 3),
        build::service("worker", 2),
        build::service("mail", 2),
        build::service("render", 3),
        build::cache("pages"),
    ]
}

fn changes() -> Vec<Change> {
    vec![
        build::change("grow-web", build::set_fleet("web", 4)),
        build::change("grow-worker", build::set_service("worker", 3)),
        build::change("too-many", build::set_fleet("batch", 13)),
        build::change("sick-api", build::replace("api", 1)),
        build::change("restart-mail", Action::RedeployService { cluster: "mail".into(), service: "mail".into() }),
        build::change("restart-batch", Action::RefreshFleet { group: "batch".into() }),
        build::change("sick-render", build::replace_task("render", 1)),
        build::change("clear-pages", Action::FlushCache { cache: "pages".into() }),
    ]
}

/// The web tier is better for it, the worker is not; everything else is verified.
fn verdicts(changes: &[Change], bench: &Bench) -> Vec<Outcome> {
    let judged: Vec<(&Change, bool)> =
        changes.iter().map(|change| (change, change.id.as_str() != "grow-worker")).collect();
    outcomes(&judged, bench.world.now())
}

/// Delivers one step to a process.
fn deliver(bench: &Bench, process: &Process, step: Step, plan: &Plan) -> End<Result<(), ActError>> {
    let context = bench.context(process);
    let verdicts = verdicts(&plan.changes, bench);
    run_to_end(process, async {
        match step {
            Step::Act => act::carry_out(&context, plan, &bench.snapshot).await.map(|_| ()),
            Step::Settle => settle::own(&context).await.map(|_| ()),
            Step::Keep => undo::keep(&context, &verdicts).await.map(|_| ()),
            Step::Undo => undo::carry_out(&context, &verdicts).await.map(|_| ()),
        }
    })
}

/// Plays an iteration with one fault. True when it came to pass.
fn play(world: &Arc<World>, fault: Option<(usize, Fault)>, survivor: Survivor) -> (bool, Vec<Call>) {
    let bench = Bench::on(world, "run-1");
    let plan = build::plan(changes());
    let process = Process::with(world, fault);
    for step in STEPS {
        let mut end = deliver(&bench, &process, step, &plan);
        for _ in 0..3 {
            if matches!(end, End::Finished(Ok(()))) || survivor == Survivor::NextRun {
                break;
            }
            world.pass_s(100);
            end = deliver(&bench, &Process::sound(world), step, &plan);
        }
        if !matches!(end, End::Finished(Ok(()))) {
            break;
        }
        // The wait between optimize and validate.
        world.pass_s(600);
    }
    (process.injected() > 0, process.calls())
}

/// The capacity that a resource must have by its entry in the journal: one application or none, nothing in between.
fn assert_story(world: &World, told: &str) {
    let wanted: BTreeMap<&str, (&str, u32, u32)> =
        BTreeMap::from([("grow-web", ("asg/web", 2, 4)), ("grow-worker", ("ecs/worker", 2, 3))]);
    for (change, (resource, before, after)) in wanted {
        let state = world.entry(&change.into()).map(|entry| entry.state);
        let live = world.capacity(&ResourceId::from(resource));
        let expected = if state == Some(EntryState::Kept) { after } else { before };
        assert_eq!(live, Some(expected), "{told}: {change} is {state:?}");
        assert_ne!(state, Some(EntryState::Superseded), "{told}: nobody else has changed {resource}");
    }
    assert!(world.entry(&"too-many".into()).is_none(), "{told}: what a guard refuses leaves no entry");
    assert!(world.flushes(&ResourceId::from("cache/pages")) <= 1, "{told}");
}

fn faults_for(call: Call) -> Vec<Fault> {
    // A call that writes ends within the time-out of its client; a process may be held up anywhere else for long.
    let delays: &[u32] = if call.writes { &[1, 50] } else { &[1, 50, 100, 1_000, 4_000] };
    let mut faults = vec![
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Throttle,
        Fault::Deny,
        Fault::KillSwitch,
    ];
    faults.extend(delays.iter().map(|seconds| Fault::Delay(*seconds)));
    if call.operation == "Actuator.apply" {
        faults.extend([Fault::LandLate(1), Fault::LandLate(30), Fault::LandLate(59)]);
    }
    faults
}

#[test]
fn a_golden_run_keeps_what_helped_and_undoes_what_did_not() {
    let world = Arc::new(World::of(resources()));
    play(&world, None, Survivor::SameRun);
    assert_sound(&world, false);
    assert_settled(&world);
    assert_eq!(world.entry(&"grow-web".into()).unwrap().state, EntryState::Kept);
    assert_eq!(world.entry(&"grow-worker".into()).unwrap().state, EntryState::Undone);
    assert_story(&world, "golden");
}

#[test]
fn fault_at_every_call_leaves_one_application_or_none() {
    let golden = Arc::new(World::of(resources()));
    let (_, calls) = play(&golden, None, Survivor::SameRun);
    let proof = Proof::begin("engine-faults");
    let (mut injected, mut survived) = (0_usize, 0_usize);
    for (number, call) in calls.iter().enumerate() {
        for fault in faults_for(*call) {
            for (survivor, keeps) in [(Survivor::SameRun, false), (Survivor::NextRun, false), (Survivor::NextRun, true)]
            {
                let world = Arc::new(World::of(resources()));
                let (has_struck, _) = play(&world, Some((number, fault)), survivor);
                injected += usize::from(has_struck);
                let told = format!("{fault:?} at call {number} ({}), then {survivor:?}", call.operation);
                let is_late = matches!(fault, Fault::LandLate(_));
                assert_sound(&world, is_late);
                recover_and(&world, "run-2", |_| keeps);
                assert_settled(&world);
                assert_story(&world, &told);
                survived += usize::from(has_struck);
            }
        }
    }
    assert!(calls.len() > 60, "the golden run became smaller than its changes need: {} calls", calls.len());
    assert_eq!(injected, survived);
    proof.survived(survived);
}

#[test]
fn fault_during_recovery_is_recovered_from() {
    let plan = build::plan(changes());
    // Dies right after the last change: everything is applied, nothing verified.
    let died = |world: &Arc<World>| {
        let bench = Bench::on(world, "run-1");
        let end = deliver(&bench, &Process::sound(world), Step::Act, &plan);
        assert!(matches!(end, End::Finished(Ok(()))));
        world.pass_s(engine::run::LEASE_TTL_S + 1);
    };
    let recover_in = |world: &Arc<World>, process: &Process| {
        let bench = Bench::on(world, "run-2");
        let context = bench.context(process);
        let _may_fail = run_to_end(process, async {
            let _settled = settle::residue(&context).await?;
            let judged = judge(process, &bench.run, world, |_| false).await;
            judged.map_err(|source| ActError::Journal { doing: "judge".to_owned(), source })?;
            undo::residue(&context).await
        });
    };
    let golden = Arc::new(World::of(resources()));
    died(&golden);
    let process = Process::sound(&golden);
    recover_in(&golden, &process);
    let calls = process.calls();
    let proof = Proof::begin("recovery-faults");
    let mut survived = 0;
    for (number, call) in calls.iter().enumerate() {
        for fault in faults_for(*call) {
            let world = Arc::new(World::of(resources()));
            died(&world);
            recover_in(&world, &Process::with(&world, [(number, fault)]));
            assert_sound(&world, false);
            recover(&world, "run-3");
            assert_settled(&world);
            assert_story(&world, &format!("{fault:?} at call {number} of the recovery ({})", call.operation));
            survived += 1;
        }
    }
    proof.survived(survived);
}

#[test]
fn fault_kill_switch_at_any_moment_stops_the_next_write_that_looks() {
    let golden = Arc::new(World::of(resources()));
    let (_, calls) = play(&golden, None, Survivor::SameRun);
    let proof = Proof::begin("kill-switch");
    for (number, call) in calls.iter().enumerate() {
        let world = Arc::new(World::of(resources()));
        play(&world, Some((number, Fault::KillSwitch)), Survivor::SameRun);
        let late = world.ledger().iter().filter(|write| write.kill_switch == KillSwitch::On).count();
        // Turned on between the last look and the call itself: that one call is already under way.
        assert!(
            late <= usize::from(call.writes),
            "{late} writes after the switch at call {number} ({})",
            call.operation
        );
    }
    proof.survived(calls.len());
}

#[test]
fn fault_step_delivered_twice_in_a_row_applies_once() {
    let world = Arc::new(World::of(resources()));
    let bench = Bench::on(&world, "run-1");
    let plan = build::plan(changes());
    let first = bench.act(&plan).unwrap();
    let second = bench.act(&plan).unwrap();
    assert_eq!(first.applied().count(), second.applied().count());
    assert_eq!(first.refused().count(), 1);
    assert_eq!(second.refused().count(), 1);
    assert_sound(&world, false);
}

#[test]
fn fault_step_delivered_twice_at_once_applies_once() {
    let proof = Proof::begin("delivered-twice-at-once");
    let runs = 1_000;
    for seed in 0..runs {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = Arc::new(World::of(resources()));
        let bench = Bench::on(&world, "run-1");
        let plan = build::plan(changes());
        let fault = random.bool().then(|| {
            let kinds =
                [Fault::CrashBefore, Fault::CrashAfter, Fault::LoseAnswer, Fault::LoseRequest, Fault::Delay(50)];
            (random.usize(0..60), kinds[random.usize(0..kinds.len())])
        });
        let (one, two) = (Process::with(&world, fault), Process::sound(&world));
        let (first, second) = (bench.context(&one), bench.context(&two));
        let fibers: Vec<testkit::schedule::Fiber<'_, _>> = vec![
            (&one, Box::pin(act::carry_out(&first, &plan, &bench.snapshot))),
            (&two, Box::pin(act::carry_out(&second, &plan, &bench.snapshot))),
        ];
        let _either_may_be_told_to_wait = interleave(fibers, |running| random.usize(0..running));
        assert_sound(&world, false);
        recover(&world, "run-2");
        assert_settled(&world);
        assert_story(&world, &format!("seed {seed}"));
    }
    proof.survived(usize::try_from(runs).unwrap());
}

#[test]
fn fault_a_run_that_lost_its_lease_changes_nothing_more() {
    let world = Arc::new(World::of(resources()));
    let old = Bench::on(&world, "run-1");
    let plan = build::plan(changes());
    world.pass_s(engine::run::LEASE_TTL_S + 1);
    let new = Bench::on(&world, "run-2");
    let while_held = old.act(&plan);
    assert!(matches!(while_held, Err(ActError::LeaseLost { .. })), "{while_held:?}");
    let process = Process::sound(&world);
    run_to_end(&process, lease::release(process.ports().leases, &new.run)).finished().unwrap().unwrap();
    let when_free_again = old.act(&plan);
    assert!(matches!(when_free_again, Err(ActError::LeaseLost { .. })), "{when_free_again:?}");
    assert!(world.ledger().is_empty() && world.journal().is_empty());
}

#[test]
fn fault_two_deliveries_of_different_plans_at_once_never_exceed_a_budget() {
    let proof = Proof::begin("budget-orders");
    let mut both_drew_back = 0;
    for seed in 0..1_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = Arc::new(World::of(resources()));
        let mut bench = Bench::on(&world, "run-1");
        bench.limits.changes_per_execution_max = 1;
        let plans = [
            build::plan(vec![build::change("grow-web", build::set_fleet("web", 4))]),
            build::plan(vec![build::change("grow-worker", build::set_service("worker", 3))]),
        ];
        let (one, two) = (Process::sound(&world), Process::sound(&world));
        let (first, second) = (bench.context(&one), bench.context(&two));
        let fibers: Vec<testkit::schedule::Fiber<'_, _>> = vec![
            (&one, Box::pin(act::carry_out(&first, &plans[0], &bench.snapshot))),
            (&two, Box::pin(act::carry_out(&second, &plans[1], &bench.snapshot))),
        ];
        let _reports = interleave(fibers, |running| random.usize(0..running));
        let made = world.ledger().len();
        assert!(made <= 1, "seed {seed}: {made} changes where one was allowed");
        both_drew_back += u32::from(made == 0);
    }
    assert!(both_drew_back < 1_000, "one of them gets through when the other is late");
    proof.survived(1_000);
}
