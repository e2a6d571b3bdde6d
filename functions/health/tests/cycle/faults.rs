//! The cycle goes on when a step dies, loses an answer or is throttled, whatever call it was at.

#![allow(clippy::print_stdout, reason = "how many calls are in vain is part of what a test says")]

use crate::machine::{Ended, Machine};
use crate::shop::{RUN, Shop, Weather, surge};
use domain::execution::Status;
use serde_json::json;
use std::collections::BTreeMap;
use testkit::{Fault, Proof};

fn sick() -> Shop {
    Shop::auto(Weather { load: surge, ..Weather::default() })
}

fn calls_without_faults() -> BTreeMap<String, usize> {
    let shop = sick();
    // The first pass through each state is the one that a fault hits; the last has no more calls than that.
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    ended.calls
}

fn broken(state: &'static str, call: usize, fault: Fault) -> (Shop, Ended) {
    let shop = sick();
    let ended = Machine::health(&shop, RUN).with_fault(state, call, fault).run(json!({"app": "shop"}));
    (shop, ended)
}

/// The maintainer killed in the middle of optimize: settled from the journal, applied exactly once, and the shop is well.
#[test]
fn fault_optimize_that_dies_at_any_call_is_settled_and_the_shop_is_healed() {
    let (proof, mut struck) = (Proof::begin("cycle-deaths"), 0);
    let calls = calls_without_faults()["Optimize"];
    assert!(calls >= 8, "{calls} calls");
    for call in 0..calls {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            struck += 1;
            let about = format!("call {call}, {fault:?}");
            let (shop, ended) = broken("Optimize", call, fault);
            assert_eq!(ended.injected, 1, "{about}");
            assert!(ended.path.contains(&"SettleAfterInterruption".to_owned()), "{about}: {:?}", ended.path);
            assert_eq!(ended.state, "Healthy", "{about}: {:?}\n{:#?}", ended.path, shop.record());
            assert!((6..=8).contains(&shop.servers()), "{about}: {} servers", shop.servers());
            assert_eq!(shop.lease(), None, "{about}");
            let counted: u32 = shop.record().iterations.iter().map(|iteration| iteration.applied).sum();
            assert_eq!(counted, 1, "{about}: the record counts what was done: {:#?}", shop.record());
            shop.assert_sound(&about);
        }
    }
    proof.survived(struck);
}

#[test]
fn fault_a_step_that_is_denied_ends_as_a_failure_that_names_the_permission() {
    for state in ["Monitor", "Validate"] {
        let (shop, ended) = broken(state, 0, Fault::Deny);
        assert_eq!((ended.state.as_str(), shop.record().status), ("RunFailed", Status::Failed), "{:?}", ended.path);
        let message = shop.world.messages().pop().unwrap();
        assert!(message.text.contains("Step.Config") && message.text.contains("grant"), "{}", message.text);
        assert_eq!(shop.lease(), None);
    }
}

/// The answer was a 500 and nothing was done: an iteration of six went by with waiting for an effect that could not come.
#[test]
fn regression_an_iteration_that_lost_an_answer_is_short_and_not_charged() {
    let calls = calls_without_faults()["Optimize"];
    let lost = |call| {
        let (shop, ended) = broken("Optimize", call, Fault::LoseRequest);
        (shop.record().iterations[0].answer_lost, shop, ended)
    };
    let (_, shop, ended) = (0..calls).map(lost).find(|(is_lost, ..)| *is_lost).unwrap();
    let record = shop.record();
    let (first, second) = (&record.iterations[0], &record.iterations[1]);
    assert_eq!((ended.state.as_str(), first.applied, second.applied, second.verified), ("Healthy", 0, 1, 1));
    assert!(second.at.duration_since(first.at).as_secs() < 240, "{first:?} {second:?}");
    shop.assert_sound("a lost request");
}

/// A change that was throttled to the end cost an iteration of six, though nothing was known about what it can do.
#[test]
fn regression_an_iteration_whose_change_was_throttled_is_short_and_not_charged() {
    let calls = calls_without_faults()["Optimize"];
    let mut in_vain = 0;
    for call in 0..calls {
        let (shop, ended) = broken("Optimize", call, Fault::Throttle);
        let record = shop.record();
        let (first, second) = (&record.iterations[0], &record.iterations[1]);
        if !first.answer_lost || first.applied > 0 {
            continue;
        }
        in_vain += 1;
        assert_eq!((ended.state.as_str(), second.applied, second.verified), ("Healthy", 1, 1), "call {call}");
        assert!(second.at.duration_since(first.at).as_secs() < 300, "call {call}: {first:?} {second:?}");
        shop.assert_sound("throttled");
    }
    assert!(in_vain > 0, "the call that changes something is one of them");
}

/// Optimize that dies before it has changed anything cost a whole iteration as well.
#[test]
fn regression_an_iteration_whose_optimize_died_before_its_change_is_short_and_not_charged() {
    let (shop, ended) = broken("Optimize", 0, Fault::CrashBefore);
    let record = shop.record();
    let (first, second) = (&record.iterations[0], &record.iterations[1]);
    assert_eq!((ended.state.as_str(), first.applied, second.applied, second.verified), ("Healthy", 0, 1, 1));
    assert!(first.answer_lost && !second.answer_lost, "{record:?}");
    assert!(second.at.duration_since(first.at).as_secs() < 300, "{first:?} {second:?}");
}

/// What Step Functions repeats when all of AWS turns calls away, on top of what the SDK repeats of each: less than the run would
/// have called, whenever it begins; and when it is over, the next run finds nothing stuck.
#[test]
fn fault_when_everything_is_throttled_from_a_state_on_a_run_calls_less_than_one_that_goes_well() {
    let proof = Proof::begin("throttled-calls");
    let whole = Machine::health(&sick(), RUN).run(json!({"app": "shop"}));
    let (mut most, mut tried, mut all) = (0, 0, 0);
    for state in Machine::health(&sick(), RUN).tasks().into_iter().filter(|state| whole.calls.contains_key(*state)) {
        let shop = sick();
        let ended = Machine::health(&shop, RUN).throttled_from(state).run(json!({"app": "shop"}));
        let in_vain = usize::try_from(ended.injected).unwrap();
        assert!(in_vain > 0 && in_vain < whole.made, "{state}: {in_vain} of {}: {:?}", whole.made, ended.path);
        (most, tried, all) = (most.max(in_vain), tried + 1, all + in_vain);
        shop.world.end(RUN, engine::ports::Life::Failed);
        shop.world.pass_s(2 * engine::run::LEASE_TTL_S);
        shop.catch_up();
        let next = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
        assert_eq!(next.state, "Healthy", "{state}: {:?}", next.path);
        shop.assert_sound(state);
    }
    println!(
        "throttled from each of {tried} states on: at most {most} calls in vain, a whole run makes {}",
        whole.made
    );
    proof.survived(all);
}
