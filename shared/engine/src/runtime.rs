//! Glue between a step and the Lambda runtime: structured logs, metrics, stable error names.
//!
//! Reads the environment once at start. No step logic here.

use crate::step::StepError;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Instrument;
use tracing_subscriber::filter::LevelFilter;

/// An environment variable that the template sets.
///
/// # Errors
/// [`StepError::Config`] naming the variable.
pub fn variable(name: &str) -> Result<String, StepError> {
    optional(name).ok_or_else(|| {
        StepError::Config(format!(
            "the environment variable {name} is not set: the function was not deployed by the template"
        ))
    })
}

/// An environment variable that may be absent; empty counts as absent.
#[expect(clippy::disallowed_methods, reason = "this is the one place where the environment is read")]
pub fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Version and commit of this build, as in every record.
pub const BUILD: &str = match option_env!("MAINTAINER_BUILD") {
    Some(build) => build,
    None => env!("CARGO_PKG_VERSION"),
};

/// One invocation.
#[derive(Debug)]
pub struct Call<I> {
    /// The event.
    pub input: I,
    /// Real seconds until the platform ends the invocation.
    pub left_s: f64,
    /// ARN under which the function was called.
    pub function_arn: String,
}

/// Serves invocations of one step until the runtime ends.
///
/// The event is taken as JSON first, so that a malformed one is answered with one sentence under a stable name.
///
/// # Errors
/// When the Runtime API can't be reached.
pub async fn serve<I, O, F>(step: &'static str, handler: F) -> Result<(), lambda_runtime::Error>
where
    I: for<'de> Deserialize<'de>,
    O: Serialize,
    F: AsyncFn(Call<I>) -> Result<O, StepError>,
{
    logs();
    die_of_panics();
    IS_SERVING.store(true, Ordering::Relaxed);
    let handler = &handler;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let left_s = left_s(event.context.deadline);
        let function_arn = event.context.invoked_function_arn.clone();
        let input = event.payload;
        let about = About::of(&input);
        let outcome = match serde_json::from_value::<I>(input) {
            Ok(input) => handler(Call { input, left_s, function_arn }).instrument(about.span(step)).await,
            Err(error) => Err(StepError::Config(format!("the input of {step} is not understood: {error}"))),
        };
        match outcome.and_then(|output| {
            serde_json::to_value(&output).map_err(|error| StepError::Bug(format!("{step} can't answer: {error}")))
        }) {
            Ok(output) => {
                let decision = output.get("decision").and_then(Value::as_str).unwrap_or("-");
                tracing::info!(step, app = %about.app, execution_id = %about.execution_id, decision, "step done");
                metric(step, &about.app, "StepCompleted");
                Ok(output)
            }
            Err(error) => {
                tracing::error!(
                    step, app = %about.app, execution_id = %about.execution_id, error = error.name(), "{error}"
                );
                metric(step, &about.app, "StepFailed");
                Err(Diagnostic::from(error))
            }
        }
    }))
    .await
}

/// Whom an invocation is about, for its log lines.
struct About {
    app: String,
    execution_id: String,
}

impl About {
    fn of(input: &Value) -> Self {
        let run = input.get("run").unwrap_or(input);
        let text = |name: &str| run.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        Self { app: text("app"), execution_id: text("execution_id") }
    }

    /// The span that puts application and execution into every line that the step logs.
    fn span(&self, step: &'static str) -> tracing::Span {
        tracing::info_span!("step", step, app = %self.app, execution_id = %self.execution_id)
    }
}

/// JSON log lines; the level is `MAINTAINER_LOG`, `info` by default.
fn logs() {
    let level = optional("MAINTAINER_LOG").and_then(|name| name.parse().ok()).unwrap_or(LevelFilter::INFO);
    // A second call in one process (a test) keeps the first subscriber: nothing to report.
    let _already_set = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_max_level(level)
        .try_init();
}

/// Makes a panic, which is a bug, one line of the log and the end of this process, in every build. The state machines see a
/// function that died and try the step in a new process: what a half-run step has left in memory is not gone on with.
fn die_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let why = panic.payload_as_str().unwrap_or("no reason given");
        tracing::error!(error = "Step.Bug", at, "a bug ended this process: {why}");
        std::process::abort();
    }));
}

/// CloudWatch namespace of the maintainer's own metrics.
pub const NAMESPACE: &str = "InfrastructureMaintainer";

/// True in a function: only there does anybody read metrics from the standard output.
static IS_SERVING: AtomicBool = AtomicBool::new(false);

/// Counts one event of a step in CloudWatch's embedded metric format: one log line, no call.
pub fn metric(step: &str, app: &str, name: &'static str) {
    measure(&[("Step", step), ("App", app)], name, 1.0, "Count");
}

/// Writes one metric in embedded metric format. Outside of a function (in a test) it writes nothing.
pub fn measure(dimensions: &[(&str, &str)], name: &str, value: f64, unit: &str) {
    if !IS_SERVING.load(Ordering::Relaxed) {
        return;
    }
    let keys: Vec<&str> = dimensions.iter().map(|(key, _)| *key).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": epoch_ms(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                // Also without any dimension, so that alarms on the whole need no list of applications.
                "Dimensions": [keys, []],
                "Metrics": [{"Name": name, "Unit": unit}],
            }],
        },
        name: value,
    });
    if let Some(fields) = line.as_object_mut() {
        for (key, text) in dimensions {
            fields.insert((*key).to_owned(), json!(text));
        }
    }
    // A metric that can't be written must not fail the step.
    let _best_effort = writeln!(std::io::stdout(), "{line}");
}

/// Real seconds from now to a deadline in epoch milliseconds.
fn left_s(deadline_ms: u64) -> f64 {
    let deadline = i64::try_from(deadline_ms).unwrap_or(i64::MAX);
    let left_ms = deadline.saturating_sub(epoch_ms()).max(0);
    std::time::Duration::from_millis(left_ms.unsigned_abs()).as_secs_f64()
}

/// The embedded metric format wants the real time of the log line, not the time of a simulation.
#[expect(clippy::disallowed_methods, reason = "a log line carries the time it was written at")]
fn epoch_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests;
