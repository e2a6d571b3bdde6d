//! The graph of each state machine: whole, legible, and without polling.

use crate::machine::{Machine, State};
use serde_json::Value;

#[test]
fn every_target_is_there_and_every_state_is_reached() {
    for machine in Machine::all() {
        let reached = machine.reachable([machine.start.as_str()], &[]);
        let unreached: Vec<_> = machine.states.keys().filter(|name| !reached.contains(name.as_str())).collect();
        assert!(unreached.is_empty(), "{}: nothing leads to {unreached:?}", machine.name);
    }
}

#[test]
fn every_state_says_why_it_is_there() {
    for machine in Machine::all() {
        for (name, state) in &machine.states {
            let comment = state.json["Comment"].as_str().unwrap_or_default();
            assert!(comment.trim().len() > 20, "{}: {name} says nothing", machine.name);
        }
    }
}

#[test]
fn every_path_ends() {
    for machine in Machine::all() {
        for (name, state) in &machine.states {
            let ends = matches!(state.kind(), "Succeed" | "Fail") || state.json.get("End") == Some(&Value::Bool(true));
            let leads = !state.targets().is_empty();
            let is_choice_or_goes_on = state.kind() == "Choice" || ends || state.json.get("Next").is_some();
            assert!(is_choice_or_goes_on && (ends || leads), "{}: {name} neither ends nor leads on", machine.name);
            let end = machine.reachable([name.as_str()], &[]).into_iter().any(|name| {
                let state = machine.state(name);
                matches!(state.kind(), "Succeed" | "Fail") || state.json.get("End").is_some()
            });
            assert!(end, "{}: no end can be reached from {name}", machine.name);
        }
    }
}

/// What bounds each loop: iterations are counted, a run asks once in an iteration (`Run::asked_in`), and a yes runs out
/// (at most a day, looked at every five minutes: 288 times).
const BOUNDED: [&str; 3] = ["Iterate", "AskPeople", "WaitForOtherRun"];

/// A history ends at 25,000 events, so that a loop that waits and looks again without end would end a long run.
#[test]
fn every_loop_is_bounded() {
    for machine in Machine::all() {
        for (name, state) in &machine.states {
            let behind = machine.reachable(state.targets(), &BOUNDED);
            let loops = behind.contains(name.as_str()) && !BOUNDED.contains(&name.as_str());
            assert!(!loops, "{}: {name} is in a loop that nothing bounds", machine.name);
        }
    }
}

#[test]
fn a_wait_ends_by_what_the_run_says_and_is_followed_by_a_measurement_or_a_try_for_the_lease() {
    for machine in Machine::all() {
        for (name, state) in machine.states.iter().filter(|(_, state)| state.kind() == "Wait") {
            assert_eq!(state.json["SecondsPath"], "$.wait_s", "{}: {name}", machine.name);
            let next = machine.state(state.json["Next"].as_str().unwrap());
            let then = if name == "WaitForOtherRun" {
                &["AnswerFunction"][..]
            } else {
                &[
                    "ValidateFunction",
                    "CostMonitorFunction",
                    "PerformanceProfileFunction",
                    "PerformanceValidateFunction",
                ]
            };
            assert!(next.function().is_some_and(|next| then.contains(&next)), "{}: {name}", machine.name);
            let opens = next.intent().is_some_and(|intent| intent.starts_with("open"));
            assert!(!opens, "{}: {name} waits for a window that is not open", machine.name);
        }
    }
}

#[test]
fn every_iteration_measures_anew_and_a_plan_is_carried_out_in_the_iteration_that_made_it() {
    for (machine, [see, decide, act, helped]) in [
        (Machine::health(), ["MonitorFunction", "AnalyzeFunction", "OptimizeFunction", "DidItHelp"]),
        (Machine::cost(), ["CostAnalyzeFunction", "CostIdentifyFunction", "CostImplementFunction", "DidUsersSuffer"]),
        (
            Machine::performance(),
            ["PerformanceProfileFunction", "PerformanceIdentifyFunction", "PerformanceApplyFunction", "DidItHelp"],
        ),
    ] {
        let leads = |choice: &str, word: &str| {
            let branches = machine.state(choice).branches();
            let next = branches.into_iter().find(|branch| branch.word == word).unwrap().next;
            machine.state(&next).function().map(str::to_owned).or(Some(next))
        };
        assert_eq!(leads("GoOn", "continue").as_deref(), Some(see));
        assert_eq!(leads("MayBegin", "proceed").as_deref(), Some(see));
        assert_eq!(leads("AnythingToChange", "act").as_deref(), Some(act));
        assert_eq!(leads(helped, "undo").as_deref(), Some(act));
        // What opens a window has measured nothing yet.
        let measures = |state: &&State| {
            state.function() == Some(see) && state.intent().is_none_or(|intent| !intent.starts_with("open"))
        };
        for state in machine.states.values().filter(measures) {
            assert_eq!(machine.state(state.json["Next"].as_str().unwrap()).function(), Some(decide));
        }
    }
}

/// Counters are compared over two windows: each is opened, waited for and closed, and the second begins only after the changes.
#[test]
fn a_window_is_opened_waited_for_and_closed_before_and_after_a_fix() {
    let machine = Machine::performance();
    let next = |state: &State| machine.state(state.json["Next"].as_str().unwrap());
    for (opens, closes) in [
        ("open", ("PerformanceProfileFunction", Some("close"))),
        ("open_after", ("PerformanceValidateFunction", Some("iteration"))),
    ] {
        let opening: Vec<&State> = machine.states.values().filter(|state| state.intent() == Some(opens)).collect();
        let [opening] = opening[..] else { panic!("one state has the intent {opens}") };
        let wait = next(opening);
        assert_eq!((opening.function(), wait.kind()), (Some("PerformanceProfileFunction"), "Wait"));
        assert_eq!((next(wait).function(), next(wait).intent()), (Some(closes.0), closes.1));
    }
    // Whatever became of the fix, nothing is validated over a window that began before it.
    let past = machine.reachable(["ApplyFixes"], &["OpenWindowAfter", "OpenWindow"]);
    assert!(!past.contains("ValidateImprovements"), "{past:?}");
    // And nothing is changed by a profile that was not closed.
    let before = machine.reachable(["OpenWindow"], &["Profile"]);
    assert!(!before.contains("ApplyFixes"), "{before:?}");
}

#[test]
fn every_task_has_a_time_out_that_outlasts_its_function() {
    let template = crate::template::Template::load();
    let functions = template.functions();
    for machine in Machine::all() {
        for (name, state) in machine.states.iter().filter(|(_, state)| state.kind() == "Task") {
            if state.waits_for_a_person() {
                // The function only asks; how long people have is configured for each application.
                assert_eq!(state.json["TimeoutSecondsPath"], "$.answer_within_s", "{}: {name}", machine.name);
                continue;
            }
            let timeout_s = state.json["TimeoutSeconds"].as_u64();
            let timeout_s = timeout_s.unwrap_or_else(|| panic!("{}: {name} may last for ever", machine.name));
            let Some(called) = state.function() else { continue };
            let function = functions.iter().find(|function| function.logical == called);
            let function = function.unwrap_or_else(|| panic!("{}: {name} calls {called}", machine.name));
            assert!(timeout_s > function.timeout_s, "{}: {name} gives up before {called} does", machine.name);
        }
    }
}

#[test]
fn a_choice_has_a_default() {
    for machine in Machine::all() {
        for (name, state) in machine.states.iter().filter(|(_, state)| state.kind() == "Choice") {
            assert!(state.json["Default"].is_string(), "{}: {name} has no default", machine.name);
        }
    }
}

#[test]
fn what_travels_is_small_and_passed_on_whole() {
    for machine in Machine::all() {
        for (name, state) in machine.states.iter().filter(|(_, state)| state.function().is_some()) {
            let payload = [&state.json["Parameters"]["Payload.$"], &state.json["Parameters"]["Payload"]["run.$"]];
            let whole = payload.iter().any(|path| **path == "$") || *name == machine.start;
            assert!(whole, "{}: {name} loses a part of the run", machine.name);
            if state.waits_for_a_person() {
                assert_eq!(state.json["ResultPath"], "$.answer", "{}: {name}", machine.name);
            } else {
                assert_eq!(state.json["OutputPath"], "$.Payload", "{}: {name}", machine.name);
            }
        }
    }
}

/// A state whose Choice reads what a handler writes must find it: each handler writes where the next state looks.
#[test]
fn an_error_is_kept_where_the_states_after_it_look() {
    for machine in Machine::all() {
        for (name, state) in &machine.states {
            for catch in state.items("Catch") {
                let next = machine.state(catch["Next"].as_str().unwrap());
                let path = catch["ResultPath"].as_str();
                assert!(path.is_some_and(|path| path.starts_with("$.")), "{}: {name} loses the run", machine.name);
                let looks = next.json["ErrorPath"].as_str().unwrap_or_default();
                let must = looks.starts_with("$.error.")
                    || ["NoteFailure", "Finish"].contains(&catch["Next"].as_str().unwrap());
                assert!(
                    !must || path == Some("$.error"),
                    "{}: {name} hides its error ({:?})",
                    machine.name,
                    State::errors(catch)
                );
            }
        }
    }
}
