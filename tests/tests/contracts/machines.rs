//! Decisions: every word that a step can answer has a branch, and every branch has a step that answers so.

use crate::machine::{Machine, State};
use crate::repository;
use crate::template::{Template, reference};
use engine::run::DECISIONS;
use std::collections::{BTreeMap, BTreeSet};

/// What each function can answer in `decision`, by the intent it is invoked with where that matters, with the file that
/// decides it.
const ANSWERS: &[(&str, Option<&str>, &str, &[&str])] = &[
    ("BeginFunction", None, "functions/lifecycle/src/begin.rs", &["proceed", "settle", "busy"]),
    ("MonitorFunction", None, "functions/health/src/monitor.rs", &["measured"]),
    ("AnalyzeFunction", None, "functions/health/src/analyze.rs", &["act", "nothing_to_do", "previewed", SWITCHED_OFF]),
    ("OptimizeFunction", Some("apply"), OPTIMIZE, &["done", "ask", "previewed"]),
    ("OptimizeFunction", Some("rollback"), OPTIMIZE, &["succeeded", "previewed", "escalate"]),
    ("OptimizeFunction", None, OPTIMIZE, &["done"]),
    ("ValidateFunction", None, "functions/health/src/validate.rs", &["undo", "keep"]),
    ("IterateFunction", None, "functions/health/src/iterate.rs", &["continue", "succeeded", "escalate"]),
    ("CostAnalyzeFunction", None, "functions/cost/src/analyze.rs", &["measured"]),
    ("CostIdentifyFunction", None, "functions/cost/src/identify.rs", &["act", "nothing_to_do", "previewed"]),
    ("CostImplementFunction", Some("apply"), OPTIMIZE, &["done", "ask", "previewed"]),
    ("CostImplementFunction", Some("rollback"), OPTIMIZE, &["succeeded", "previewed", "escalate"]),
    ("CostImplementFunction", None, OPTIMIZE, &["done"]),
    ("CostMonitorFunction", None, "functions/cost/src/monitor.rs", &["undo", "keep"]),
    ("CostIterateFunction", None, "functions/cost/src/iterate.rs", &["continue", "succeeded", "escalate"]),
    ("PerformanceProfileFunction", None, "functions/performance/src/profile.rs", &["measured"]),
    (
        "PerformanceIdentifyFunction",
        None,
        "functions/performance/src/identify.rs",
        &["act", "nothing_to_do", "previewed"],
    ),
    ("PerformanceApplyFunction", Some("apply"), OPTIMIZE, &["done", "ask", "previewed"]),
    ("PerformanceApplyFunction", Some("rollback"), OPTIMIZE, &["succeeded", "previewed", "escalate"]),
    ("PerformanceApplyFunction", None, OPTIMIZE, &["done"]),
    ("PerformanceValidateFunction", None, "functions/performance/src/validate.rs", &["undo", "keep"]),
    (
        "PerformanceIterateFunction",
        None,
        "functions/performance/src/iterate.rs",
        &["continue", "succeeded", "escalate"],
    ),
    ("AnswerFunction", None, "functions/lifecycle/src/answer.rs", &["proceed", "wait", "denied", "escalate"]),
    ("EscalateFunction", None, "functions/lifecycle/src/escalate.rs", &["escalate"]),
    (
        "FinishFunction",
        None,
        "functions/lifecycle/src/finish.rs",
        &["succeeded", "previewed", SWITCHED_OFF, "escalated", "failed"],
    ),
    ("RollbackFunction", None, "functions/lifecycle/src/rollback.rs", &["proceed", "busy", "nothing_to_do"]),
];

/// What finish only passes on, so that it arrives where another step of the machine has decided it.
const SWITCHED_OFF: &str = "switched_off";

const OPTIMIZE: &str = "shared/steps/src/act.rs";

/// What resolve can answer; its words are its own.
const RESOLVED: [&str; 3] = ["one", "many", "none"];

/// The word of every decision.
fn words() -> BTreeSet<String> {
    let word = |decision| serde_json::to_value(decision).unwrap().as_str().unwrap().to_owned();
    DECISIONS.into_iter().map(word).collect()
}

fn answers(function: &str, state: &State) -> BTreeSet<String> {
    let intent = state.intent();
    if function == "ResolveFunction" {
        // A survey of one other place is a list of one.
        let is_survey = state.json["Parameters"]["Payload"]["other_places"] == true;
        return RESOLVED.into_iter().filter(|word| !is_survey || *word != "one").map(str::to_owned).collect();
    }
    let of = |intent| ANSWERS.iter().find(move |(name, asked, ..)| *name == function && *asked == intent);
    let row = of(intent).or_else(|| of(None));
    let (.., answers) = row.unwrap_or_else(|| panic!("what does {function} answer?"));
    answers.iter().map(|word| (*word).to_owned()).collect()
}

/// `NothingToDo` as `nothing_to_do`.
fn snake(name: &str) -> String {
    let mut word = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

#[test]
fn the_table_of_answers_is_what_the_steps_decide() {
    let mut by_file: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (.., file, answers) in ANSWERS {
        by_file.entry(file).or_default().extend(answers.iter().map(|word| (*word).to_owned()));
    }
    for (file, answers) in by_file {
        let code = repository::code(file);
        let decided: BTreeSet<String> = repository::after(&code, "Decision::").into_iter().map(snake).collect();
        assert_eq!(decided, answers, "{file}");
    }
    let all: BTreeSet<String> =
        ANSWERS.iter().flat_map(|(.., answers)| answers.iter().map(|word| (*word).to_owned())).collect();
    assert_eq!(all, words(), "decisions that nobody makes");
}

#[test]
fn resolve_answers_with_three_words() {
    use lifecycle::resolve::{Answer, Start};
    let run = Start {
        app: "shop".into(),
        cycle: domain::execution::Cycle::Health,
        execution_id: "run".to_owned(),
        execution_arn: "arn".to_owned(),
        mode: None,
        close_circuit: false,
        trigger: "started by hand".to_owned(),
        alarms: Vec::new(),
        episode: None,
    };
    let answers = [Answer::One { run }, Answer::Many { targets: Vec::new() }, Answer::None { why: String::new() }];
    for (answer, word) in answers.iter().zip(RESOLVED) {
        // Exhaustive, so that a fourth answer is noticed here.
        match answer {
            Answer::One { .. } | Answer::Many { .. } | Answer::None { .. } => {}
        }
        assert_eq!(serde_json::to_value(answer).unwrap()["decision"], word);
    }
}

/// For each Choice over `$.decision`: the words that can arrive there.
fn arriving(machine: &Machine) -> BTreeMap<&str, BTreeSet<String>> {
    let mut arriving: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let is_decided = machine.states.values().any(|state| state.function() == Some("AnalyzeFunction"));
    for state in machine.states.values() {
        let Some(function) = state.function() else { continue };
        let next = state.json["Next"].as_str().unwrap();
        if !machine.state(next).branches().is_empty() {
            let mut answers = answers(function, state);
            answers.retain(|word| word != SWITCHED_OFF || is_decided);
            arriving.entry(next).or_default().extend(answers);
        }
    }
    arriving
}

#[test]
fn a_choice_has_a_branch_for_every_answer_of_the_step_before_it_and_for_no_other() {
    for machine in Machine::all() {
        let arriving = arriving(&machine);
        for (name, state) in &machine.states {
            let branches: BTreeSet<String> = state.branches().into_iter().map(|branch| branch.word).collect();
            if branches.is_empty() {
                continue;
            }
            let words =
                arriving.get(name.as_str()).unwrap_or_else(|| panic!("{}: no step before {name}", machine.name));
            assert_eq!(branches, *words, "{}: {name}: branches on the left, answers on the right", machine.name);
        }
    }
}

#[test]
fn a_word_that_nobody_knows_is_a_failure() {
    for machine in Machine::all() {
        for (name, state) in machine.states.iter().filter(|(_, state)| !state.branches().is_empty()) {
            let default = state.json["Default"].as_str().unwrap();
            let ends: Vec<&str> = machine
                .reachable([default], &["Finish"])
                .into_iter()
                .filter(|end| machine.state(end).kind() == "Succeed")
                .collect();
            let good = state.branches().into_iter().any(|branch| branch.next == default && branch.word != "failed");
            assert!(
                !good && ends.is_empty(),
                "{}: {name} takes an unknown word for an answer: {default}, {ends:?}",
                machine.name
            );
        }
    }
}

#[test]
fn the_template_gives_every_substitution_and_no_other() {
    let template = Template::load();
    for (name, properties) in template.of_type("AWS::Serverless::StateMachine") {
        let definition = repository::text(&format!("infra/{}", properties["DefinitionUri"].as_str().unwrap()));
        let used: BTreeSet<&str> = definition.split("${").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        let given = properties["DefinitionSubstitutions"].as_object().unwrap();
        assert_eq!(used, given.keys().map(String::as_str).collect(), "{name}: used on the left, given on the right");
        for (placeholder, value) in given.iter().filter(|(placeholder, _)| placeholder.ends_with("Function")) {
            assert_eq!(reference(value), format!("${{{placeholder}.Alias}}"), "{name}: not the version that is live");
        }
        let ending = format!(":stateMachine:{}", reference(&properties["Name"]));
        // The survey starts runs of the cost cycle; the cycles start themselves.
        let starts_itself = name != "SurveyStateMachine";
        let owns = ["HealthStateMachineArn", "CostStateMachineArn", "PerformanceStateMachineArn"];
        for own in owns.iter().filter_map(|own| given.get(*own)) {
            assert!(!starts_itself || reference(own).ends_with(&ending), "{name} would start another machine");
        }
    }
}

#[test]
fn every_definition_belongs_to_a_state_machine_of_the_template() {
    let template = Template::load();
    let used: BTreeSet<String> = template
        .of_type("AWS::Serverless::StateMachine")
        .into_iter()
        .map(|(_, properties)| properties["DefinitionUri"].as_str().unwrap().to_owned())
        .collect();
    let files = repository::names("infra/statemachines", "").into_iter().map(|name| format!("statemachines/{name}"));
    assert_eq!(used, files.collect());
}
