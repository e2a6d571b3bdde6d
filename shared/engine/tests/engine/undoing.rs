//! Undoing: compare-and-set, newest first, and what stands in its way.

use crate::common::{Bench, outcomes};
use domain::change::{Action, Change};
use domain::guard::KillSwitch;
use domain::ids::{ChangeId, ResourceId};
use domain::outcome::{Outcome, Verdict};
use domain::resource::{Live, PROTECTED_TAG};
use engine::ports::EntryState;
use engine::settle::End;
use engine::undo;
use testkit::{Fault, Landing, Process, build, run_to_end};

/// A run that has grown the fleet and the service, ten minutes ago.
fn grown() -> (Bench, Vec<Change>) {
    let bench = Bench::of(vec![build::fleet("web", 2), build::service("worker", 2), build::cache("pages")]);
    let changes =
        vec![build::change("c1", build::set_fleet("web", 4)), build::change("c2", build::set_service("worker", 3))];
    let report = bench.act(&build::plan(changes.clone())).unwrap();
    assert_eq!(report.applied().count(), 2);
    bench.world.pass_s(600);
    (bench, changes)
}

fn all(bench: &Bench, changes: &[Change], keep: bool) -> Vec<Outcome> {
    let judged: Vec<(&Change, bool)> = changes.iter().map(|change| (change, keep)).collect();
    outcomes(&judged, bench.world.now())
}

#[test]
fn restores_the_captured_values_newest_first_and_stores_the_outcome() {
    let (bench, changes) = grown();
    let settlement = bench.undo(&all(&bench, &changes, false)).unwrap();
    assert_eq!(settlement.undone(), 2);
    assert_eq!((bench.capacity("asg/web"), bench.capacity("ecs/worker")), (Some(2), Some(2)));
    let order: Vec<String> = settlement.changes.iter().map(|line| line.change.to_string()).collect();
    assert_eq!(order, ["c2", "c1"]);
    let entry = bench.world.entry(&"c1".into()).unwrap();
    assert_eq!(entry.outcome.unwrap().verdict, Verdict::Regressed);
    assert!(entry.settled_at.is_some());
}

#[test]
fn keeps_what_helped_and_names_what_must_go() {
    let (bench, changes) = grown();
    let verdicts = bench.keep(&outcomes(&[(&changes[0], true), (&changes[1], false)], bench.world.now())).unwrap();
    assert_eq!(verdicts.kept.changes.len(), 1);
    assert_eq!(verdicts.to_undo.len(), 1);
    assert_eq!((bench.state("c1"), bench.state("c2")), (Some(EntryState::Kept), Some(EntryState::Applied)));
    assert_eq!(bench.capacity("asg/web"), Some(4));
}

#[test]
fn regression_a_change_that_was_not_measured_waits_and_is_judged_like_residue() {
    let (mut bench, _) = grown();
    bench.make("c3", Action::FlushCache { cache: "pages".into() });
    let verdicts = bench.keep(&[]).unwrap();
    assert!(verdicts.to_undo.is_empty() && verdicts.kept.changes.is_empty(), "{verdicts:?}");
    assert!(bench.undo(&[]).unwrap().changes.is_empty(), "nothing is taken back unseen");
    assert_eq!((bench.capacity("asg/web"), bench.state("c3")), (Some(4), Some(EntryState::Applied)));
    bench.run.iteration = 2;
    bench.judge(|entry| entry.id().as_str() == "c1");
    assert_eq!(bench.undo_residue().unwrap().undone(), 1);
    let states = ["c1", "c2", "c3"].map(|id| bench.state(id));
    assert_eq!(states, [Some(EntryState::Kept), Some(EntryState::Undone), Some(EntryState::Kept)]);
}

#[test]
fn a_restart_that_did_not_help_is_kept_because_nothing_can_be_put_back() {
    let bench = Bench::of(vec![build::service("worker", 2)]);
    let change = build::change("c1", Action::RedeployService { cluster: "worker".into(), service: "worker".into() });
    let _report = bench.act(&build::plan(vec![change.clone()])).unwrap();
    let verdicts = bench.keep(&outcomes(&[(&change, false)], bench.world.now())).unwrap();
    assert!(verdicts.to_undo.is_empty());
    let entry = bench.world.entry(&"c1".into()).unwrap();
    assert_eq!(entry.state, EntryState::Kept);
    assert!(entry.note.contains("can't be undone"), "{}", entry.note);
}

#[test]
fn leaves_newer_work_of_others_alone_and_says_both_values() {
    let (bench, changes) = grown();
    bench.world.edit_capacity(&ResourceId::from("asg/web"), 6);
    let settlement = bench.undo(&all(&bench, &changes, false)).unwrap();
    assert_eq!(bench.capacity("asg/web"), Some(6));
    let handed_over: Vec<_> = settlement.handed_over().collect();
    assert_eq!(handed_over.len(), 1);
    let End::HandedOver { why } = &handed_over[0].end else { unreachable!() };
    assert!(why.contains("it had set 4, now there is 6"), "{why}");
    assert_eq!(bench.capacity("ecs/worker"), Some(2), "the other one is undone all the same");
}

#[test]
fn draws_back_when_somebody_else_changes_the_value_right_before_the_undo() {
    let (bench, changes) = grown();
    let bad = all(&bench, &changes, false);
    let (look, process) = (call_of_restore() - 2, |number| Process::with(&bench.world, [(number, Fault::Resize(8))]));
    let process = process(look);
    let context = bench.context(&process);
    let settlement = run_to_end(&process, undo::carry_out(&context, &bad)).finished().unwrap().unwrap();
    assert_eq!(process.calls()[look].operation, "Actuator.live");
    assert!(settlement.left_open().count() >= 1, "{settlement:?}");
    let settlement = bench.undo(&bad).unwrap();
    assert_eq!(settlement.handed_over().count() + settlement.undone(), settlement.changes.len());
    assert!(bench.world.capacity(&ResourceId::from("ecs/worker")) == Some(8), "the newer value stands");
}

#[test]
fn a_value_that_stands_again_already_needs_no_call() {
    let (bench, changes) = grown();
    bench.world.edit_capacity(&ResourceId::from("asg/web"), 2);
    let settlement = bench.undo(&all(&bench, &changes, false)).unwrap();
    assert_eq!(settlement.undone(), 2);
    let restored = bench
        .world
        .ledger()
        .iter()
        .filter(|write| matches!(&write.landing, Landing::Restored(id, _) if id.as_str() == "c1"))
        .count();
    assert_eq!(restored, 0);
}

#[test]
fn the_kill_switch_stops_undoing_too_and_a_later_delivery_finishes() {
    let (bench, changes) = grown();
    let bad = all(&bench, &changes, false);
    bench.world.set_kill_switch(KillSwitch::On);
    let settlement = bench.undo(&bad).unwrap();
    assert_eq!(settlement.left_open().count(), 2);
    assert_eq!(bench.state("c1"), Some(EntryState::UndoIntended), "the intent and the outcome are durable");
    assert_eq!(bench.capacity("asg/web"), Some(4));
    bench.world.set_kill_switch(KillSwitch::Off);
    assert_eq!(bench.undo(&bad).unwrap().undone(), 2);
}

#[test]
fn a_freeze_window_does_not_protect_our_own_harmful_change() {
    let (mut bench, changes) = grown();
    bench.freeze = Box::new(|_| Some("sale".to_owned()));
    assert_eq!(bench.undo(&all(&bench, &changes, false)).unwrap().undone(), 2);
}

#[test]
fn a_resource_that_its_owner_has_protected_since_is_handed_over() {
    let (bench, changes) = grown();
    bench.world.edit(&ResourceId::from("asg/web"), |web| {
        web.tags.insert(PROTECTED_TAG.to_owned(), "yes".to_owned());
    });
    let settlement = bench.undo(&all(&bench, &changes, false)).unwrap();
    assert_eq!(settlement.handed_over().count(), 1);
    assert_eq!(bench.capacity("asg/web"), Some(4));
}

#[test]
fn a_value_that_the_owner_no_longer_allows_is_handed_over() {
    let (bench, changes) = grown();
    bench.world.edit(&ResourceId::from("asg/web"), |web| {
        if let Live::AutoScalingGroup(fleet) = &mut web.live {
            fleet.min = 3;
        }
    });
    let settlement = bench.undo(&all(&bench, &changes, false)).unwrap();
    assert_eq!(settlement.handed_over().count(), 1);
    assert_eq!(bench.state("c1"), Some(EntryState::Superseded));
}

#[test]
fn a_refused_call_leaves_the_undo_open_for_the_next_run() {
    for fault in [Fault::Throttle, Fault::Deny, Fault::LoseRequest] {
        let (bench, changes) = grown();
        let bad = all(&bench, &changes[..1], false);
        let probe = call_of_restore();
        let process = Process::with(&bench.world, [(probe, fault)]);
        let context = bench.context(&process);
        let settlement = run_to_end(&process, undo::carry_out(&context, &bad)).finished().unwrap().unwrap();
        assert!(process.injected() == 1 && settlement.left_open().count() >= 1, "{fault:?}: {settlement:?}");
        assert_eq!(bench.undo(&bad).unwrap().left_open().count(), 0);
        assert_eq!(bench.capacity("asg/web"), Some(2));
    }
}

/// The number of the first restoring call of an undo step.
fn call_of_restore() -> usize {
    let (bench, changes) = grown();
    let bad = all(&bench, &changes, false);
    let process = Process::sound(&bench.world);
    let context = bench.context(&process);
    let _settlement = run_to_end(&process, undo::carry_out(&context, &bad));
    process.calls().iter().position(|call| call.writes).unwrap()
}

/// Undoes what a person names; gives one line per change.
fn order(bench: &Bench, ids: &[&str]) -> Vec<engine::settle::Settled> {
    let ids = ids.iter().map(|id| ChangeId::from(*id)).collect();
    let process = Process::sound(&bench.world);
    let context = bench.context(&process);
    run_to_end(&process, undo::ordered(&context, &ids, &[], "asked for by hand")).finished().unwrap().unwrap().changes
}

fn preview(bench: &Bench, ids: &[&str]) -> Vec<String> {
    let ids = ids.iter().map(|id| ChangeId::from(*id)).collect();
    let process = Process::sound(&bench.world);
    let context = bench.context(&process);
    run_to_end(&process, undo::preview(&context, &ids, &[])).finished().unwrap().unwrap()
}

#[test]
fn a_person_may_undo_a_kept_change() {
    let (bench, changes) = grown();
    let _verdicts = bench.keep(&all(&bench, &changes, true)).unwrap();
    assert!(preview(&bench, &["c1"])[0].contains("would be set back to 2"), "{:?}", preview(&bench, &["c1"]));
    assert_ne!(bench.capacity("asg/web"), Some(2), "a preview changes nothing");
    let lines = order(&bench, &["c1"]);
    assert!(matches!(lines[0].end, End::Undone { .. }), "{lines:?}");
    assert_eq!(bench.capacity("asg/web"), Some(2));
    assert_eq!(order(&bench, &["c1"]), [], "a second time there is nothing to undo");
}

#[test]
fn a_change_that_somebody_else_has_gone_beyond_is_handed_over_with_both_values() {
    let (bench, changes) = grown();
    let _verdicts = bench.keep(&all(&bench, &changes, true)).unwrap();
    bench.world.edit_capacity(&"asg/web".into(), 9);
    assert!(preview(&bench, &["c1"])[0].contains("now there is 9"), "{:?}", preview(&bench, &["c1"]));
    let lines = order(&bench, &["c1"]);
    assert!(matches!(&lines[0].end, End::HandedOver { why } if why.contains("now there is 9")), "{lines:?}");
    assert_eq!(bench.capacity("asg/web"), Some(9));
}

#[test]
fn a_change_under_a_later_one_that_stands_is_left_alone_unless_both_are_named() {
    let (earlier, changes) = grown();
    let _verdicts = earlier.keep(&all(&earlier, &changes, true)).unwrap();
    earlier.world.pass_s(24 * 3_600);
    let bench = Bench::on(&earlier.world, "run-2");
    let grown_more = build::change("c3", build::set_fleet("web", 6));
    assert_eq!(bench.act(&build::plan(vec![grown_more.clone()])).unwrap().applied().count(), 1);
    let _verdicts = bench.keep(&all(&bench, &[grown_more], true)).unwrap();
    let before = bench.capacity("asg/web");
    assert!(preview(&bench, &["c1"])[0].contains("c3"), "{:?}", preview(&bench, &["c1"]));
    let lines = order(&bench, &["c1"]);
    assert!(matches!(&lines[0].end, End::LeftOpen { why } if why.contains("c3")), "{lines:?}");
    assert_eq!((bench.capacity("asg/web"), bench.state("c1")), (before, Some(EntryState::Kept)));
    let lines = order(&bench, &["c1", "c3"]);
    assert!(lines.iter().all(|line| matches!(line.end, End::Undone { .. })), "{lines:?}");
    assert_eq!(bench.capacity("asg/web"), Some(2));
}
