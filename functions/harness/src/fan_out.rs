//! The Map states that start a run for each application or place, played item by item: every call of Step Functions goes wrong in every
//! way, and every item is delivered twice, which children of the type Express may be.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use testkit::Proof;
use testkit::asl::{self, chosen, names, next};

/// What goes wrong at a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Turned away because of too many.
    Throttled,
    /// The service fails, and nothing has happened.
    Failed,
    /// The service fails, and the run has begun nevertheless.
    FailedTooLate,
    /// No answer in time, and nothing has happened.
    Lost,
    /// No answer in time, and the run has begun.
    AnswerLost,
    /// IAM refuses it.
    Denied,
}

const FAULTS: [Fault; 6] =
    [Fault::Throttled, Fault::Failed, Fault::FailedTooLate, Fault::Lost, Fault::AnswerLost, Fault::Denied];

impl Fault {
    fn error(self) -> &'static str {
        match self {
            Self::Throttled => "StepFunctions.ThrottlingException",
            Self::Failed | Self::FailedTooLate => "StepFunctions.ServiceException",
            Self::Lost | Self::AnswerLost => "States.Timeout",
            Self::Denied => "StepFunctions.AccessDeniedException",
        }
    }

    fn has_begun(self) -> bool {
        matches!(self, Self::FailedTooLate | Self::AnswerLost)
    }
}

/// Step Functions, as far as it starts executions: one of a name.
#[derive(Default)]
struct Service {
    begun: BTreeMap<String, Value>,
    calls: usize,
    /// What goes wrong at which calls.
    faults: BTreeMap<usize, Fault>,
}

impl Service {
    fn start(&mut self, name: &str, input: &Value) -> Result<Value, &'static str> {
        let fault = self.faults.remove(&self.calls);
        self.calls += 1;
        if fault.is_none_or(Fault::has_begun) {
            if self.begun.contains_key(name) && fault.is_none() {
                return Err("StepFunctions.ExecutionAlreadyExistsException");
            }
            self.begun.entry(name.to_owned()).or_insert_with(|| input.clone());
        }
        match fault {
            Some(fault) => Err(fault.error()),
            None => Ok(json!({"ExecutionArn": format!("arn:{name}"), "StartDate": 0})),
        }
    }
}

/// What an object with paths in it becomes.
fn filled(template: &Value, input: &Value) -> Value {
    let fields = template.as_object().unwrap().iter().map(|(key, value)| match key.strip_suffix(".$") {
        Some(plain) => (plain.to_owned(), asl::at(input, value.as_str().unwrap())),
        None => (key.clone(), value.clone()),
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

/// One item through the processor of a Map.
fn item(processor: &Value, input: &Value, service: &mut Service) -> Value {
    let (mut at, mut data) = (processor["StartAt"].as_str().unwrap().to_owned(), input.clone());
    loop {
        let state = &processor["States"][&at];
        if state["Type"] == "Pass" {
            data = filled(&state["Parameters"], &data);
        } else {
            let call = filled(&state["Parameters"], &data);
            let mut tries = vec![0; asl::handlers(state, "Retry").len()];
            let outcome = loop {
                let error = match service.start(call["Name"].as_str().unwrap(), &call["Input"]) {
                    Ok(answer) => break Ok(filled(&state["ResultSelector"], &answer)),
                    Err(error) => error,
                };
                let retries = asl::handlers(state, "Retry");
                let Some(of) = retries.iter().position(|retry| names(retry, error)) else { break Err(error) };
                if tries[of] >= retries[of]["MaxAttempts"].as_u64().unwrap() {
                    break Err(error);
                }
                tries[of] += 1;
            };
            match outcome {
                Ok(answer) => data = answer,
                Err(error) => {
                    let catches = asl::handlers(state, "Catch");
                    let catch = catches.iter().find(|catch| names(catch, error));
                    let catch = catch.unwrap_or_else(|| panic!("{at} lets {error} end the item"));
                    data = asl::caught(catch, data, error, "");
                    at = next(catch);
                    continue;
                }
            }
        }
        if state["End"] == true {
            return data;
        }
        at = next(state);
    }
}

/// The Map with all its items, and where the machine goes from there.
fn played(definition: &Value, map: &str, targets: &[Value], service: &mut Service) -> (Vec<Value>, String) {
    let state = &definition["States"][map];
    assert_eq!((&state["ItemsPath"], &state["ToleratedFailurePercentage"]), (&json!("$.targets"), &json!(100)));
    let results: Vec<Value> = targets.iter().map(|target| item(&state["ItemProcessor"], target, service)).collect();
    let follows = &definition["States"][next(state)];
    let ends = if follows["Type"] == "Choice" {
        assert_eq!(state["ResultSelector"]["failed.$"], "States.ArrayContains($[*].started, false)");
        let failed = results.iter().any(|result| result["started"] == false);
        chosen(follows, &json!({"fan_out": {"runs": results, "failed": failed}}))
    } else {
        next(state)
    };
    (results, ends)
}

fn definitions() -> [(&'static str, &'static Value, &'static str, &'static str); 4] {
    use crate::machine::{COST, HEALTH, PERFORMANCE, SURVEY};
    [
        ("health", &HEALTH, "FanOut", "AppsStarted"),
        ("cost", &COST, "FanOut", "AppsStarted"),
        ("performance", &PERFORMANCE, "FanOut", "AppsStarted"),
        ("survey", &SURVEY, "LookThroughPlaces", "TellOfPlaces"),
    ]
}

fn targets() -> Vec<Value> {
    ["shop", "blog", "till"].map(|app| json!({"name": format!("{app}-round-1"), "input": {"app": app}})).to_vec()
}

/// Whatever goes wrong, each application gets one run with its own input, or the execution says that it got none.
fn holds(of: &str, service: &Service, (results, ends): &(Vec<Value>, String), well: &str) {
    for (target, result) in targets().iter().zip(results) {
        let begun = service.begun.get(target["name"].as_str().unwrap());
        assert!(begun.is_none_or(|input| *input == target["input"]), "{of}: {begun:?}");
        // A survey reads the records of its runs afterwards, so there a failure is no end of anything.
        if result["started"] == true {
            assert!(begun.is_some(), "{of}: said to run, and does not: {result}");
        }
        if begun.is_none() && ends == well {
            assert!(result["ended"] == false, "{of}: nobody is told that {} did not begin", target["name"]);
        }
    }
}

#[test]
fn fault_every_start_of_a_run_goes_wrong_and_each_application_gets_one_run_or_the_execution_fails() {
    let (proof, mut survived) = (Proof::begin("fan-out"), 0);
    for (of, definition, map, well) in definitions() {
        let targets = targets();
        let mut sound = Service::default();
        let golden = played(definition, map, &targets, &mut sound);
        assert_eq!((golden.1.as_str(), sound.begun.len(), sound.calls), (well, 3, 3), "{of}");
        for (call, fault) in (0..sound.calls).flat_map(|call| FAULTS.map(|fault| (call, fault))) {
            // Once, and at every attempt.
            for times in [1, 20] {
                let about = format!("{of}: call {call} {fault:?}, {times} times");
                let faults = (call..call + times).map(|call| (call, fault)).collect();
                let mut service = Service { faults, ..Service::default() };
                let first = played(definition, map, &targets, &mut service);
                holds(&about, &service, &first, well);
                // A survey has waited for two hours by then; what became of the run stands in its record.
                let is_given_up = fault == Fault::Denied || (of == "survey" && fault == Fault::Lost);
                if times == 1 && !is_given_up {
                    assert!(first.1 == well && service.begun.len() == 3, "{about}: {first:?}");
                }
                // The whole round comes once more, when nothing is wrong: who runs goes on, who does not begins.
                service.faults.clear();
                let again = played(definition, map, &targets, &mut service);
                holds(&about, &service, &again, well);
                assert_eq!((again.1.as_str(), service.begun.len()), (well, 3), "{about}: {again:?}");
                survived += 2;
            }
        }
        // Each item twice, as Express children may be.
        let mut service = Service::default();
        let twice: Vec<Value> = targets.iter().flat_map(|target| [target.clone(), target.clone()]).collect();
        let ended = played(definition, map, &twice, &mut service);
        assert_eq!((ended.1.as_str(), service.begun.len()), (well, 3), "{of}: {ended:?}");
        survived += 1;
    }
    proof.survived(survived);
}
