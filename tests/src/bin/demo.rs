//! `demo [--keep] [--speed N] [--state FILE --outputs FILE] SCENARIO…`: plays scenarios in a local cloud and shows the
//! maintainer at work. A scenario is a file, or the name of one in `tests/scenarios`.
//!
//! Ends with 0 only if the final state was read back from the cloud and everything that the scenario expects holds.

use maintainer_tests::local::{LocalCloud, root};
use maintainer_tests::player::{Stack, Story, Verdict, play};
use maintainer_tests::scenario::{Scenario, load};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: demo [--keep] [--speed N] [--state FILE --outputs FILE] SCENARIO…
  SCENARIO          a file, or the name of one in tests/scenarios (default: poisoned_cache)
  --keep            leave the local cloud running afterwards
  --speed N         virtual seconds per real second (default 120)
  --state FILE      use a running local cloud, by its state file …
  --outputs FILE    … with the product deployed to it, by the deployment's outputs";
/// Ten minutes pass in five seconds.
const SPEED: f64 = 120.0;
const DEFAULT_SCENARIO: &str = "poisoned_cache";

struct Arguments {
    keep: bool,
    speed: f64,
    state: Option<PathBuf>,
    outputs: Option<PathBuf>,
    scenarios: Vec<String>,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { keep: false, speed: SPEED, state: None, outputs: None, scenarios: Vec::new() };
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"));
        match word.as_str() {
            "--keep" => arguments.keep = true,
            "--state" => arguments.state = Some(value()?.into()),
            "--outputs" => arguments.outputs = Some(value()?.into()),
            "--speed" => {
                let text = value()?;
                let speed = text.parse().ok().filter(|speed: &f64| *speed > 0.0 && speed.is_finite());
                arguments.speed = speed.ok_or_else(|| format!("--speed must be a number above 0, not {text:?}"))?;
            }
            "--help" | "-h" => return Err(USAGE.to_owned()),
            flag if flag.starts_with('-') => return Err(format!("{flag} is not known\n{USAGE}")),
            _ => arguments.scenarios.push(word),
        }
    }
    if arguments.state.is_some() != arguments.outputs.is_some() {
        return Err(format!("--state and --outputs belong together\n{USAGE}"));
    }
    if arguments.scenarios.is_empty() {
        arguments.scenarios.push(DEFAULT_SCENARIO.to_owned());
    }
    Ok(arguments)
}

/// The file of a scenario, or of its name.
fn scenario_file(text: &str) -> PathBuf {
    let named = root().join("tests/scenarios").join(format!("{text}.yaml"));
    if !text.contains(['/', '.']) && named.exists() { named } else { PathBuf::from(text) }
}

async fn show(stack: &Stack, scenario: &Scenario, saved: &Path) -> Result<Verdict, Box<dyn Error>> {
    let width = if scenario.apps.len() > 1 { scenario.apps.keys().map(String::len).max().unwrap_or(0) } else { 0 };
    let mut story = Story::on_stdout(width);
    stack.configure([scenario]).await?;
    let verdict = play(stack, scenario, &mut story, saved).await?;
    story.heading("Read back from the cloud", "")?;
    for (app, finding) in &verdict.findings {
        story.check(app, finding.holds, &finding.text)?;
    }
    story.heading("The record", "")?;
    story.line("  <run>/story.txt        the whole story of a run, as the state machine `explain` tells it")?;
    for place in &verdict.saved {
        story.line(&format!("  {}", place.display()))?;
        story.line("    executions.jsonl   the runs, as in the table workflow_executions")?;
        story.line("    changes.jsonl      the journal of changes, as in the table changes")?;
        story
            .line("    <run>/<iteration>  snapshot, analysis, actions, after, validation, as in the artifact bucket")?;
    }
    Ok(verdict)
}

async fn demo(arguments: &Arguments, scenarios: &[Scenario]) -> Result<bool, Box<dyn Error>> {
    let home = root().join(".local/demo");
    let (own, stack) = match (&arguments.state, &arguments.outputs) {
        (Some(state), Some(outputs)) => (None, Stack::from_files(state, outputs)?),
        _ => {
            let cloud = LocalCloud::start(&home, arguments.speed, None, scenarios)?;
            let stack = cloud.stack.clone();
            (Some(cloud), stack)
        }
    };
    let mut story = Story::on_stdout(0);
    let mut all_hold = true;
    for scenario in scenarios {
        let verdict = show(&stack, scenario, &home.join("records")).await?;
        all_hold &= verdict.holds();
        let end = if verdict.holds() {
            "Everything that was expected holds."
        } else {
            "Not everything that was expected holds:"
        };
        story.heading(end, "")?;
        for failure in verdict.failures() {
            story.line(&format!("  {failure}"))?;
        }
    }
    if let (true, Some(cloud)) = (arguments.keep, own) {
        let endpoint = cloud.stack.cloud.state.endpoint.clone();
        let outputs = cloud.stack.outputs.clone();
        if let Some(pid) = cloud.keep() {
            story.line(&format!("The local cloud runs on at {endpoint}; end it with: kill {pid}"))?;
            story.line("Look at it with any AWS tool, for example:")?;
            story.line(&format!(
                "  aws --endpoint-url {endpoint} dynamodb scan --table-name {}",
                outputs.executions_table
            ))?;
            story.line(&format!(
                "  aws --endpoint-url {endpoint} s3 ls --recursive s3://{}/runs/",
                outputs.artifact_bucket
            ))?;
        }
    }
    Ok(all_hold)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let played = async {
        let arguments = arguments(std::env::args().skip(1))?;
        let files = arguments.scenarios.iter().map(|text| load(&scenario_file(text)));
        // All files are read before anything is started: a typo is told at once.
        let scenarios = files.collect::<Result<Vec<_>, _>>()?;
        demo(&arguments, &scenarios).await
    };
    match played.await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let mut story = Story::into(Box::new(std::io::stderr()), 0);
            story.line(&format!("demo: {error}")).ok();
            ExitCode::from(2)
        }
    }
}
