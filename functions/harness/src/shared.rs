//! The steps that all cycles share, as their binaries run them. Everything that they call goes through the process.

use crate::Shop;
use engine::step::StepError;
use lifecycle::{answer, ask, begin, escalate, explain, finish, resolve, rollback};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use steps::act;
use testkit::Process;

/// Real seconds that a step which writes has; the time-outs of the template.
const LEFT_S: f64 = 300.0;
const LEFT_TO_BUILD_S: f64 = 900.0;

/// A payload as a step understands it.
///
/// # Errors
/// [`StepError::Config`] when it does not.
pub fn parsed<T: DeserializeOwned>(payload: Value) -> Result<T, StepError> {
    serde_json::from_value(payload).map_err(|error| StepError::Config(format!("the input is not understood: {error}")))
}

/// The answer of a step as Step Functions gets it.
pub fn written<T: Serialize>(output: &T) -> Value {
    serde_json::to_value(output).unwrap()
}

/// One step, shared or of the cycle alone.
///
/// # Errors
/// What the step says.
pub async fn step<S: Shop>(shop: &S, process: &Process, function: &str, payload: Value) -> Result<Value, StepError> {
    // A run is for one application, and says for which.
    let named = [&payload["app"], &payload["run"]["app"], &payload["input"]["app"]];
    let named = named.iter().find_map(|name| name.as_str()).unwrap_or("shop");
    let app = shop.config().resolve_any(&named.into());
    Ok(match function {
        "ResolveFunction" => {
            let ports = resolve::World {
                clock: process,
                inventory: process,
                watch: process,
                notifier: process,
                silence_s: 32_400,
            };
            written(&resolve::resolve(parsed(payload)?, shop.config(), &ports).await?)
        }
        "BeginFunction" => {
            let ports = begin::World {
                clock: process,
                leases: process,
                liveness: process,
                executions: process,
                journal: process,
                circuit: process,
                approvals: process,
            };
            written(&begin::begin(parsed(payload)?, shop.config(), &ports).await?)
        }
        "RollbackFunction" => {
            let ports = rollback::World {
                clock: process,
                leases: process,
                liveness: process,
                executions: process,
                journal: process,
                artifacts: process,
            };
            written(&rollback::rollback(parsed(payload)?, shop.config(), &ports).await?)
        }
        "OptimizeFunction" | "CostImplementFunction" | "PerformanceApplyFunction" => {
            let ports = act::World {
                clock: process,
                speed: 1.0,
                left_s: if function == "PerformanceApplyFunction" { LEFT_TO_BUILD_S } else { LEFT_S },
                actuator: process,
                journal: process,
                leases: process,
                switch: process,
                approvals: process,
                calendars: process,
                circuit: process,
                artifacts: process,
                executions: process,
                alarms: process,
            };
            written(&act::act(parsed(payload)?, &app, &ports).await?)
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
            let ports =
                escalate::World { executions: process, journal: process, artifacts: process, notifier: process };
            written(&escalate::escalate(parsed(payload)?, &ports).await?)
        }
        "FinishFunction" => {
            let ports = finish::World {
                clock: process,
                executions: process,
                approvals: process,
                journal: process,
                leases: process,
                episodes: process,
                starter: process,
                watch: process,
                notifier: process,
            };
            written(&finish::finish(parsed(payload)?, &ports).await?)
        }
        "ExplainFunction" => {
            let ports = explain::World { executions: process, journal: process, artifacts: process };
            written(&explain::explain(&payload, &ports).await?)
        }
        own => shop.step(process, &app, own, payload).await?,
    })
}
