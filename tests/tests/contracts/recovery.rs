//! Retry and Catch: only by names that somebody documents, never a change twice, and the lease always given back.

use crate::machine::{Machine, State};
use engine::step::NAMES;
use serde_json::Value;
use std::collections::BTreeSet;

/// Errors of the Lambda integration, of the runtime and of Step Functions, as their documentation names them.
const DOCUMENTED: &[&str] = &[
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
    "States.ExceedToleratedFailureThreshold",
    "States.ItemReaderFailed",
    "States.TaskFailed",
    "States.Timeout",
    "ExecutionAlreadyExists",
    "StepFunctions.ExecutionAlreadyExists",
    "StepFunctions.ExecutionAlreadyExistsException",
    "StepFunctions.SdkClientException",
    "StepFunctions.ServiceException",
    "StepFunctions.ThrottlingException",
];

/// Certainly did not reach the function.
const NEVER_ARRIVED: &str = "Lambda.TooManyRequestsException";

fn handlers(state: &State) -> impl Iterator<Item = &Value> {
    state.items("Retry").chain(state.items("Catch"))
}

#[test]
fn handlers_name_only_our_errors_and_documented_ones() {
    for machine in Machine::all() {
        for (name, state) in &machine.states {
            for error in handlers(state).flat_map(State::errors) {
                let known = NAMES.contains(&error) || DOCUMENTED.contains(&error);
                assert!(known, "{}: {name} handles {error}, which nobody raises", machine.name);
            }
        }
    }
}

#[test]
fn every_step_handles_everything_that_can_happen_to_it() {
    for machine in Machine::all() {
        for (name, state) in machine.states.iter().filter(|(_, state)| state.function().is_some()) {
            let caught: Vec<&str> = state.items("Catch").flat_map(State::errors).collect();
            // States.TaskFailed stands for every error but a time-out.
            for error in NAMES.iter().chain(&["States.Timeout", "States.TaskFailed"]) {
                assert!(caught.contains(error), "{}: {name} lets {error} end the run", machine.name);
            }
        }
    }
}

#[test]
fn a_retry_is_limited_spread_and_only_for_what_may_pass() {
    for machine in Machine::all() {
        for (name, state) in &machine.states {
            for retry in state.items("Retry") {
                let attempts = retry["MaxAttempts"].as_u64();
                assert!(attempts.is_some_and(|attempts| (1..=20).contains(&attempts)), "{}: {name}", machine.name);
                // Looking again once a minute does no harm; anything faster must not come in step with others.
                let is_slow = retry["IntervalSeconds"].as_u64().is_some_and(|seconds| seconds >= 60);
                assert!(
                    is_slow || retry["JitterStrategy"] == "FULL",
                    "{}: {name} retries in step with others",
                    machine.name
                );
                for lasting in ["Step.Config", "Step.Bug", "Step.Conflict", "Step.Stale", "States.TaskFailed"] {
                    assert!(!State::errors(retry).contains(&lasting), "{}: {name} retries {lasting}", machine.name);
                }
            }
        }
    }
}

/// After a time-out, a crash or a lost answer the change may have happened: the journal decides, not a second attempt. An undo is
/// settled, or done again: that settles first, and compares before it restores.
#[test]
fn a_step_that_writes_is_never_blindly_retried() {
    for (machine, act, undo) in [
        (Machine::health(), "OptimizeFunction", "UndoWhatDidNotHelp"),
        (Machine::cost(), "CostImplementFunction", "UndoWhatHurt"),
        (Machine::performance(), "PerformanceApplyFunction", "UndoWhatDidNotHelp"),
    ] {
        let again = machine.state(undo).items("Catch").map(|catch| catch["Next"].as_str().unwrap());
        assert_eq!(again.collect::<BTreeSet<_>>(), BTreeSet::from(["SettleUndo"]));
        assert_eq!(machine.state("SettleUndo").intent(), Some("undo"));
        assert_eq!(machine.state("SettleResidueUndo").intent(), Some("undo_residue"));
        let writes = |(name, state): &(&String, &State)| {
            let is_settling = state.intent() == Some("settle") || name.starts_with("Settle");
            state.function() == Some(act) && !is_settling
        };
        let writing: Vec<_> = machine.states.iter().filter(writes).collect();
        let intents: Vec<&str> = writing.iter().map(|(_, state)| state.intent().unwrap()).collect();
        assert_eq!(BTreeSet::from_iter(intents), BTreeSet::from(["apply", "undo_residue", "undo"]));
        for (name, state) in writing {
            for retry in state.items("Retry") {
                assert_eq!(State::errors(retry), [NEVER_ARRIVED], "{name}");
            }
            for catch in state.items("Catch").filter(|catch| State::errors(catch) != ["Step.Stale"]) {
                let next = machine.state(catch["Next"].as_str().unwrap());
                let settles = if state.intent() == Some("apply") { Some("settle") } else { state.intent() };
                assert_eq!(next.intent(), settles, "{name} is not settled after {:?}", State::errors(catch));
            }
        }
    }
}

/// What a dead run left is judged before anything of it may be undone, and before this run measures for itself.
#[test]
fn residue_is_measured_before_it_is_undone() {
    for (machine, judge, measure) in [
        (Machine::health(), "ValidateFunction", "Monitor"),
        (Machine::cost(), "CostMonitorFunction", "AnalyzeCost"),
        (Machine::performance(), "PerformanceValidateFunction", "OpenWindow"),
    ] {
        let settled = machine.state("SettleResidue").json["Next"].as_str().unwrap();
        assert_eq!(
            (machine.state(settled).function(), machine.state(settled).intent()),
            (Some(judge), Some("residue"))
        );
        let before = machine.reachable(["MayBegin"], &[settled, "NoteFailure", measure]);
        let undoing =
            before.iter().filter(|name| machine.state(name).intent().is_some_and(|intent| intent.starts_with("undo")));
        assert_eq!(undoing.count(), 0, "{before:?}");
    }
}

#[test]
fn the_intents_are_those_that_the_function_knows() {
    let all: Vec<(String, State)> = Machine::all().into_iter().flat_map(|machine| machine.states).collect();
    let of = |functions: [&'static str; 3]| {
        all.iter().filter(move |(_, state)| state.function().is_some_and(|name| functions.contains(&name)))
    };
    for (name, state) in of(["OptimizeFunction", "CostImplementFunction", "PerformanceApplyFunction"]) {
        let intent = serde_json::json!(state.intent());
        assert!(serde_json::from_value::<health::optimize::Intent>(intent.clone()).is_ok(), "{name}: {intent}");
    }
    for (name, state) in of(["ValidateFunction", "CostMonitorFunction", "PerformanceValidateFunction"]) {
        let intent = serde_json::json!(state.intent());
        assert!(
            serde_json::from_value::<health::validate::Intent>(intent.clone()).is_ok()
                && serde_json::from_value::<cost::monitor::Intent>(intent.clone()).is_ok()
                && serde_json::from_value::<performance::validate::Intent>(intent.clone()).is_ok(),
            "{name}: {intent}"
        );
    }
    for (name, state) in all.iter().filter(|(_, state)| state.function() == Some("PerformanceProfileFunction")) {
        let intent = serde_json::json!(state.intent());
        assert!(serde_json::from_value::<performance::profile::Intent>(intent.clone()).is_ok(), "{name}: {intent}");
    }
}

/// From the moment that the lease is held, no path ends without Finish, which gives it back.
#[test]
fn every_run_that_began_goes_through_finish() {
    for machine in [Machine::health(), Machine::cost(), Machine::performance()] {
        let may_begin = machine.state("MayBegin");
        let begun: Vec<String> =
            may_begin.branches().into_iter().filter(|branch| branch.word != "busy").map(|branch| branch.next).collect();
        let begun = begun.iter().map(String::as_str).chain([may_begin.json["Default"].as_str().unwrap()]);
        for name in machine.reachable(begun, &["Finish"]) {
            let kind = machine.state(name).kind();
            assert!(!matches!(kind, "Succeed" | "Fail"), "a run can end in {name} with its lease held");
        }
    }
}

#[test]
fn every_failure_after_begin_is_told_to_people() {
    for machine in [Machine::health(), Machine::cost(), Machine::performance()] {
        for (name, state) in machine.states.iter().filter(|(name, _)| !["Escalate", "Finish"].contains(&name.as_str()))
        {
            for catch in state.items("Catch").filter(|catch| catch["Next"] == "NoteFailure") {
                let told = machine.reachable([catch["Next"].as_str().unwrap()], &["Escalate"]);
                assert!(!told.contains("Finish"), "{name} can fail in silence");
            }
        }
        assert!(
            machine.state("NoteFailure").targets() == ["Escalate"]
                && machine.state("UnknownDecision").targets() == ["NoteFailure"]
        );
    }
}

#[test]
fn what_a_handler_keeps_is_what_the_steps_read() {
    let caught =
        serde_json::json!({"Error": "Step.Bug", "Cause": "{\"errorType\":\"Step.Bug\",\"errorMessage\":\"it broke\"}"});
    let caught: engine::run::Caught = serde_json::from_value(caught).unwrap();
    assert_eq!((caught.name.as_str(), caught.sentence().as_str()), ("Step.Bug", "it broke"));
    let machine = Machine::health();
    let unknown = &machine.state("UnknownDecision").json;
    assert_eq!(unknown["ResultPath"], "$.error");
    let caught: engine::run::Caught = serde_json::from_value(unknown["Result"].clone()).unwrap();
    assert!(NAMES.contains(&caught.name.as_str()));
    let noted = &machine.state("NoteFailure").json;
    assert_eq!((&noted["ResultPath"], &noted["Result"]), (&Value::from("$.decision"), &Value::from("failed")));
}
