//! Settling what a dead run left: every kind of change, every way in which the world may have gone on without it.

use crate::common::{Bench, assert_settled, call_of, outcomes, recover, recover_and, settled};
use domain::change::Action;
use domain::execution::Cycle;
use domain::guard::KillSwitch;
use domain::ids::ResourceId;
use domain::mode::Mode;
use domain::resource::Live;
use engine::act::{ChangeResult, Context};
use engine::ports::EntryState;
use engine::run::{LEASE_TTL_S, lease_ttl_s};
use engine::settle::{self, End};
use jiff::SignedDuration;
use std::sync::Arc;
use testkit::{Fault, Process, World, build, run_to_end};

/// A run that died at a call of making one change. The lease has expired since.
fn died(action: Action, operation: &str, fault: Fault) -> Bench {
    let resources = || {
        vec![
            build::fleet("web", 2),
            build::service("worker", 2),
            build::cache("pages"),
            build::distribution("E1"),
            build::statistics(),
        ]
    };
    let plan = build::plan(vec![build::change("c1", action)]);
    let number = call_of(resources(), &plan, operation);
    let bench = Bench::of(resources());
    let end = bench.act_in(&Process::with(&bench.world, [(number, fault)]), &plan);
    assert!(end.finished().is_none(), "it died");
    bench.world.pass_s(LEASE_TTL_S + 1);
    bench
}

fn kinds() -> Vec<Action> {
    vec![
        build::set_fleet("web", 4),
        build::set_service("worker", 3),
        build::replace("web", 1),
        Action::RefreshFleet { group: "web".into() },
        Action::RedeployService { cluster: "worker".into(), service: "worker".into() },
        build::replace_task("worker", 1),
        Action::FlushCache { cache: "pages".into() },
        Action::InvalidateCdn { distribution: "E1".into() },
        Action::AnalyzeTable { database: "shop".into(), schema: "public".into(), table: "orders".into() },
    ]
}

#[test]
fn regression_a_change_of_any_kind_that_happened_waits_for_its_verdict() {
    for action in kinds() {
        let bench = died(action.clone(), "Actuator.apply", Fault::CrashAfter);
        let live = bench.world.resources();
        let next = settled(&bench.world, "run-2");
        assert_eq!(bench.state("c1"), Some(EntryState::Applied), "{action}");
        assert_eq!(bench.world.resources(), live, "nothing is taken back unseen: {action}");
        assert_eq!(next.undo_residue().unwrap().changes.len(), 0, "nor without a verdict: {action}");
    }
}

#[test]
fn regression_statistics_that_have_aged_again_were_not_taken_back_by_anybody() {
    let analyze = Action::AnalyzeTable { database: "shop".into(), schema: "public".into(), table: "orders".into() };
    let bench = died(analyze, "Actuator.apply", Fault::CrashAfter);
    let first = settled(&bench.world, "run-2");
    assert_eq!(bench.state("c1"), Some(EntryState::Applied));
    drop(first);
    bench.world.edit(&ResourceId::from("statistics/shop/public.orders"), |resource| {
        if let Live::Statistics(of) = &mut resource.live {
            of.modified = of.rows;
        }
    });
    bench.world.pass_s(LEASE_TTL_S + 1);
    recover_and(&bench.world, "run-3", |_| false);
    assert_eq!(bench.state("c1"), Some(EntryState::Kept), "judged, and kept since there is no way back");
}

#[test]
fn what_a_dead_run_left_is_kept_or_undone_by_its_verdict_and_names_who_took_it_over() {
    for (action, has_helped) in kinds().into_iter().flat_map(|action| [(action.clone(), true), (action, false)]) {
        let is_undoable = action.spec().reversal == domain::change::Reversal::Undoable;
        let bench = died(action.clone(), "Actuator.apply", Fault::CrashAfter);
        recover_and(&bench.world, "run-2", |_| has_helped);
        assert_settled(&bench.world);
        let expected = if is_undoable && !has_helped { EntryState::Undone } else { EntryState::Kept };
        assert_eq!(bench.state("c1"), Some(expected), "{action}");
        let entry = bench.world.entry(&"c1".into()).unwrap();
        assert!(entry.outcome.is_some() && entry.concerns(&"run-2".into()) && entry.concerns(&"run-1".into()));
        assert_eq!(entry.taken_over_by, Some("run-2".into()), "{action}");
    }
}

#[test]
fn a_change_of_any_kind_that_never_happened_is_told_apart_where_the_world_shows_it() {
    for action in kinds() {
        let bench = died(action.clone(), "Actuator.apply", Fault::CrashBefore);
        recover(&bench.world, "run-2");
        let leaves_no_trace = matches!(action, Action::FlushCache { .. } | Action::InvalidateCdn { .. });
        let expected = if leaves_no_trace { EntryState::Kept } else { EntryState::NotApplied };
        assert_eq!(bench.state("c1"), Some(expected), "{action}");
        assert!(bench.world.ledger().is_empty(), "nothing is tried again: {action}");
    }
}

#[test]
fn newer_work_of_somebody_else_is_left_alone_and_handed_over_with_both_values() {
    let bench = died(build::set_fleet("web", 4), "Actuator.apply", Fault::CrashAfter);
    bench.world.edit_capacity(&ResourceId::from("asg/web"), 7);
    recover(&bench.world, "run-2");
    assert_eq!(bench.capacity("asg/web"), Some(7));
    let entry = bench.world.entry(&"c1".into()).unwrap();
    assert_eq!(entry.state, EntryState::Superseded);
    assert!(entry.note.contains('4') && entry.note.contains('7'), "{}", entry.note);
}

#[test]
fn a_resource_that_is_gone_is_handed_over() {
    let bench = died(build::set_fleet("web", 4), "Actuator.apply", Fault::CrashAfter);
    bench.world.remove(&ResourceId::from("asg/web"));
    recover(&bench.world, "run-2");
    assert_eq!(bench.state("c1"), Some(EntryState::Superseded));
}

#[test]
fn the_kill_switch_keeps_it_open_and_the_next_run_settles_it() {
    let bench = died(build::set_fleet("web", 4), "Actuator.apply", Fault::CrashAfter);
    bench.world.set_kill_switch(KillSwitch::On);
    let next = Bench::on(&bench.world, "run-2");
    let settlement = next.residue().unwrap();
    assert!(matches!(settlement.changes[0].end, End::Applied { .. }), "{settlement:?}");
    next.judge(|_| false);
    assert_eq!(next.undo_residue().unwrap().left_open().count(), 1);
    assert_eq!(bench.capacity("asg/web"), Some(4));
    assert!(next.world.entry(&"c1".into()).unwrap().state.is_open());
    recover(&bench.world, "run-3");
    assert_eq!(bench.capacity("asg/web"), Some(2));
}

#[test]
fn a_run_that_only_observes_finds_out_and_puts_nothing_back() {
    let bench = died(build::set_fleet("web", 4), "Actuator.apply", Fault::CrashAfter);
    let mut next = Bench::on(&bench.world, "run-2");
    next.mode = Box::new(|_| Mode::Observe);
    let settlement = next.residue().unwrap();
    assert!(matches!(settlement.changes[0].end, End::Applied { .. }), "{settlement:?}");
    next.judge(|_| false);
    let settlement = next.undo_residue().unwrap();
    assert!(matches!(settlement.changes[0].end, End::LeftOpen { .. }), "{settlement:?}");
    assert_eq!(bench.capacity("asg/web"), Some(4));
    assert_eq!(bench.state("c1"), Some(EntryState::Applied));
}

#[test]
fn an_intent_that_may_still_be_on_its_way_is_not_judged() {
    let bench = Bench::of(vec![build::fleet("web", 2)]);
    let plan = build::plan(vec![build::change("c1", build::set_fleet("web", 4))]);
    let number = call_of(vec![build::fleet("web", 2)], &plan, "Actuator.apply");
    let _died = bench.act_in(&Process::with(&bench.world, [(number, Fault::CrashBefore)]), &plan);
    let own = |bench: &Bench, has_s: u32| {
        let sound = Process::sound(&bench.world);
        let context = Context {
            deadline: bench.world.now() + SignedDuration::from_secs(i64::from(has_s)),
            ..bench.context(&sound)
        };
        run_to_end(&sound, settle::own(&context)).finished().unwrap().unwrap()
    };
    // Whoever has not the time to wait asks again when by no clock it can be on its way.
    let needs_s = bench.timing.in_flight_s() + bench.timing.reserve_s;
    let wait_s = own(&bench, needs_s - 1).retry_after_s().expect("it is too young");
    assert!((1..=bench.timing.in_flight_s() + bench.timing.skew_s).contains(&wait_s), "{wait_s}");
    assert_eq!(bench.state("c1"), Some(EntryState::Intended));
    let began = bench.world.now();
    let settlement = own(&bench, needs_s + 5);
    assert!(matches!(settlement.changes[0].end, End::NotApplied { .. }), "{settlement:?}");
    assert!(bench.world.now().duration_since(began).as_secs() >= i64::from(bench.timing.in_flight_s()));
}

#[test]
fn regression_an_undo_that_was_interrupted_is_finished_by_settling() {
    let bench = Bench::of(vec![build::fleet("web", 2)]);
    let change = build::change("c1", build::set_fleet("web", 4));
    let _report = bench.act(&build::plan(vec![change.clone()])).unwrap();
    bench.world.set_kill_switch(KillSwitch::On);
    let _left_open = bench.undo(&outcomes(&[(&change, false)], bench.world.now())).unwrap();
    assert_eq!(bench.state("c1"), Some(EntryState::UndoIntended));
    bench.world.set_kill_switch(KillSwitch::Off);
    let process = Process::sound(&bench.world);
    let context = bench.context(&process);
    let settlement = run_to_end(&process, settle::own(&context)).finished().unwrap().unwrap();
    assert_eq!((settlement.undone(), bench.capacity("asg/web")), (1, Some(2)));
}

#[test]
fn a_value_that_stands_as_before_by_now_is_closed_without_a_verdict() {
    let bench = died(build::set_fleet("web", 4), "Journal.advance", Fault::CrashAfter);
    assert_eq!(bench.state("c1"), Some(EntryState::Applied));
    bench.world.edit_capacity(&ResourceId::from("asg/web"), 2);
    settled(&bench.world, "run-2");
    let entry = bench.world.entry(&"c1".into()).unwrap();
    assert_eq!((entry.state, entry.outcome), (EntryState::Undone, None));
}

#[test]
fn what_an_earlier_iteration_could_not_undo_is_undone_by_a_later_one() {
    let mut bench = Bench::of(vec![build::fleet("web", 2), build::fleet("api", 2)]);
    let change = build::change("c1", build::set_fleet("web", 4));
    let _report = bench.act(&build::plan(vec![change.clone()])).unwrap();
    bench.world.set_kill_switch(KillSwitch::On);
    let _left_open = bench.undo(&outcomes(&[(&change, false)], bench.world.now())).unwrap();
    bench.world.set_kill_switch(KillSwitch::Off);
    bench.run.iteration = 2;
    assert_eq!((bench.undo_residue().unwrap().undone(), bench.capacity("asg/web")), (1, Some(2)));
}

#[test]
fn an_instance_that_is_leaving_counts_as_replaced() {
    let bench = died(build::replace("web", 1), "Actuator.apply", Fault::CrashBefore);
    bench.world.edit(&ResourceId::from("asg/web"), |web| {
        if let Live::AutoScalingGroup(fleet) = &mut web.live {
            fleet.instances[0].in_service = false;
        }
    });
    recover(&bench.world, "run-2");
    assert_eq!(bench.state("c1"), Some(EntryState::Kept));
}

/// What one cycle has under way is no dead run's work to another: each settles, judges and takes back only its own.
#[test]
fn a_cycle_leaves_alone_what_another_has_open_under_its_own_lease() {
    for (first, second) in [(Cycle::Health, Cycle::Cost), (Cycle::Cost, Cycle::Health)] {
        let resources = vec![build::fleet("web", 2), build::service("worker", 2)];
        let world = Arc::new(World::of(resources));
        let at_work = Bench::try_of_cycle(&world, "run-1", first).expect("nobody holds it");
        let made = at_work.make("c1", build::set_fleet("web", 4));
        assert!(matches!(made.result, ChangeResult::Applied { .. }), "{made:?}");

        let other = Bench::try_of_cycle(&world, "run-2", second).expect("each cycle has a lease of its own");
        assert_eq!(other.residue().unwrap().changes, vec![], "{second}");
        assert_eq!(other.undo_residue().unwrap().changes, vec![], "{second}");
        other.judge(|_| false);
        assert_eq!(at_work.state("c1"), Some(EntryState::Applied), "{second} has no say in it");
        let busy = other.make("c2", build::set_fleet("web", 6));
        assert!(matches!(&busy.result, ChangeResult::Refused { .. }), "two open changes on one resource: {busy:?}");

        // The next run of the same cycle does answer for it.
        world.pass_s(lease_ttl_s(first) + 1);
        let next = Bench::try_of_cycle(&world, "run-3", first).expect("the lease has ended");
        assert_eq!(next.residue().unwrap().changes.len(), 1, "{first}");
    }
}
