//! What a dead run left open: brought to a known state, judged by measurement, kept or undone by the next run.

use crate::machine::{Ended, Machine};
use crate::shop::{RUN, SERVERS, Shop, Weather, ready, surge};
use domain::execution::{Cycle, Status};
use domain::outcome::Verdict;
use engine::ports::{Artifacts, Entry, EntryState, Leases};
use engine::run::{LEASE_TTL_S, lease_key};
use engine::settle::Settlement;
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeMap;
use testkit::{Fault, build};

fn sick() -> Shop {
    Shop::auto(Weather { load: surge, ..Weather::default() })
}

/// More servers only push harder on what is behind them.
pub fn harmed_by_servers() -> Shop {
    let behind_s = |servers: u32, at: Timestamp| {
        let is_sick = at >= build::after_s(-600);
        if is_sick { 0.4 * f64::from(servers) / f64::from(SERVERS) * f64::from(servers) } else { 0.02 }
    };
    Shop::auto(Weather { load: surge, behind_s, ..Weather::default() })
}

/// The load falls to a quarter twenty minutes after the world began.
fn passing_surge(at: Timestamp) -> f64 {
    if at < build::after_s(1_200) { surge(at) } else { 0.9 }
}

/// The first run grows the fleet and is stopped from the console before the change is judged.
pub fn stop(shop: &Shop, at: &'static str) -> Entry {
    let machine = Machine::health(shop, RUN).stopped_at(at);
    assert_eq!(machine.run(json!({"app": "shop"})).state, at);
    let [entry] = shop.world.journal().try_into().unwrap();
    assert!(entry.state == EntryState::Applied && shop.servers() > SERVERS, "{entry:#?}");
    entry
}

pub fn next(shop: &Shop) -> Ended {
    Machine::health(shop, "run-2").run(json!({"app": "shop"}))
}

fn place(ended: &Ended, state: &str) -> Option<usize> {
    ended.path.iter().position(|name| name == state)
}

#[test]
fn regression_a_growth_that_a_stopped_run_left_is_measured_before_anything_is_taken_back() {
    for at in ["WaitForEffect", "Validate"] {
        let shop = sick();
        let change = stop(&shop, at);
        shop.world.pass_s(LEASE_TTL_S);
        let ended = next(&shop);
        assert_eq!(ended.state, "Healthy", "{:?}", ended.path);
        assert_eq!(shop.deeds().len(), 1, "the load is carried all the time: {:?}", shop.deeds());
        let entry = shop.world.entry(change.id()).unwrap();
        let outcome = entry.outcome.as_ref().unwrap();
        assert_eq!((entry.state, outcome.verdict), (EntryState::Kept, Verdict::Verified), "{}", outcome.why);
        assert!(place(&ended, "JudgeResidue") < place(&ended, "Monitor") && place(&ended, "UndoResidue").is_none());
        assert_eq!(shop.record_of("run-2").residue, [change.id().clone()]);
        assert_eq!(shop.world.results().len(), 1, "the result is on record");
        let message = shop.world.messages().pop().unwrap();
        assert!(message.text.contains("left by run run-1: ") && message.text.contains("; kept"), "{}", message.text);
        assert_eq!(message.detail["changes"][0]["made_by"], "run-1");
        shop.assert_sound(at);
    }
}

#[test]
fn a_growth_that_harms_is_undone_before_the_next_run_measures_for_itself() {
    let shop = harmed_by_servers();
    let change = stop(&shop, "WaitForEffect");
    shop.world.pass_s(LEASE_TTL_S);
    let ended = next(&shop);
    let entry = shop.world.entry(change.id()).unwrap();
    assert_eq!((entry.state, entry.outcome.unwrap().verdict), (EntryState::Undone, Verdict::Regressed));
    assert!(place(&ended, "UndoResidue") < place(&ended, "Monitor"), "{:?}", ended.path);
    let message = shop.world.messages().pop().unwrap();
    assert!(message.text.contains("left by run run-1: ") && message.text.contains("; undone"), "{}", message.text);
    shop.assert_sound("harm");
}

#[test]
fn without_what_was_measured_before_the_written_rule_decides_and_no_growth_is_taken_back_blindly() {
    for (load, state) in [(surge as fn(Timestamp) -> f64, EntryState::Kept), (passing_surge, EntryState::Undone)] {
        let lost = "runs/shop/run-1/1/snapshot.json";
        for (body, says) in [(Some("{}"), "can't be read"), (Some("garbled"), "can't be read"), (None, "is gone")] {
            let shop = Shop::auto(Weather { load, ..Weather::default() });
            let change = stop(&shop, "WaitForEffect");
            match body {
                Some(body) => ready(shop.world.put(lost, body.into())).unwrap(),
                None => shop.world.lose_artifact(lost),
            }
            shop.world.pass_s(LEASE_TTL_S);
            let ended = next(&shop);
            assert_eq!(ended.state, "Healthy", "{:?}", ended.path);
            let entry = shop.world.entry(change.id()).unwrap();
            let outcome = entry.outcome.unwrap();
            assert_eq!((entry.state, outcome.verdict), (state, Verdict::Inconclusive), "{}", outcome.why);
            assert!(outcome.why.contains(&format!("measured before it {says}")), "{}", outcome.why);
            shop.assert_sound("blind");
        }
    }
}

#[test]
fn what_has_not_settled_yet_is_left_alone_and_judged_after_the_wait() {
    let shop = sick();
    let change = stop(&shop, "WaitForEffect");
    shop.world.pass_s(60);
    ready(Leases::release(&*shop.world, &lease_key(Cycle::Health, &"shop".into()), &"run-1".into())).unwrap();
    let mut machine = Machine::health(&shop, "run-2");
    machine.before.insert("WaitForEffect", |shop| {
        let [entry] = shop.world.journal().try_into().unwrap();
        assert_eq!((entry.state, entry.outcome), (EntryState::Applied, None), "nothing else is changed beside it");
    });
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!(ended.state, "Healthy", "{:?}", ended.path);
    let entry = shop.world.entry(change.id()).unwrap();
    assert_eq!((entry.state, entry.outcome.unwrap().verdict), (EntryState::Kept, Verdict::Verified));
    assert_eq!(shop.record_of("run-2").residue, [change.id().clone()]);
    assert_eq!(shop.deeds().len(), 1, "{:?}", shop.deeds());
}

#[test]
fn somebody_elses_newer_value_is_left_and_told() {
    let shop = sick();
    let change = stop(&shop, "WaitForEffect");
    shop.world.edit_capacity(&crate::shop::FLEET.into(), 9);
    shop.world.pass_s(LEASE_TTL_S);
    next(&shop);
    assert_eq!((shop.world.entry(change.id()).unwrap().state, shop.servers()), (EntryState::Superseded, 9));
    assert!(shop.world.messages().pop().unwrap().text.contains("somebody else has changed the value since"));
}

#[test]
fn a_run_that_only_observes_judges_and_moves_nothing() {
    let shop = harmed_by_servers();
    let change = stop(&shop, "WaitForEffect");
    shop.world.pass_s(LEASE_TTL_S);
    Machine::health(&shop, "run-2").run(json!({"app": "shop", "mode": "observe"}));
    let entry = shop.world.entry(change.id()).unwrap();
    assert_eq!((entry.state, entry.outcome.unwrap().verdict), (EntryState::Applied, Verdict::Regressed));
    assert!(shop.servers() > SERVERS);
    shop.world.pass_s(LEASE_TTL_S);
    Machine::health(&shop, "run-3").run(json!({"app": "shop"}));
    assert_eq!(shop.world.entry(change.id()).unwrap().state, EntryState::Undone);
}

#[test]
fn regression_the_record_of_a_dead_run_is_closed_by_the_next() {
    let shop = sick();
    stop(&shop, "WaitForEffect");
    assert_eq!(shop.record().status, Status::Running);
    shop.world.pass_s(LEASE_TTL_S);
    next(&shop);
    let record = shop.record();
    assert_eq!((record.status, record.completed_at.is_some()), (Status::Failed, true));
    assert!(record.conclusion.unwrap().contains("judged by run-2"));
}

/// The maintainer killed at any call of optimize, and its execution stopped: the next run brings it to an end.
#[test]
fn regression_the_residue_of_a_dead_run_is_settled_by_the_next() {
    let calls = Machine::health(&sick(), RUN).run(json!({"app": "shop"})).calls["Optimize"];
    for call in 0..calls {
        let shop = sick();
        let machine = Machine::health(&shop, RUN)
            .with_fault("Optimize", call, Fault::CrashAfter)
            .stopped_at("SettleAfterInterruption");
        assert_eq!(machine.run(json!({"app": "shop"})).state, "SettleAfterInterruption");
        shop.world.pass_s(LEASE_TTL_S);
        let ended = next(&shop);
        assert_eq!(ended.state, "Healthy", "call {call}: {:?}", ended.path);
        assert_eq!(shop.lease(), None);
        assert!(shop.deeds().iter().all(|(_, undone)| !undone), "call {call}: {:?}", shop.deeds());
        shop.assert_sound(&format!("call {call}"));
    }
}

/// Calls of the second run in each state, where the first was stopped and has harmed.
fn calls() -> BTreeMap<String, usize> {
    let shop = harmed_by_servers();
    stop(&shop, "WaitForEffect");
    shop.world.pass_s(LEASE_TTL_S);
    let ended = next(&shop);
    ended.calls
}

#[test]
fn fault_judging_and_undoing_residue_can_fail_at_any_call() {
    let calls = calls();
    for state in ["SettleResidue", "JudgeResidue", "UndoResidue"] {
        assert!(calls[state] > 0, "{state}: {calls:?}");
        for call in 0..calls[state] {
            for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::LoseRequest, Fault::LoseAnswer, Fault::Throttle]
            {
                let about = format!("{state}, call {call}, {fault:?}");
                let shop = harmed_by_servers();
                let change = stop(&shop, "WaitForEffect");
                shop.world.pass_s(LEASE_TTL_S);
                let ended = Machine::health(&shop, "run-2").with_fault(state, call, fault).run(json!({"app": "shop"}));
                assert_eq!(ended.injected, 1, "{about}");
                assert_eq!(ended.state, "HandedToPeople", "{about}: {:?}", ended.path);
                assert_eq!(
                    shop.world.entry(change.id()).unwrap().state,
                    EntryState::Undone,
                    "{about}: {:?}",
                    ended.path
                );
                assert_eq!(shop.lease(), None, "{about}");
                shop.assert_sound(&about);
            }
        }
    }
}

#[test]
fn every_step_delivered_twice_judges_the_same_residue_once() {
    for shop in [sick(), harmed_by_servers()] {
        let change = stop(&shop, "WaitForEffect");
        shop.world.pass_s(LEASE_TTL_S);
        Machine::health(&shop, "run-2").twice().run(json!({"app": "shop"}));
        assert!(!shop.world.entry(change.id()).unwrap().state.is_open());
        shop.assert_sound("twice");
    }
}

/// An undo of the run's own that dies is finished, at once or after the next wait.
#[test]
fn regression_an_undo_that_dies_is_finished_by_the_run_itself() {
    let calls = Machine::health(&harmed_by_servers(), RUN).run(json!({"app": "shop"})).calls["UndoWhatDidNotHelp"];
    for call in 0..calls {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let shop = harmed_by_servers();
            let ended =
                Machine::health(&shop, RUN).with_fault("UndoWhatDidNotHelp", call, fault).run(json!({"app": "shop"}));
            let about = format!("call {call}, {fault:?}: {:?}", ended.path);
            assert_eq!(
                (ended.injected, ended.state.as_str(), shop.servers()),
                (1, "HandedToPeople", SERVERS),
                "{about}"
            );
            let undone: u32 = shop.record().iterations.iter().map(|iteration| iteration.undone).sum();
            assert_eq!(undone, 1, "{about}: {:#?}", shop.record());
            shop.assert_sound(&about);
        }
    }
}

/// A call that fails for a moment left an undo half done, and where the run ended with that iteration it stayed so.
#[test]
fn regression_an_undo_whose_call_fails_once_is_done_before_the_run_goes_on() {
    let calls = Machine::health(&harmed_by_servers(), RUN).run(json!({"app": "shop"})).calls["UndoWhatDidNotHelp"];
    for call in 0..calls {
        for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::Throttle] {
            let shop = harmed_by_servers();
            let machine =
                Machine::health(&shop, RUN).with_fault("UndoWhatDidNotHelp", call, fault).stopped_at("Iterate");
            let ended = machine.run(json!({"app": "shop"}));
            let about = format!("call {call}, {fault:?}: {:?}", ended.path);
            let undone = shop.document::<Settlement>(1, "undone");
            if undone.changes.iter().any(|line| line.end.why().contains("kill switch could not be read")) {
                // Whoever can't read it obeys it as if it were on.
                continue;
            }
            let states: Vec<EntryState> = shop.world.journal().iter().map(|entry| entry.state).collect();
            assert_eq!((ended.injected, shop.servers(), states), (1, SERVERS, vec![EntryState::Undone]), "{about}");
            assert_eq!(shop.record().iterations[0].undone, 1, "{about}");
            if !ended.path.contains(&"SettleUndo".to_owned()) {
                assert_eq!(undone.undone(), 1, "{about}: {undone:?}");
            }
            shop.assert_sound(&about);
        }
    }
}
