//! Runs `infra/statemachines/performance.asl.json` as Step Functions would, with the steps as its functions. Each invocation is a process of its
//! own, so that it can die.

use crate::shop::{Shop, ready};
use engine::ports::Approvals;
use engine::step::StepError;
use lifecycle::{answer, ask, begin, escalate, finish, resolve, rollback};
use maintainer_performance::{identify, iterate, profile, validate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use steps::{act, observe};
use testkit::asl::{self, chosen, is_question, names, next, passed};
use testkit::{End, Fault, Process, run_to_end};

/// More states than any run goes through.
const STATES_MAX: usize = 400;

/// An execution of the state machine.
pub struct Machine<'a> {
    /// What it works on.
    pub shop: &'a Shop,
    /// Name of the execution.
    pub name: &'static str,
    /// The state machine.
    pub definition: Value,
    /// The first invocation in a state goes wrong at one call.
    pub faults: BTreeMap<&'static str, (usize, Fault)>,
    /// What a person says to the first question; silence otherwise.
    pub says: Option<bool>,
    /// A person stops the execution there.
    pub stopped_at: Option<&'static str>,
    /// Every step is delivered twice.
    pub twice: bool,
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
    /// Planned faults that came to pass.
    pub injected: u32,
}

impl<'a> Machine<'a> {
    /// A run of the performance cycle.
    pub fn performance(shop: &'a Shop, name: &'static str) -> Self {
        Self::of(shop, name, include_str!("../../../../infra/statemachines/performance.asl.json"))
    }

    /// A rollback.
    pub fn rollback(shop: &'a Shop, name: &'static str) -> Self {
        Self::of(shop, name, include_str!("../../../../infra/statemachines/rollback.asl.json"))
    }

    fn of(shop: &'a Shop, name: &'static str, definition: &str) -> Self {
        let definition = serde_json::from_str(definition).unwrap();
        Self { shop, name, definition, faults: BTreeMap::new(), says: None, stopped_at: None, twice: false }
    }

    /// Runs it to its end.
    pub fn run(mut self, input: Value) -> Ended {
        let state = self.definition["StartAt"].as_str().unwrap().to_owned();
        let mut ended = Ended { state, path: Vec::new(), output: input, calls: BTreeMap::new(), injected: 0 };
        for _ in 0..STATES_MAX {
            ended.path.push(ended.state.clone());
            if self.stopped_at == Some(ended.state.as_str()) {
                return ended;
            }
            let state = self.definition["States"][&ended.state].clone();
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
        let (name, function) = (ended.state.clone(), asl::function(state));
        let arn = format!("arn:aws:states:us-east-1:123456789012:execution:m-performance:{}", self.name);
        let mut tries: BTreeMap<usize, u64> = BTreeMap::new();
        loop {
            let context = asl::Context { arn: &arn, name: self.name, token: "token" };
            let payload = asl::payload(&state["Parameters"], &input, context);
            let (error, cause) = match self.deliver(&name, &function, &payload, ended) {
                Ok(output) if !is_question(state) => {
                    ended.output = output;
                    return next(state);
                }
                Ok(_) => match self.says.take() {
                    Some(approved) => {
                        ended.output = input;
                        ended.output["answer"] = json!({"approved": approved, "by": "Ada"});
                        return next(state);
                    }
                    None => {
                        self.shop.world.pass_s(u32::try_from(input["answer_within_s"].as_u64().unwrap()).unwrap());
                        ("States.Timeout".to_owned(), String::new())
                    }
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

    fn deliver(
        &mut self,
        state: &str,
        function: &str,
        payload: &Value,
        ended: &mut Ended,
    ) -> Result<Value, (String, String)> {
        let process = Process::with(&self.shop.world, self.faults.remove(state));
        let first = said(run_to_end(&process, step(self.shop, &process, function, payload.clone())));
        let calls = ended.calls.entry(state.to_owned()).or_default();
        *calls = process.calls().len().max(*calls);
        ended.injected += process.injected();
        if !self.twice {
            return first;
        }
        let again = Process::sound(&self.shop.world);
        said(run_to_end(&again, step(self.shop, &again, function, payload.clone())))
    }
}

fn said(end: End<Result<Value, StepError>>) -> Result<Value, (String, String)> {
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

/// One step, as its binary runs it.
async fn step(shop: &Shop, process: &Process, function: &str, payload: Value) -> Result<Value, StepError> {
    let world = &*shop.world;
    // A run is for one application, and says for which.
    let named = [&payload["app"], &payload["run"]["app"], &payload["input"]["app"]];
    let named = named.iter().find_map(|name| name.as_str()).unwrap_or("shop");
    let app = shop.config.resolve_any(&named.into());
    let see = || observe::World { clock: process, inventory: world, telemetry: world };
    Ok(match function {
        "ResolveFunction" => {
            let ports =
                resolve::World { clock: process, inventory: world, watch: world, notifier: world, silence_s: 32_400 };
            written(&resolve::resolve(parsed(payload)?, &shop.config, &ports).await?)
        }
        "BeginFunction" => {
            let ports = begin::World {
                clock: process,
                leases: process,
                liveness: world,
                executions: process,
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
                executions: process,
                journal: process,
                artifacts: process,
            };
            written(&rollback::rollback(parsed(payload)?, &shop.config, &ports).await?)
        }
        "PerformanceProfileFunction" => {
            let ports =
                profile::World { see: see(), databases: &process.reaching(shop), leases: process, artifacts: process };
            written(&profile::profile(parsed(payload)?, &app, &ports).await?)
        }
        "PerformanceIdentifyFunction" => {
            let ports = identify::World {
                clock: process,
                databases: &process.reaching(shop),
                artifacts: process,
                executions: process,
                journal: process,
            };
            written(&identify::identify(parsed(payload)?, &app, &ports).await?)
        }
        "PerformanceApplyFunction" => {
            let ports = act::World {
                clock: process,
                speed: 1.0,
                left_s: 900.0,
                actuator: process,
                journal: process,
                leases: process,
                switch: process,
                approvals: process,
                calendars: world,
                circuit: world,
                artifacts: process,
                executions: process,
                alarms: process,
            };
            written(&act::act(parsed(payload)?, &app, &ports).await?)
        }
        "PerformanceValidateFunction" => {
            let ports = validate::World {
                see: see(),
                databases: &process.reaching(shop),
                leases: process,
                artifacts: process,
                executions: process,
                journal: process,
            };
            written(&validate::validate(parsed(payload)?, &app, &ports).await?)
        }
        "PerformanceIterateFunction" => {
            let ports = iterate::World { executions: process, artifacts: process };
            written(&iterate::iterate(parsed(payload)?, &app, &ports).await?)
        }
        "AskFunction" => {
            let ports = ask::World {
                clock: process,
                executions: process,
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
            let ports = escalate::World { executions: process, journal: process, artifacts: process, notifier: world };
            written(&escalate::escalate(parsed(payload)?, &ports).await?)
        }
        "FinishFunction" => {
            let ports = finish::World {
                clock: process,
                executions: process,
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

/// Questions that were asked about the shop.
pub fn questions(shop: &Shop) -> usize {
    ready(Approvals::since(&*shop.world, &"shop".into(), jiff::Timestamp::MIN)).unwrap().len()
}
