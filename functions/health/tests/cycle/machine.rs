//! Runs `infra/statemachines/health.asl.json` as Step Functions would, with the steps as its functions.
//!
//! Understands what that definition uses and nothing else. Each invocation is a process of its own, so that it can die.

use crate::people::Reply;
use crate::shop::{RUN, Shop};
use crate::stores::{Goes, Stores};
use engine::step::StepError;
use health::{analyze, iterate, monitor, observe, optimize, validate};
use lifecycle::{answer, ask, begin, escalate, finish, resolve, rollback};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::asl::{self, chosen, is_question, names, next, passed};
use testkit::{End, Fault, Process, interleave, run_to_end};

/// More states than any run goes through.
const STATES_MAX: usize = 400;
/// Real seconds that an invocation has; the longest time-out of the template.
const LEFT_S: f64 = 300.0;
/// ARN of every run.
const ARN: &str = "arn:aws:states:us-east-1:123456789012:execution:m-health:run-1";

/// An execution of the state machine.
pub struct Machine<'a> {
    /// What it works on.
    pub shop: &'a Shop,
    start: String,
    states: Value,
    faults: BTreeMap<&'static str, (usize, Fault)>,
    store_faults: BTreeMap<&'static str, (usize, Goes)>,
    delivery: Delivery,
    name: &'static str,
    /// Attempts at a task so far: each has a task token of its own, and only the newest wakes the run.
    attempts: u32,
    /// A person stops the execution there.
    pub stopped_at: Option<&'static str>,
    /// What people say to the questions, one after the other; silence when there is nothing more.
    pub people: Vec<Reply>,
    /// Whoever sees a page that says that it did not work tries once more.
    pub people_insist: bool,
    /// What happens right before a state is entered, each once.
    pub before: BTreeMap<&'static str, fn(&Shop)>,
}

/// How often each step is delivered.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// As it should be.
    Once,
    /// One after the other; the second answer counts.
    Twice,
    /// Those of asking both at once, in an order that the seed decides.
    AtOnce(u64),
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
            delivery: Delivery::Once,
            name,
            attempts: 0,
            stopped_at: None,
            people: Vec::new(),
            people_insist: false,
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
        self.delivery = Delivery::Twice;
        self
    }

    /// The steps of asking are delivered twice at once; the seed decides which delivery makes its next call, and whose answer counts.
    pub fn at_once(mut self, seed: u64) -> Self {
        self.delivery = Delivery::AtOnce(seed);
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
        let function = asl::function(state);
        let mut tries: BTreeMap<usize, u64> = BTreeMap::new();
        loop {
            self.attempts += 1;
            let token = format!("token-{}", self.attempts);
            let payload =
                asl::payload(&state["Parameters"], &input, asl::Context { arn: ARN, name: self.name, token: &token });
            let answer = self.deliver(&name, &function, &payload, ended);
            let (error, cause) = match answer {
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
                    self.shop.world.pass_s(u32::try_from(retries[at]["IntervalSeconds"].as_u64().unwrap()).unwrap());
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

    /// One delivery: a process that answers, fails or dies; or the same twice, of which the second answer counts.
    fn deliver(&mut self, state: &str, function: &str, payload: &Value, ended: &mut Ended) -> Result<Value, Caught> {
        if let (Delivery::AtOnce(seed), "AskPeople" | "TakeAnswer") = (self.delivery, state) {
            return self.both(seed, function, payload);
        }
        let process = self.process(state);
        let stores = Stores::of(&self.shop.world, self.store_faults.remove(state));
        let first = self.invoke(&process, &stores, function, payload);
        ended.note(state, &process);
        let stored = ended.stored.entry(state.to_owned()).or_default();
        *stored = stores.calls().max(*stored);
        if !matches!(self.delivery, Delivery::Twice) {
            return first;
        }
        self.invoke(&Process::sound(&self.shop.world), &Stores::of(&self.shop.world, None), function, payload)
    }

    fn invoke(&self, process: &Process, stores: &Stores, function: &str, payload: &Value) -> Result<Value, Caught> {
        self.shop.catch_up();
        said(run_to_end(process, step(self.shop, process, stores, function, payload.clone())))
    }

    /// The same invocation twice at once.
    fn both(&self, seed: u64, function: &str, payload: &Value) -> Result<Value, Caught> {
        self.shop.catch_up();
        let world = &self.shop.world;
        let processes = [Process::sound(world), Process::sound(world)];
        let stores = Stores::of(world, None);
        // From the seed and the attempt, so that each pair falls between each other in another way.
        let mut random = order(seed.wrapping_mul(1_000).wrapping_add(u64::from(self.attempts)));
        let counts = random(2);
        let fibers = processes.iter().map(|process| {
            let work: std::pin::Pin<Box<dyn Future<Output = _>>> =
                Box::pin(step(self.shop, process, &stores, function, payload.clone()));
            (process, work)
        });
        let mut ends = interleave(fibers.collect(), random);
        said(ends.swap_remove(counts))
    }

    /// The process of the next invocation in a state, with the fault that is planned for it.
    pub fn process(&mut self, state: &str) -> Process {
        Process::with(&self.shop.world, self.faults.remove(state))
    }
}

impl Ended {
    /// Counts the calls of a process.
    pub fn note(&mut self, state: &str, process: &Process) {
        let calls = self.calls.entry(state.to_owned()).or_default();
        *calls = process.calls().len().max(*calls);
        self.injected += process.injected();
    }
}

/// Numbers below a bound, the same ones for the same seed.
fn order(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    }
}

fn said(end: End<Result<Value, StepError>>) -> Result<Value, Caught> {
    match end {
        End::Finished(Ok(output)) => Ok(output),
        End::Finished(Err(error)) => {
            let cause = json!({"errorType": error.name(), "errorMessage": error.to_string()});
            Err((error.name().to_owned(), cause.to_string()))
        }
        End::Crashed => Err(("Runtime.ExitError".to_owned(), "the process has died".to_owned())),
    }
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
                approvals: world,
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
            let ports = monitor::World { see: see(), prices: world, leases: process, artifacts: stores };
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
                alarms: process,
            };
            written(&optimize::act(parsed(payload)?, &app, &ports).await?)
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
                executions: stores,
                artifacts: process,
                approvals: process,
                signing_key: process,
                page_url: "https://page.example/",
                episodes: process,
                leases: process,
                starter: process,
                notifier: process,
            };
            written(&ask::ask(parsed(payload)?, &app, &ports).await?)
        }
        "AnswerFunction" => {
            let ports = answer::World { clock: process, approvals: process, executions: process, leases: process };
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
                approvals: world,
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
