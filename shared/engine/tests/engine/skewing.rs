//! Clocks of processes that differ by up to ten minutes, either way.

use crate::common::{Bench, assert_settled, assert_sound, call_of, outcomes, recover};
use crate::simulation::recover;
use domain::change::Action;
use domain::execution::Cycle;
use domain::guard::Refusal;
use domain::ids::ResourceId;
use engine::act::{self, CLOCK_OFF_MAX_S, ChangeResult, Context};
use engine::ports::{Clock, EntryState};
use engine::run::LEASE_TTL_S;
use engine::{settle, undo};
use jiff::SignedDuration;
use std::sync::Arc;
use testkit::check;
use testkit::schedule::Fiber;
use testkit::{Fault, Process, World, build, interleave, run_to_end};

/// Seconds by which a clock is ahead, in turn.
const OFFS_S: [i64; 5] = [-600, -120, 0, 120, 600];

/// More calls than a step with one change makes.
const CALLS: usize = 24;

fn shop() -> Bench {
    Bench::of(vec![build::fleet("web", 2), build::address("old")])
}

fn clocked(world: &Arc<World>, run: &str, ahead_s: i64) -> Process {
    Process::sound(world).working_for(run, SignedDuration::from_secs(ahead_s))
}

/// The context of a run in a process with a clock of its own.
fn context<'a>(bench: &'a Bench, process: &'a Process) -> Context<'a> {
    Context { deadline: process.now() + SignedDuration::from_secs(840), ..bench.context(process) }
}

/// Lets the first go on for so many calls, then the second to its end, then the first to its own.
fn paused_after<T>(calls: usize, first: Fiber<'_, T>, second: Fiber<'_, T>) {
    let mut turn = 0;
    let _ends = interleave(vec![first, second], |running| {
        turn += 1;
        usize::from(running > 1 && turn > calls)
    });
}

#[test]
fn regression_a_change_is_not_made_once_a_process_with_another_clock_has_settled_it() {
    for (calls, ahead_s) in (0..CALLS).flat_map(|calls| OFFS_S.map(|ahead_s| (calls, ahead_s))) {
        let bench = shop();
        let plan = build::plan(vec![build::change("c1", build::set_fleet("web", 4))]);
        let (one, two) = (clocked(&bench.world, "run-1", 0), clocked(&bench.world, "run-1", ahead_s));
        let (first, second) = (context(&bench, &one), context(&bench, &two));
        let repeated = async {
            for _ in 0..3 {
                let _may_wait = act::carry_out(&second, &plan, &bench.snapshot).await;
            }
        };
        let made = async { drop(act::carry_out(&first, &plan, &bench.snapshot).await) };
        paused_after(calls, (&one, Box::pin(made)), (&two, Box::pin(repeated)));
        assert_sound(&bench.world, false);
        recover(&bench.world, "run-2");
        assert_settled(&bench.world);
    }
}

#[test]
fn a_holder_whose_lease_ends_early_by_another_clock_undoes_over_nothing() {
    for calls in 0..CALLS {
        let bench = shop();
        let change = build::change("c1", build::set_fleet("web", 4));
        assert_eq!(bench.act(&build::plan(vec![change.clone()])).unwrap().applied().count(), 1);
        let verdicts = outcomes(&[(&change, false)], bench.world.now());
        // Ten minutes behind, it believes for long that it holds the lease.
        let behind = clocked(&bench.world, "run-1", -i64::from(CLOCK_OFF_MAX_S));
        let paused = context(&bench, &behind);
        let undone = async { drop(undo::carry_out(&paused, &verdicts).await) };
        let ahead = clocked(&bench.world, "run-2", i64::from(CLOCK_OFF_MAX_S));
        let taken_over = async {
            bench.world.pass_s(LEASE_TTL_S - 2 * CLOCK_OFF_MAX_S + 1);
            let id = "run-2".into();
            let lease = engine::lease::acquire(&ahead, &ahead, Cycle::Health, &bench.run.app, &id).await;
            let Ok(engine::ports::LeaseAnswer::Held(lease)) = lease else { return };
            let run = build::run("shop", "run-2", lease);
            let context = Context { run: &run, ..context(&bench, &ahead) };
            let _settled = settle::residue(&context).await;
            let _undone = undo::residue(&context).await;
        };
        paused_after(calls, (&behind, Box::pin(undone)), (&ahead, Box::pin(taken_over)));
        assert_sound(&bench.world, false);
        recover(&bench.world, "run-3");
        assert_settled(&bench.world);
    }
}

#[test]
fn regression_nothing_is_undone_once_another_clock_may_have_ended_the_lease() {
    let undone = |fault: Option<(usize, Fault)>| {
        let bench = shop();
        let change = build::change("c1", build::set_fleet("web", 4));
        assert_eq!(bench.act(&build::plan(vec![change.clone()])).unwrap().applied().count(), 1);
        let verdicts = outcomes(&[(&change, false)], bench.world.now());
        let process = Process::with(&bench.world, fault);
        let undone = run_to_end(&process, undo::carry_out(&bench.context(&process), &verdicts));
        (undone.finished().unwrap().unwrap(), process.calls(), bench)
    };
    let (settlement, calls, _) = undone(None);
    assert_eq!(settlement.undone(), 1);
    let look = calls.iter().rposition(|call| call.operation == "Switch.read").unwrap();
    let held_up_s = LEASE_TTL_S - 2 * CLOCK_OFF_MAX_S - 59;
    let (settlement, _, bench) = undone(Some((look, Fault::Delay(held_up_s))));
    assert!(settlement.unfinished().is_some(), "{settlement:?}");
    assert_eq!(bench.capacity("asg/web"), Some(4));
    recover(&bench.world, "run-2");
    assert_settled(&bench.world);
}

#[test]
fn regression_a_clock_that_is_set_back_between_an_intent_and_its_call_makes_no_call() {
    let bench = shop();
    let plan = build::plan(vec![build::change("c1", build::set_fleet("web", 4))]);
    let announced = call_of(vec![build::fleet("web", 2), build::address("old")], &plan, "Journal.intend");
    let process = clocked(&bench.world, "run-1", 0);
    let context = context(&bench, &process);
    let mut step = std::pin::pin!(act::carry_out(&context, &plan, &bench.snapshot));
    let mut poll = std::task::Context::from_waker(std::task::Waker::noop());
    let report = loop {
        if process.calls().len() > announced {
            process.set_ahead(SignedDuration::from_secs(-1));
        }
        if let std::task::Poll::Ready(report) = step.as_mut().poll(&mut poll) {
            break report.unwrap();
        }
    };
    assert_eq!(report.failed().count(), 1, "{report:?}");
    assert!(bench.world.ledger().is_empty());
    assert_eq!(bench.state("c1"), Some(EntryState::NotApplied));
}

/// The one who has had no answer ends, and the next run, whose clock is ahead, settles at once.
#[test]
fn regression_the_end_of_a_call_is_waited_for_by_no_clock_that_is_ahead() {
    for lands_after_s in [1, 30, 59] {
        for ahead_s in [0, 91, 120, i64::from(CLOCK_OFF_MAX_S)] {
            let bench = shop();
            let plan = build::plan(vec![build::change("c1", build::set_fleet("web", 4))]);
            let call = call_of(vec![build::fleet("web", 2), build::address("old")], &plan, "Actuator.apply");
            let process = Process::with(&bench.world, [(call, Fault::LandLate(lands_after_s))]);
            let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
            assert!(matches!(report.changes[0].result, ChangeResult::Unsettled { .. }), "{report:?}");
            let _over = run_to_end(&process, engine::lease::release(&*bench.world, &bench.run));
            let ahead = clocked(&bench.world, "run-2", ahead_s);
            let next = Bench::try_of_cycle(&bench.world, "run-2", Cycle::Health).unwrap();
            let settlement = run_to_end(&ahead, settle::residue(&context(&next, &ahead))).finished().unwrap().unwrap();
            assert_sound(&bench.world, false);
            assert_eq!(bench.state("c1"), Some(EntryState::Applied), "{lands_after_s} {ahead_s}: {settlement:?}");
        }
    }
}

#[test]
fn regression_nothing_is_made_smaller_while_a_lease_may_hold_by_the_clock_of_its_holder() {
    let bench = shop();
    let cost = Bench::try_of_cycle(&bench.world, "saving-1", Cycle::Cost).unwrap();
    bench.world.pass_s(LEASE_TTL_S + 2 * CLOCK_OFF_MAX_S - 10);
    let smaller = |cost: Bench, id: &str| {
        let snapshot = build::snapshot("shop", &cost.world.resources(), cost.world.now());
        Bench { snapshot, ..cost }.make(id, build::set_fleet("web", 1)).result
    };
    let refused = smaller(cost, "c1");
    assert!(matches!(refused, ChangeResult::Refused { refusal: Refusal::Incident { .. }, .. }), "{refused:?}");
    bench.world.pass_s(20);
    let cost = Bench::try_of_cycle(&bench.world, "saving-1", Cycle::Cost).unwrap();
    let made = smaller(cost, "c2");
    assert!(matches!(made, ChangeResult::Applied { .. }), "{made:?}");
}

/// An address whose time of grace is over, released with a yes by a run that then died or heard nothing.
fn released(operation: &str, fault: Fault) -> Bench {
    let consent = domain::approval::Approval::Given {
        request: "q1".into(),
        by: "a person".to_owned(),
        remark: String::new(),
        via: domain::approval::Via::Link,
        at: build::after_s(0),
    };
    let mut address = build::address("old");
    if let domain::resource::Live::Address(address) = &mut address.live {
        address.delete_after = Some(build::after_s(-60));
    }
    let of = || vec![address.clone()];
    let plan = build::plan(vec![build::change("c1", Action::ReleaseAddress { allocation: "old".into() })]);
    let bench = |world| {
        let mut bench = Bench::on(&world, "run-1");
        let consent = consent.clone();
        bench.consent = Box::new(move |_, _| domain::approval::Consent::Given(consent.clone()));
        bench
    };
    let twin = bench(Arc::new(World::of(of())));
    let process = Process::sound(&twin.world);
    let _made = twin.act_in(&process, &plan);
    let call = process.calls().iter().position(|call| call.operation == operation).unwrap();
    let bench = bench(Arc::new(World::of(of())));
    let _died_or_not = bench.act_in(&Process::with(&bench.world, [(call, fault)]), &plan);
    assert!(bench.world.resource(&ResourceId::from("address/old")).is_none());
    bench
}

#[test]
fn regression_a_deletion_is_no_work_of_somebody_else_once_the_resource_is_gone() {
    let cases = [
        ("Actuator.apply", Fault::CrashAfter),
        ("Actuator.apply", Fault::LoseAnswer),
        ("Journal.advance", Fault::CrashBefore),
        ("Journal.advance", Fault::CrashAfter),
    ];
    for (operation, fault) in cases {
        let bench = released(operation, fault);
        recover(&bench.world, "run-2");
        assert_eq!(bench.state("c1"), Some(EntryState::Kept), "{operation} {fault:?}");
        assert_settled(&bench.world);
    }
}

#[test]
fn regression_of_two_runs_that_announce_the_same_change_the_dead_one_did_not_make_what_the_other_made() {
    let actions = [build::set_fleet("web", 4), Action::SnapshotVolume { volume: "data".into() }];
    for (action, cycle, calls, dies_at) in actions.iter().flat_map(|action| {
        let of =
            move |cycle| (0..20).flat_map(move |calls| (0..20).map(move |dies_at| (action, cycle, calls, dies_at)));
        [Cycle::Health, Cycle::Performance].into_iter().flat_map(of)
    }) {
        let bench = Bench::of(vec![build::fleet("web", 2), build::volume("data")]);
        let other = Bench::try_of_cycle(&bench.world, "run-2", Cycle::Performance).expect("it is free");
        let dying = Process::with(&bench.world, [(dies_at, Fault::CrashAfter)]);
        let sound = Process::sound(&bench.world);
        let (first, second) = if cycle == Cycle::Health { (&sound, &dying) } else { (&dying, &sound) };
        let plans = ["c1", "c2"].map(|id| build::plan(vec![build::change(id, action.clone())]));
        let (one, two) = (bench.context(first), other.context(second));
        let of_one = async { drop(act::carry_out(&one, &plans[0], &bench.snapshot).await) };
        let of_two = async { drop(act::carry_out(&two, &plans[1], &other.snapshot).await) };
        paused_after(calls, (first, Box::pin(of_one)), (second, Box::pin(of_two)));
        let settled = recover::recover(&bench.world).and_then(|()| check::settled(&bench.world));
        assert_eq!(settled, Ok(()), "{action}, {cycle} lives, {calls}, {dies_at}");
    }
}
