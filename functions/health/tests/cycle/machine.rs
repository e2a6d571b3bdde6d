//! Runs `infra/statemachines/health.asl.json` as Step Functions would, with the steps as its functions.
//!
//! Understands what that definition uses and nothing else. Each invocation is a process of its own, so that it can die.

use crate::shop::{RUN, Shop};
use crate::stores::{Goes, Stores};
use engine::step::StepError;
use health::{analyze, iterate, monitor, observe, optimize, validate};
use lifecycle::page::{self, answering};
use lifecycle::{answer, ask, begin, escalate, finish, resolve, rollback};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{End, Fault, Process, run_to_end};

/// More states than any run goes through.
const STATES_MAX: usize = 400;
/// Real seconds that an invocation has; the longest time-out of the template.
const LEFT_S: f64 = 300.0;
/// ARN of every run.
const ARN: &str = "arn:aws:states:us-east-1:123456789012:execution:m-health:run-1";

/// An execution of the state machine.
pub struct Machine<'a> {
    shop: &'a Shop,
    start: String,
    states: Value,
    faults: BTreeMap<&'static str, (usize, Fault)>,
    store_faults: BTreeMap<&'static str, (usize, Goes)>,
    twice: bool,
    name: &'static str,
    /// A person stops the execution there.
    pub stopped_at: Option<&'static str>,
    /// What people say to the questions, one after the other; silence when there is nothing more.
    pub people: Vec<Reply>,
    /// What happens right before a state is entered, each once.
    pub before: BTreeMap<&'static str, fn(&Shop)>,
}

/// What a person does about a question.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers by the link, so many seconds later.
    Link(answering::Given, u32),
    /// Completes the task on the command line.
    CommandLine(Value),
}

impl Reply {
    /// A yes to these changes by the link, two minutes later.
    pub fn yes(changes: &[&str]) -> Self {
        let changes = changes.iter().map(|id| (*id).to_owned()).collect();
        Self::Link(given("approve", changes), 120)
    }

    /// A no by the link.
    pub fn no() -> Self {
        Self::Link(given("deny", Vec::new()), 120)
    }
}

fn given(decision: &str, changes: Vec<String>) -> answering::Given {
    answering::Given { decision: decision.to_owned(), changes, by: "Ada".to_owned(), remark: "as agreed".to_owned() }
}

/// How an execution ended.
#[derive(Debug)]
pub struct Ended {
    /// The last state.
    pub state: String,
    /// All states, in order.
    pub path: Vec<String>,
    /// What the last state got.
    pub output: Value,
    /// Most calls of an invocation in each state.
    pub calls: BTreeMap<String, usize>,
    /// The same for the stores of records and documents.
    pub stored: BTreeMap<String, usize>,
    /// Planned faults that came to pass.
    pub injected: u32,
}

/// An error as Step Functions hands it on.
type Caught = (String, String);

impl<'a> Machine<'a> {
    /// An execution on this shop.
    pub fn on(shop: &'a Shop) -> Self {
        Self::named(shop, RUN)
    }

    /// An execution with another name.
    pub fn named(shop: &'a Shop, name: &'static str) -> Self {
        Self::of(shop, name, include_str!("../../../../infra/statemachines/health.asl.json"))
    }

    /// A rollback.
    pub fn rollback(shop: &'a Shop, name: &'static str) -> Self {
        Self::of(shop, name, include_str!("../../../../infra/statemachines/rollback.asl.json"))
    }

    fn of(shop: &'a Shop, name: &'static str, definition: &str) -> Self {
        let definition: Value = serde_json::from_str(definition).unwrap();
        Self {
            shop,
            start: definition["StartAt"].as_str().unwrap().to_owned(),
            states: definition["States"].clone(),
            faults: BTreeMap::new(),
            store_faults: BTreeMap::new(),
            twice: false,
            name,
            stopped_at: None,
            people: Vec::new(),
            before: BTreeMap::new(),
        }
    }

    /// The first invocation in a state goes wrong at one call.
    pub fn with_fault(mut self, state: &'static str, call: usize, fault: Fault) -> Self {
        self.faults.insert(state, (call, fault));
        self
    }

    /// The stores fail the first invocation in a state at one call.
    pub fn with_store_fault(mut self, state: &'static str, call: usize, goes: Goes) -> Self {
        self.store_faults.insert(state, (call, goes));
        self
    }

    /// Every step is delivered twice.
    pub fn twice(mut self) -> Self {
        self.twice = true;
        self
    }

    /// Runs it to its end.
    pub fn run(mut self, input: Value) -> Ended {
        let mut ended = Ended {
            state: self.start.clone(),
            path: Vec::new(),
            output: input,
            calls: BTreeMap::new(),
            stored: BTreeMap::new(),
            injected: 0,
        };
        for _ in 0..STATES_MAX {
            ended.path.push(ended.state.clone());
            if self.stopped_at == Some(ended.state.as_str()) {
                return ended;
            }
            let state = self.states[&ended.state].clone();
            if let Some(happens) = self.before.remove(ended.state.as_str()) {
                happens(self.shop);
            }
            let input = ended.output.clone();
            ended.state = match state["Type"].as_str().unwrap() {
                "Succeed" | "Fail" => return ended,
                "Choice" => chosen(&state, &input),
                "Wait" => {
                    let seconds = input["wait_s"].as_u64().expect("the run says how long to wait");
                    self.shop.world.pass_s(u32::try_from(seconds).unwrap());
                    next(&state)
                }
                "Pass" => {
                    ended.output = passed(&state, input);
                    next(&state)
                }
                "Task" => self.task(&state, input, &mut ended),
                other => panic!("{other} is not understood here"),
            };
        }
        panic!("the run does not end: {:?}", ended.path)
    }

    fn task(&mut self, state: &Value, input: Value, ended: &mut Ended) -> String {
        let name = ended.state.clone();
        let function = state["Parameters"]["FunctionName"].as_str().unwrap().trim_matches(['$', '{', '}']).to_owned();
        let payload = payload(&state["Parameters"], &input, self.name);
        let mut tries: BTreeMap<usize, u64> = BTreeMap::new();
        loop {
            let answer = self.deliver(&name, &function, &payload, ended);
            let (error, cause) = match answer {
                Ok(output) if !is_question(state) => {
                    ended.output = output;
                    return next(state);
                }
                Ok(_) => match self.answered(&input) {
                    Some(said) => {
                        ended.output = input;
                        ended.output["answer"] = said;
                        return next(state);
                    }
                    None => ("States.Timeout".to_owned(), String::new()),
                },
                Err(caught) => caught,
            };
            let handlers = |key: &str| state[key].as_array().cloned().unwrap_or_default();
            let retries = handlers("Retry");
            if let Some(at) = retries.iter().position(|retry| names(retry, &error)) {
                let tried = tries.entry(at).or_default();
                if *tried < retries[at]["MaxAttempts"].as_u64().unwrap() {
                    *tried += 1;
                    self.shop.world.pass_s(u32::try_from(retries[at]["IntervalSeconds"].as_u64().unwrap()).unwrap());
                    continue;
                }
            }
            let catches = handlers("Catch");
            let catch = catches.iter().find(|catch| names(catch, &error));
            let catch = catch.unwrap_or_else(|| panic!("{name} lets {error} end the run: {cause}"));
            let mut output = input;
            output[catch["ResultPath"].as_str().unwrap().trim_start_matches("$.")] =
                json!({"Error": error, "Cause": cause});
            ended.output = output;
            return next(catch);
        }
    }

    /// What wakes a run that has asked; `None` when nobody says anything in time.
    fn answered(&mut self, input: &Value) -> Option<Value> {
        let world = &*self.shop.world;
        let within = u32::try_from(input["answer_within_s"].as_u64().expect("the run says how long it waits")).unwrap();
        if self.people.is_empty() {
            world.pass_s(within);
            return None;
        }
        match self.people.remove(0) {
            Reply::CommandLine(said) => {
                world.pass_s(120);
                Some(said)
            }
            Reply::Link(given, after_s) => {
                world.pass_s(after_s);
                let request = world.requests().pop().expect("a question was asked");
                let ports = page::World {
                    clock: world,
                    approvals: world,
                    waker: world,
                    signing_key: world,
                    runs: world,
                    executions: world,
                    function_arn: "arn",
                };
                let via = domain::approval::Via::Link;
                crate::shop::ready(answering::take(&request.app, &request.id, &given, via, &ports)).unwrap();
                world.woken().pop().map(|(_, output)| serde_json::from_str(&output).unwrap())
            }
        }
    }

    /// One delivery: a process that answers, fails or dies; or the same twice, of which the second answer counts.
    fn deliver(&mut self, state: &str, function: &str, payload: &Value, ended: &mut Ended) -> Result<Value, Caught> {
        let fault = self.faults.remove(state);
        let process = Process::with(&self.shop.world, fault);
        let stores = Stores::of(&self.shop.world, self.store_faults.remove(state));
        let first = self.invoke(&process, &stores, function, payload);
        let most = |of: &mut BTreeMap<String, usize>, calls: usize| {
            let entry = of.entry(state.to_owned()).or_default();
            *entry = calls.max(*entry);
        };
        most(&mut ended.calls, process.calls().len());
        most(&mut ended.stored, stores.calls());
        ended.injected += process.injected();
        if !self.twice {
            return first;
        }
        self.invoke(&Process::sound(&self.shop.world), &Stores::of(&self.shop.world, None), function, payload)
    }

    fn invoke(&self, process: &Process, stores: &Stores, function: &str, payload: &Value) -> Result<Value, Caught> {
        self.shop.catch_up();
        match run_to_end(process, step(self.shop, process, stores, function, payload.clone())) {
            End::Finished(Ok(output)) => Ok(output),
            End::Finished(Err(error)) => {
                let cause = json!({"errorType": error.name(), "errorMessage": error.to_string()});
                Err((error.name().to_owned(), cause.to_string()))
            }
            End::Crashed => Err(("Runtime.ExitError".to_owned(), "the process has died".to_owned())),
        }
    }
}

/// A task that waits for a person.
fn is_question(state: &Value) -> bool {
    state["Resource"].as_str().is_some_and(|resource| resource.ends_with(".waitForTaskToken"))
}

fn next(state: &Value) -> String {
    state["Next"].as_str().unwrap().to_owned()
}

fn names(handler: &Value, error: &str) -> bool {
    let listed = handler["ErrorEquals"].as_array().unwrap();
    listed.iter().any(|name| name == error || (name == "States.TaskFailed" && error != "States.Timeout"))
}

fn chosen(state: &Value, input: &Value) -> String {
    let fits = |choice: &&Value| {
        let at = choice["Variable"].as_str().unwrap().trim_start_matches("$.");
        input[at] == choice["StringEquals"]
    };
    let choice = state["Choices"].as_array().unwrap().iter().find(fits);
    choice.map_or_else(|| state["Default"].as_str().unwrap().to_owned(), next)
}

fn passed(state: &Value, mut input: Value) -> Value {
    if let Some(path) = state["InputPath"].as_str() {
        input = input[path.trim_start_matches("$.")].take();
    }
    if let Some(path) = state["ResultPath"].as_str() {
        input[path.trim_start_matches("$.")] = state["Result"].clone();
    }
    input
}

/// The payload of a Task: the input as a whole, or an object with parts of it and of the context.
fn payload(parameters: &Value, input: &Value, name: &str) -> Value {
    if parameters["Payload.$"] == "$" {
        return input.clone();
    }
    let filled = parameters["Payload"].as_object().unwrap().iter().map(|(key, value)| {
        let value = match (key.ends_with(".$"), value.as_str().unwrap_or_default()) {
            (false, _) => value.clone(),
            (true, "$") => input.clone(),
            (true, "$$.Execution.Id") => json!(ARN),
            (true, "$$.Execution.Name") => json!(name),
            (true, _) => json!("of the context"),
        };
        (key.trim_end_matches(".$").to_owned(), value)
    });
    Value::Object(filled.collect())
}

fn parsed<T: DeserializeOwned>(payload: Value) -> Result<T, StepError> {
    serde_json::from_value(payload).map_err(|error| StepError::Config(format!("the input is not understood: {error}")))
}

fn written<T: serde::Serialize>(output: &T) -> Value {
    serde_json::to_value(output).unwrap()
}

/// One step, as its binary runs it. What changes the application, and its records, goes through the process.
pub async fn step(
    shop: &Shop,
    process: &Process,
    stores: &Stores,
    function: &str,
    payload: Value,
) -> Result<Value, StepError> {
    let world = &*shop.world;
    let app = shop.config.resolve_any(&"shop".into());
    let see = || observe::World { clock: process, inventory: world, telemetry: world };
    Ok(match function {
        "ResolveFunction" => {
            let resolve_ports =
                resolve::World { clock: process, inventory: world, watch: world, notifier: world, silence_s: 32_400 };
            written(&resolve::resolve(parsed(payload)?, &shop.config, &resolve_ports).await?)
        }
        "BeginFunction" => {
            let ports = begin::World {
                clock: process,
                leases: process,
                liveness: world,
                executions: stores,
                journal: process,
                circuit: world,
            };
            written(&begin::begin(parsed(payload)?, &shop.config, &ports).await?)
        }
        "RollbackFunction" => {
            let ports = rollback::World {
                clock: process,
                leases: process,
                liveness: world,
                executions: stores,
                journal: process,
                artifacts: stores,
            };
            written(&rollback::rollback(parsed(payload)?, &shop.config, &ports).await?)
        }
        "MonitorFunction" => {
            let ports = monitor::World { see: see(), leases: process, artifacts: stores };
            written(&monitor::monitor(parsed(payload)?, &app, &ports).await?)
        }
        "AnalyzeFunction" => {
            let ports = analyze::World { clock: process, artifacts: stores, executions: stores, journal: process };
            written(&analyze::analyze(parsed(payload)?, &app, &ports).await?)
        }
        "OptimizeFunction" => {
            let ports = optimize::World {
                clock: process,
                speed: 1.0,
                left_s: LEFT_S,
                actuator: process,
                journal: process,
                leases: process,
                switch: process,
                approvals: world,
                calendars: world,
                circuit: world,
                artifacts: stores,
                executions: stores,
            };
            written(&optimize::optimize(parsed(payload)?, &app, &ports).await?)
        }
        "ValidateFunction" => {
            let ports = validate::World {
                see: see(),
                leases: process,
                artifacts: stores,
                executions: stores,
                journal: process,
            };
            written(&validate::validate(parsed(payload)?, &app, &ports).await?)
        }
        "IterateFunction" => {
            let ports = iterate::World { clock: process, executions: stores };
            written(&iterate::iterate(parsed(payload)?, &app, &ports).await?)
        }
        "AskFunction" => {
            let ports = ask::World {
                clock: process,
                artifacts: stores,
                approvals: world,
                signing_key: world,
                page_url: "https://page.example/",
                episodes: world,
                leases: process,
                starter: world,
                notifier: world,
            };
            written(&ask::ask(parsed(payload)?, &app, &ports).await?)
        }
        "AnswerFunction" => {
            let ports = answer::World { clock: process, approvals: world, executions: stores, leases: process };
            written(&answer::answer(parsed(payload)?, app.approval.use_within_s, &ports).await?)
        }
        "EscalateFunction" => {
            let ports = escalate::World { executions: stores, journal: process, artifacts: stores, notifier: world };
            written(&escalate::escalate(parsed(payload)?, &ports).await?)
        }
        "FinishFunction" => {
            let ports = finish::World {
                clock: process,
                executions: stores,
                journal: process,
                leases: process,
                episodes: world,
                starter: world,
                watch: world,
                notifier: world,
            };
            written(&finish::finish(parsed(payload)?, &ports).await?)
        }
        other => panic!("there is no function {other}"),
    })
}
