//! What it costs to be careful: the calls of optimize around one change, and their time, beside the call that changes something.

use crate::calls::Timed;
use crate::cloud::Cloud;
use crate::place::Place;
use crate::report::{Failure, figure, say};
use crate::template::Template;
use crate::tree::Tree;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A fleet grows and everything is well afterwards.
const SCENARIO: &str = "load_surge";
/// The step that changes something.
const FUNCTION: &str = "health-optimize";
/// The calls that may change something in this scenario.
const CHANGING: [&str; 2] = ["SetDesiredCapacity", "UpdateService"];
/// A longer silence between two calls lies between two invocations.
const PAUSE_MIN: Duration = Duration::from_millis(700);

/// Plays the scenario and tells what each change cost beside itself.
///
/// # Errors
/// When the cloud does not start, the run does not end as it should, or nothing was changed.
pub async fn measure(place: &Place, tree: &Tree, template: &Template) -> Result<(), Failure> {
    let cloud = Cloud::start(place, tree, template)?;
    cloud.play(place, SCENARIO).await?;
    let calls = cloud.calls.of(FUNCTION);
    let steps: Vec<&[Timed]> = invocations(&calls).into_iter().filter(|step| changes(step) > 0).collect();
    if steps.is_empty() {
        return Err(format!("{SCENARIO}.yaml was played and {FUNCTION} changed nothing"));
    }
    for step in steps {
        tell(step)?;
    }
    Ok(())
}

fn is_changing(call: &Timed) -> bool {
    CHANGING.contains(&call.kind.operation.as_str())
}

fn changes(step: &[Timed]) -> usize {
    step.iter().filter(|call| is_changing(call)).count()
}

/// The calls of each invocation: a function does one at a time.
fn invocations(calls: &[Timed]) -> Vec<&[Timed]> {
    calls.chunk_by(|earlier, later| later.began.saturating_duration_since(earlier.ended()) < PAUSE_MIN).collect()
}

/// Reads and writes of documents belong to the step, however many changes it makes; the rest is guards and journal.
fn is_of_the_step(call: &Timed) -> bool {
    call.kind.service == "s3"
}

fn tell(step: &[Timed]) -> Result<(), Failure> {
    let changes = changes(step) as f64;
    let careful: Vec<&Timed> = step.iter().filter(|call| !is_changing(call) && !is_of_the_step(call)).collect();
    let own_ms: f64 = step.iter().filter(|call| is_changing(call)).map(|call| ms(call.took())).sum();
    let whole_ms = span(step).map_or(0.0, |(began, ended)| ms(ended - began));
    let careful_ms = span(&careful.iter().map(|call| (*call).clone()).collect::<Vec<_>>())
        .map_or(0.0, |(began, ended)| ms(ended - began) - own_ms);
    let mut operations: BTreeMap<String, u64> = BTreeMap::new();
    for call in &careful {
        *operations.entry(format!("{}:{}", call.kind.service, call.kind.operation)).or_default() += 1;
    }
    say(&format!(
        "one step with {changes:.0} changes ({SCENARIO}.yaml): {} calls in {whole_ms:.0} ms, the changing call itself {:.1} ms; \
         guards and journal, for each change: {:.1} calls, {:.0} ms",
        step.len(),
        own_ms / changes,
        careful.len() as f64 / changes,
        careful_ms / changes
    ));
    for (operation, times) in &operations {
        say(&format!("  {times:2} {operation}"));
    }
    let context = json!({"scenario": SCENARIO, "changes": changes, "operations": operations, "where": "local cloud"});
    figure("change_overhead_calls", careful.len() as f64 / changes, "calls", context.clone())?;
    figure("change_overhead_ms", careful_ms / changes, "ms", context.clone())?;
    figure("change_own_ms", own_ms / changes, "ms", context)
}

fn span(calls: &[Timed]) -> Option<(Instant, Instant)> {
    let began = calls.iter().map(|call| call.began).min()?;
    let ended = calls.iter().map(Timed::ended).max()?;
    Some((began, ended))
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::Kind;

    fn call(start: Instant, at_ms: u64, took_ms: u64, operation: &str) -> Timed {
        let began = start + Duration::from_millis(at_ms);
        let kind = Kind { operation: operation.to_owned(), ..Kind::default() };
        Timed { kind, began, answered: Some(began + Duration::from_millis(took_ms)) }
    }

    #[test]
    fn a_long_silence_parts_two_invocations_and_a_slow_call_does_not() {
        let start = Instant::now();
        let calls = [
            call(start, 0, 900, "GetItem"),
            call(start, 905, 10, "SetDesiredCapacity"),
            call(start, 1_620, 10, "GetItem"),
        ];
        let steps = invocations(&calls);
        assert_eq!(steps.iter().map(|step| step.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!((changes(steps[0]), changes(steps[1])), (1, 0));
    }
}
