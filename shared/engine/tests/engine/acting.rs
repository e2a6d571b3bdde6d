//! Carrying a plan out: what is applied, refused, failed, left open, and what the report says of it.

use crate::common::{Bench, assert_sound, call_again, call_of, outcomes};
use domain::change::Action;
use domain::guard::{KillSwitch, Refusal};
use domain::ids::ResourceId;
use domain::mode::{Mode, Risk};
use domain::resource::{Live, PROTECTED_TAG};
use engine::act::{self, ActError, ChangeResult, Report, Stop};
use engine::ports::EntryState;
use engine::step::StepError;
use engine::{settle, undo};
use testkit::{Fault, Process, build};

fn shop() -> Bench {
    Bench::of(vec![build::fleet("web", 2), build::service("worker", 2), build::cache("pages")])
}

fn grow() -> Action {
    build::set_fleet("web", 4)
}

/// The number of the first call of an operation when the fleet is grown.
fn call(bench: &Bench, operation: &str) -> usize {
    call_of(bench.world.resources(), &build::plan(vec![build::change("c1", grow())]), operation)
}

#[test]
fn applies_a_change_and_reports_both_values() {
    let bench = shop();
    let line = bench.make("c1", grow());
    assert!(matches!(line.result, ChangeResult::Applied { .. }), "{line:?}");
    assert_eq!((line.before.as_deref(), line.after.as_deref()), (Some("2"), Some("4")));
    assert_eq!(bench.capacity("asg/web"), Some(4));
    assert_eq!(bench.state("c1"), Some(EntryState::Applied));
}

#[test]
fn captures_the_state_right_before_the_change_and_not_that_of_the_snapshot() {
    let bench = shop();
    bench.world.edit_capacity(&ResourceId::from("asg/web"), 3);
    bench.make("c1", grow());
    let prior = bench.world.entry(&"c1".into()).unwrap().prior;
    assert!(matches!(prior.live, Live::AutoScalingGroup(fleet) if fleet.desired == 3));
}

#[test]
fn reports_a_refusal_with_its_guard_and_changes_nothing() {
    let bench = shop();
    let line = bench.make("c1", build::set_fleet("web", 13));
    let ChangeResult::Refused { refusal: Refusal::OutOfBounds { wanted: 13, min: 1, max: 12 }, why } = line.result
    else {
        panic!("{line:?}")
    };
    assert_eq!(why, "13 is outside the owner's bounds 1 to 12");
    assert!(bench.world.ledger().is_empty() && bench.world.journal().is_empty());
}

#[test]
fn refuses_what_the_mode_the_freeze_window_or_the_owner_forbids() {
    let mut bench = shop();
    bench.mode = Box::new(|change| if change.action.spec().risk == Risk::Low { Mode::Observe } else { Mode::Approve });
    assert!(matches!(refusal(&bench, grow()), Refusal::Observing));
    let risk = Risk::High;
    assert_eq!(refusal(&bench, Action::FlushCache { cache: "pages".into() }), Refusal::NeedsApproval { risk });
    bench.mode = Box::new(|_| Mode::Auto);
    bench.freeze = Box::new(|_| Some("sale".to_owned()));
    assert_eq!(refusal(&bench, grow()), Refusal::Frozen { window: "sale".to_owned() });
    bench.freeze = Box::new(|_| None);
    bench.world.edit(&ResourceId::from("asg/web"), |web| {
        web.tags.insert(PROTECTED_TAG.to_owned(), "true".to_owned());
    });
    assert_eq!(refusal(&bench, grow()), Refusal::Protected, "the tag is read live, not from the snapshot");
    assert_sound(&bench.world, false);
}

fn refusal(bench: &Bench, action: Action) -> Refusal {
    match bench.make("refused", action).result {
        ChangeResult::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn refuses_when_the_kill_switch_is_on_or_unreadable() {
    let bench = shop();
    bench.world.set_kill_switch(KillSwitch::On);
    assert_eq!(refusal(&bench, grow()), Refusal::KillSwitch);
    bench.world.set_kill_switch(KillSwitch::Unreadable("denied".into()));
    assert!(matches!(refusal(&bench, grow()), Refusal::KillSwitchUnreadable { .. }));
    assert!(bench.world.ledger().iter().all(|write| write.change().is_none()));
}

#[test]
fn one_change_that_fails_does_not_stop_the_rest() {
    let bench = shop();
    bench.world.remove(&ResourceId::from("ecs/worker"));
    let report = bench
        .act(&build::plan(vec![
            build::change("gone", build::set_service("worker", 3)),
            build::change("unknown", build::set_fleet("nowhere", 3)),
            build::change("grow", grow()),
        ]))
        .unwrap();
    assert_eq!(report.failed().count(), 2);
    assert_eq!(report.applied().count(), 1);
    assert_eq!(bench.capacity("asg/web"), Some(4));
}

#[test]
fn a_call_that_the_service_refuses_is_recorded_as_never_made_and_the_rest_goes_on() {
    for fault in [Fault::Throttle, Fault::Deny] {
        let bench = shop();
        let process = Process::with(&bench.world, [(call(&bench, "Actuator.apply"), fault)]);
        let plan = build::plan(vec![build::change("c1", grow()), build::change("c2", build::set_service("worker", 3))]);
        let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
        assert_eq!(bench.state("c1"), Some(EntryState::NotApplied));
        assert_eq!(bench.state("c2"), Some(EntryState::Applied));
        assert_eq!((report.failed().count(), report.applied().count()), (1, 1));
    }
}

#[test]
fn a_lost_answer_is_settled_from_the_live_state_at_once() {
    let bench = shop();
    let process = Process::with(&bench.world, [(call(&bench, "Actuator.apply"), Fault::LoseAnswer)]);
    let plan = build::plan(vec![build::change("c1", grow()), build::change("c2", build::set_service("worker", 3))]);
    let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
    assert_eq!(report.applied().count(), 2);
    assert_eq!(bench.state("c1"), Some(EntryState::Applied));
}

#[test]
fn a_lost_request_stays_open_and_stops_the_order() {
    let bench = shop();
    let process = Process::with(&bench.world, [(call(&bench, "Actuator.apply"), Fault::LoseRequest)]);
    let plan = build::plan(vec![build::change("c1", grow()), build::change("c2", build::set_service("worker", 3))]);
    let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
    assert_eq!(report.stopped, Some(Stop::Unsettled { change: "c1".into() }));
    assert_eq!(report.changes[1].result, ChangeResult::NotTried);
    assert_eq!(bench.state("c1"), Some(EntryState::Intended));
    // Delivered again at once: it may still be on its way, and is waited for. It never happened, and the rest is made.
    let began = bench.world.now();
    let report = bench.act(&plan).unwrap();
    assert!(bench.world.now().duration_since(began).as_secs() >= i64::from(bench.timing.in_flight_s()));
    assert_eq!(bench.state("c1"), Some(EntryState::NotApplied));
    assert_eq!((report.failed().count(), report.applied().count()), (1, 1));
    assert_eq!(bench.capacity("asg/web"), Some(2), "what may have been made is never made again");
}

#[test]
fn draws_back_when_somebody_else_changes_the_value_between_capture_and_call() {
    let bench = shop();
    let plan = build::plan(vec![build::change("c1", grow())]);
    let number = call_again(bench.world.resources(), &plan, "Actuator.live", 1);
    let process = Process::with(&bench.world, [(number, Fault::Resize(3))]);
    let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
    assert_eq!(report.failed().count(), 1, "{report:?}");
    assert_eq!(bench.state("c1"), Some(EntryState::NotApplied));
    assert_eq!(bench.capacity("asg/web"), Some(3), "an undo would have restored 2");
}

#[test]
fn a_lost_request_is_not_judged_by_what_somebody_else_did_while_it_was_on_its_way() {
    let bench = shop();
    let plan = build::plan(vec![build::change("c1", grow())]);
    let apply = call(&bench, "Actuator.apply");
    let faults = [(apply, Fault::LandLate(30)), (apply + 1, Fault::Resize(9))];
    let report = bench.act_in(&Process::with(&bench.world, faults), &plan).finished().unwrap().unwrap();
    assert_eq!(report.stopped, Some(Stop::Unsettled { change: "c1".into() }));
    assert_eq!(bench.state("c1"), Some(EntryState::Intended));
    bench.world.pass_s(bench.timing.in_flight_s());
    let report = bench.act(&plan).unwrap();
    assert_eq!(report.applied().count(), 1, "it has landed after all: {report:?}");
    assert_eq!(bench.capacity("asg/web"), Some(4));
}

#[test]
fn a_repeated_step_is_told_what_the_first_delivery_did() {
    let bench = shop();
    bench.make("c1", grow());
    let again = bench.make("c1", grow());
    assert!(matches!(again.result, ChangeResult::Applied { .. }), "{again:?}");
    assert_eq!((again.before.as_deref(), again.after.as_deref()), (Some("2"), Some("4")));
    assert_eq!(bench.world.ledger().len(), 1);
}

#[test]
fn a_delivery_that_comes_an_iteration_too_late_is_turned_away() {
    let mut bench = shop();
    bench.run.iteration = 2;
    bench.make("c2", grow());
    bench.run.iteration = 1;
    let late = bench.act(&build::plan(vec![build::change("c1", build::set_service("worker", 3))]));
    assert!(matches!(late, Err(ActError::Overtaken { iteration: 1, newest: 2 })), "{late:?}");
    assert_eq!(bench.capacity("ecs/worker"), Some(2));
}

#[test]
fn stops_cleanly_before_the_platform_ends_the_step_and_goes_on_when_delivered_again() {
    let bench = shop();
    let plan = build::plan(vec![build::change("c1", grow()), build::change("c2", build::set_service("worker", 3))]);
    // The first change takes so long that the second would not fit.
    let process = Process::with(&bench.world, [(call(&bench, "Journal.advance"), Fault::Delay(800))]);
    let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
    assert!(report.is_cut_short(), "{report:?}");
    assert_eq!(report.changes[1].result, ChangeResult::NotTried);
    let report = bench.act(&plan).unwrap();
    assert!(!report.is_cut_short());
    assert_eq!(report.applied().count(), 2);
}

#[test]
fn does_not_call_when_too_much_time_has_passed_since_the_intent() {
    let bench = shop();
    let delayed = call(&bench, "Journal.intend");
    let process = Process::with(&bench.world, [(delayed, Fault::Delay(31))]);
    let plan = build::plan(vec![build::change("c1", grow())]);
    let report = bench.act_in(&process, &plan).finished().unwrap().unwrap();
    assert_eq!(report.failed().count(), 1, "{report:?}");
    assert_eq!(bench.state("c1"), Some(EntryState::NotApplied));
    assert!(bench.world.ledger().is_empty());
}

#[test]
fn counts_earlier_changes_from_the_journal() {
    let mut bench = shop();
    bench.limits.changes_per_execution_max = 1;
    bench.make("c1", grow());
    let line = bench.make("c2", build::set_service("worker", 3));
    let refusal = match line.result {
        ChangeResult::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal, Refusal::Budget { per: "execution".into(), used: 1, max: 1 });
}

#[test]
fn cools_down_a_resource_and_not_the_others() {
    let bench = shop();
    bench.make("c1", grow());
    assert!(matches!(refusal(&bench, build::set_fleet("web", 5)), Refusal::Busy { .. }), "it is not verified yet");
    let _kept = bench.keep(&outcomes(&[(&build::change("c1", grow()), true)], bench.world.now())).unwrap();
    assert!(matches!(refusal(&bench, build::set_fleet("web", 5)), Refusal::CoolingDown { .. }));
    assert!(matches!(bench.make("c2", build::set_service("worker", 3)).result, ChangeResult::Applied { .. }));
    bench.world.pass_s(bench.limits.cooldown_s);
    let line = bench.make("c3", build::set_fleet("web", 5));
    assert!(matches!(line.result, ChangeResult::Applied { .. }), "{line:?}");
}

#[test]
fn refuses_a_plan_from_an_old_snapshot_or_one_from_the_future() {
    let bench = shop();
    bench.world.pass_s(bench.limits.snapshot_age_s_max + 1);
    assert!(matches!(refusal(&bench, grow()), Refusal::Stale { age_s: 901, max_s: 900 }));
    bench.world.jump(jiff::SignedDuration::from_hours(-1));
    assert!(matches!(refusal(&bench, grow()), Refusal::Stale { .. }));
}

#[test]
fn the_report_survives_its_artifact() {
    let bench = shop();
    let plan = build::plan(vec![build::change("c1", grow()), build::change("c2", build::set_fleet("web", 13))]);
    let report = bench.act(&plan).unwrap();
    let text = serde_json::to_string(&report).unwrap();
    let back: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(back, report);
}

#[test]
fn errors_map_to_the_names_that_state_machines_know() {
    let in_flight = ActError::InFlight { change: "c1".into(), retry_after_s: 40 };
    assert_eq!(StepError::from(in_flight).name(), "Step.Transient");
    let lost = ActError::LeaseLost { key: "lease#health#shop".into(), why: "held by run-2".into() };
    assert_eq!(StepError::from(lost).name(), "Step.Conflict");
}

#[test]
fn every_step_can_run_on_any_thread() {
    fn can_be_sent<T: Send>(_: &T) {}
    let bench = shop();
    let process = Process::sound(&bench.world);
    let (context, plan) = (bench.context(&process), build::plan(Vec::new()));
    can_be_sent(&act::carry_out(&context, &plan, &bench.snapshot));
    can_be_sent(&settle::residue(&context));
    can_be_sent(&settle::own(&context));
    can_be_sent(&undo::keep(&context, &[]));
    can_be_sent(&undo::carry_out(&context, &[]));
    can_be_sent(&undo::residue(&context));
}
