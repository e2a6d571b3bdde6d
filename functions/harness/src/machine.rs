//! Runs a definition as Step Functions would: understands what those of this project use and nothing else. Each invocation is a process of
//! its own, so that it can die, and it dies when the time-out of its function is over.

mod delivery;

use crate::people::Reply;
use crate::{PAGE, Shop};
use delivery::Delivery;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use testkit::asl::{self, chosen, is_question, names, next, passed};
use testkit::{Call, Fault, Process};

/// More states than any run goes through.
const STATES_MAX: usize = 400;

macro_rules! definition {
    ($name:ident, $file:literal) => {
        pub(crate) static $name: LazyLock<Value> = LazyLock::new(|| {
            serde_json::from_str(include_str!(concat!("../../../infra/statemachines/", $file, ".asl.json"))).unwrap()
        });
    };
}

definition!(HEALTH, "health");
definition!(COST, "cost");
definition!(PERFORMANCE, "performance");
definition!(ROLLBACK, "rollback");
definition!(SURVEY, "survey");
definition!(EXPLAIN, "explain");

/// An execution of a state machine.
pub struct Machine<'a, S> {
    /// What it works on.
    pub shop: &'a S,
    /// Name of the execution.
    pub name: &'static str,
    /// What people say to the questions, one after the other; silence when there is nothing more.
    pub people: Vec<Reply>,
    /// Whoever sees a page that says that it did not work tries once more.
    pub people_insist: bool,
    /// What happens right before a state is entered, each once.
    pub before: BTreeMap<&'static str, fn(&S)>,
    arn_of: &'static str,
    definition: &'static Value,
    start: String,
    faults: BTreeMap<String, (usize, Fault)>,
    struck: BTreeMap<&'static str, (&'static str, Fault)>,
    /// From this state on every call is throttled.
    throttled_from: Option<&'static str>,
    is_throttled: bool,
    delivery: Delivery,
    /// Attempts at a task so far: each has a task token of its own, and only the newest wakes the run.
    attempts: u32,
    stopped_at: Option<&'static str>,
    is_recorded: bool,
    /// The stop before the question that is open, for what is called on the page.
    pub(crate) page: Option<Stop<S>>,
}

/// A place where a run entered a state, to go on from: with the shop as it was then.
pub struct Stop<S> {
    /// Where calls are made: the state, or [`PAGE`].
    pub place: String,
    /// What the first invocation called there.
    pub calls: Vec<Call>,
    /// The shop as it was.
    pub shop: S,
    state: String,
    input: Value,
    people: Vec<Reply>,
    attempts: u32,
}

/// How an execution ended.
pub struct Ended<S> {
    /// The last state.
    pub state: String,
    /// All states, in order.
    pub path: Vec<String>,
    /// What the last state got.
    pub output: Value,
    /// Most calls of an invocation in each state.
    pub calls: BTreeMap<String, usize>,
    /// Calls of all invocations.
    pub made: usize,
    /// Planned faults that came to pass.
    pub injected: u32,
    /// Where the run can be gone on from, when it was recorded: one stop for each state and each different list of calls in it.
    pub stops: Vec<Stop<S>>,
}

/// An error as Step Functions hands it on.
type Caught = (String, String);

impl<'a, S: Shop> Machine<'a, S> {
    /// A run of the health cycle.
    pub fn health(shop: &'a S, name: &'static str) -> Self {
        Self::of(shop, name, &HEALTH, "m-health")
    }

    /// A run of the cost cycle.
    pub fn cost(shop: &'a S, name: &'static str) -> Self {
        Self::of(shop, name, &COST, "m-cost")
    }

    /// A run of the performance cycle.
    pub fn performance(shop: &'a S, name: &'static str) -> Self {
        Self::of(shop, name, &PERFORMANCE, "m-performance")
    }

    /// A survey of other places.
    pub fn survey(shop: &'a S, name: &'static str) -> Self {
        Self::of(shop, name, &SURVEY, "m-survey")
    }

    /// A rollback.
    pub fn rollback(shop: &'a S, name: &'static str) -> Self {
        Self::of(shop, name, &ROLLBACK, "m-rollback")
    }

    /// The story of a run.
    pub fn explain(shop: &'a S, name: &'static str) -> Self {
        Self::of(shop, name, &EXPLAIN, "m-explain")
    }

    fn of(shop: &'a S, name: &'static str, definition: &'static Value, arn_of: &'static str) -> Self {
        Self {
            shop,
            name,
            stopped_at: None,
            people: Vec::new(),
            people_insist: false,
            before: BTreeMap::new(),
            arn_of,
            definition,
            start: definition["StartAt"].as_str().unwrap().to_owned(),
            faults: BTreeMap::new(),
            struck: BTreeMap::new(),
            throttled_from: None,
            is_throttled: false,
            delivery: Delivery::Once,
            attempts: 0,
            is_recorded: false,
            page: None,
        }
    }

    /// The same with people who say this.
    #[must_use]
    pub fn with_people(self, people: impl IntoIterator<Item = Reply>) -> Self {
        Self { people: people.into_iter().collect(), ..self }
    }

    /// The same, stopped by a person before this state.
    #[must_use]
    pub fn stopped_at(self, state: &'static str) -> Self {
        Self { stopped_at: Some(state), ..self }
    }

    /// The first invocation in a state goes wrong at one call.
    #[must_use]
    pub fn with_fault(mut self, place: &str, call: usize, fault: Fault) -> Self {
        self.faults.insert(place.to_owned(), (call, fault));
        self
    }

    /// The first invocation in a state goes wrong at its first call of an operation.
    #[must_use]
    pub fn struck_at(mut self, place: &'static str, operation: &'static str, fault: Fault) -> Self {
        self.struck.insert(place, (operation, fault));
        self
    }

    /// From the first invocation in a state on every call of every step is throttled, repetitions included.
    #[must_use]
    pub fn throttled_from(self, state: &'static str) -> Self {
        Self { throttled_from: Some(state), ..self }
    }

    /// Every step is delivered twice.
    #[must_use]
    pub fn twice(self) -> Self {
        Self { delivery: Delivery::Twice, ..self }
    }

    /// These steps are delivered twice at once; the seed decides which delivery makes its next call, and whose answer counts.
    #[must_use]
    pub fn at_once(self, seed: u64, states: &'static [&'static str]) -> Self {
        Self { delivery: Delivery::AtOnce(seed, states), ..self }
    }

    /// Where the run can be gone on from is kept.
    #[must_use]
    pub fn recorded(self) -> Self {
        Self { is_recorded: true, ..self }
    }

    /// The states of the definition that invoke a function.
    pub fn tasks(&self) -> BTreeSet<&'static str> {
        let states = self.definition["States"].as_object().unwrap();
        states.iter().filter(|(_, state)| state["Type"] == "Task").map(|(name, _)| name.as_str()).collect()
    }

    /// Runs it to its end.
    pub fn run(mut self, input: Value) -> Ended<S> {
        let mut ended = Ended {
            state: self.start.clone(),
            path: Vec::new(),
            output: input,
            calls: BTreeMap::new(),
            made: 0,
            injected: 0,
            stops: Vec::new(),
        };
        for _ in 0..STATES_MAX {
            ended.path.push(ended.state.clone());
            if self.stopped_at == Some(ended.state.as_str()) {
                return ended;
            }
            let state = &self.definition["States"][&ended.state];
            if let Some(happens) = self.before.remove(ended.state.as_str()) {
                happens(self.shop);
            }
            let input = ended.output.clone();
            ended.state = match state["Type"].as_str().unwrap() {
                "Succeed" | "Fail" => return ended,
                "Choice" => chosen(state, &input),
                "Wait" => {
                    let seconds = input["wait_s"].as_u64().expect("the run says how long to wait");
                    self.shop.world().pass_s(u32::try_from(seconds).unwrap());
                    next(state)
                }
                "Pass" => {
                    ended.output = passed(state, input);
                    next(state)
                }
                "Task" => self.task(state, input, &mut ended),
                "Map" => {
                    ended.output["looked_through"] = json!({"runs": self.runs_of_items(state, &input)});
                    next(state)
                }
                other => panic!("{other} is not understood here"),
            };
        }
        panic!("the run does not end: {:?}", ended.path)
    }

    /// Goes on from a stop to its end. What has struck the run that was recorded does not strike again.
    pub fn go_on(mut self, from: &Stop<S>) -> Ended<S> {
        self.struck.clear();
        self.start.clone_from(&from.state);
        self.people.clone_from(&from.people);
        self.attempts = from.attempts;
        self.run(from.input.clone())
    }

    /// A run of the cost cycle for each item, as the Map of a survey starts and awaits them. How they end is nothing to it.
    fn runs_of_items(&self, state: &Value, input: &Value) -> usize {
        let processor = &state["ItemProcessor"];
        let task = &processor["States"][processor["StartAt"].as_str().unwrap()];
        assert_eq!(task["Resource"], "arn:aws:states:::states:startExecution.sync:2");
        assert_eq!(state["ItemsPath"], "$.targets");
        let items = input["targets"].as_array().unwrap();
        for item in items {
            let name = item["name"].as_str().unwrap().to_owned().leak();
            Machine::cost(self.shop, name).run(item["input"].clone());
        }
        items.len()
    }

    fn task(&mut self, state: &Value, input: Value, ended: &mut Ended<S>) -> String {
        let name = ended.state.clone();
        let arn = format!("arn:aws:states:us-east-1:123456789012:execution:{}:{}", self.arn_of, self.name);
        let mut tries: BTreeMap<usize, u64> = BTreeMap::new();
        loop {
            self.attempts += 1;
            let token = format!("token-{}", self.attempts);
            let payload =
                asl::payload(&state["Parameters"], &input, asl::Context { arn: &arn, name: self.name, token: &token });
            let (error, cause) = match self.deliver(&name, state, &input, &payload, ended) {
                Ok(output) if !is_question(state) => {
                    ended.output = output;
                    return next(state);
                }
                Ok(_) => match self.answered(&input, &token, ended) {
                    Some(said) => {
                        ended.output = input;
                        ended.output["answer"] = said;
                        return next(state);
                    }
                    None => ("States.Timeout".to_owned(), String::new()),
                },
                Err(caught) => caught,
            };
            let retries = asl::handlers(state, "Retry");
            if let Some(at) = retries.iter().position(|retry| names(retry, &error)) {
                let tried = tries.entry(at).or_default();
                if *tried < retries[at]["MaxAttempts"].as_u64().unwrap() {
                    *tried += 1;
                    self.shop.world().pass_s(u32::try_from(retries[at]["IntervalSeconds"].as_u64().unwrap()).unwrap());
                    continue;
                }
            }
            let catches = asl::handlers(state, "Catch");
            let catch = catches.iter().find(|catch| names(catch, &error));
            let catch = catch.unwrap_or_else(|| panic!("{name} lets {error} end the run: {cause}"));
            ended.output = asl::caught(catch, input, &error, &cause);
            return next(catch);
        }
    }
}

impl<S> Ended<S> {
    /// Counts the calls of a process.
    pub(crate) fn note(&mut self, place: &str, process: &Process) {
        let calls = self.calls.entry(place.to_owned()).or_default();
        *calls = process.calls().len().max(*calls);
        self.made += process.calls().len();
        self.injected += process.injected();
    }

    /// Keeps a stop whose calls are other ones than those of the stops before in the same place.
    pub(crate) fn keep(&mut self, stop: Option<Stop<S>>, process: &Process) {
        let calls = process.calls();
        let Some(stop) = stop.filter(|_| !calls.is_empty()) else { return };
        if !self.stops.iter().any(|other| other.place == stop.place && other.calls == calls) {
            self.stops.push(Stop { calls, ..stop });
        }
    }
}

impl<S> Stop<S> {
    /// Whether a person's answer is taken here, and not a step delivered.
    pub fn is_page(&self) -> bool {
        self.place == PAGE
    }
}
