//! Every scenario of `tests/scenarios`, played against the deployed product in one local cloud, several at a time, each
//! with applications of its own. A scenario that kills a step, or storms, has the cloud to itself.
//!
//! `cargo test --workspace --test e2e -- [NAME…] [--skip NAME…] [--list]` plays those whose name contains one of the words
//! before `--skip`, all without any, but none whose name contains one of those after it.
//! `MAINTAINER_E2E_AT_ONCE` sets how many at a time, `MAINTAINER_E2E_SPEED` how fast time runs. With
//! `MAINTAINER_E2E_FAULTS=rate,seed`, for example `0.1,7`, that share of all calls of the functions goes wrong
//! (`tests/localcloud/faults.py`), and every scenario must end in the same state nevertheless.

#![allow(clippy::print_stdout, reason = "a test speaks on standard output, and nothing captures it here")]

#[path = "e2e/duplicates.rs"]
mod duplicates;
#[path = "e2e/survey.rs"]
mod survey;

use aws_sdk_sfn::error::DisplayErrorContext;
use domain::execution::Cycle;
use futures::stream::{self, StreamExt};
use maintainer_tests::local::{LocalCloud, root};
use maintainer_tests::permissions;
use maintainer_tests::player::{Stack, Story, play};
use maintainer_tests::replay;
use maintainer_tests::savings;
use maintainer_tests::scenario::{Scenario, Trigger, load};
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use testkit::Proof;
use testkit::postgres::free_port;

/// Virtual seconds per real second: slow enough that a step takes minutes, not quarters of an hour, on two busy cores.
const SPEED: f64 = 60.0;
/// The scenario in which the cost cycle changes something.
const SAVING: &str = "dear_disks";
/// The scenario for which another account lets the maintainer in.
const ELSEWHERE: &str = "another_account";
/// By how much longer a scenario may take for each share of calls that go wrong: three times with 20 %.
const LONGER_BY: f64 = 10.0;
/// Minutes after which what happens is not meant to happen during the first run.
const RUN_MIN: f64 = 60.0;
/// Scenarios at a time.
const AT_ONCE: usize = 6;

struct Played {
    name: String,
    failures: Vec<String>,
    story: PathBuf,
}

fn test_name(scenario: &Scenario) -> String {
    format!("scenario_{}_ends_as_its_file_says", scenario.name)
}

fn number(variable: &str) -> Option<f64> {
    std::env::var_os(variable)?.to_str()?.parse().ok().filter(|number: &f64| *number > 0.0)
}

/// The scenarios whose test has one of these words in its name, all without words, but none of those that are skipped.
fn chosen(words: &[String], skipped: &[String]) -> Result<Vec<Scenario>, Box<dyn Error>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("tests/scenarios"))?
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    let scenarios = files.iter().map(|file| load(file)).collect::<Result<Vec<_>, _>>()?;
    let is_named = |scenario: &Scenario, words: &[String]| words.iter().any(|word| test_name(scenario).contains(word));
    let wanted = |scenario: &Scenario| (words.is_empty() || is_named(scenario, words)) && !is_named(scenario, skipped);
    let chosen = scenarios.into_iter().filter(wanted).enumerate();
    Ok(chosen.map(|(index, scenario)| scenario.with_suffix(&format!("s{index}")).with_ports(free_port)).collect())
}

/// The share of calls that goes wrong.
fn rate(faults: Option<&str>) -> f64 {
    faults.and_then(|faults| faults.split(',').next()?.parse::<f64>().ok()).unwrap_or(0.0)
}

/// A call that is tried again takes seconds, which are as many minutes of this time: with faults everything may take longer, and
/// what happens once a run is over happens as much later.
fn with_time(scenarios: Vec<Scenario>, rate: f64) -> Vec<Scenario> {
    let factor = 1.0 + LONGER_BY * rate;
    let longer = |mut scenario: Scenario| {
        scenario.time_limit_min *= factor;
        let mut later_min = 0.0_f64;
        for event in scenario.apps.values_mut().flat_map(|app| &mut app.events) {
            if event.at_min > RUN_MIN {
                let moved_min = event.at_min * (factor - 1.0);
                event.at_min += moved_min;
                later_min = later_min.max(moved_min);
            }
        }
        // What a person orders after the first run belongs to what happens then.
        if let Some(rollback) = &mut scenario.rollback {
            rollback.after_min += later_min;
        }
        scenario
    };
    scenarios.into_iter().map(longer).collect()
}

async fn play_one(stack: &Stack, scenario: &Scenario, directory: &Path) -> Played {
    let story = directory.join(format!("{}.txt", scenario.name));
    let width = scenario.apps.keys().map(String::len).max().unwrap_or(0);
    let failures = match File::create(&story) {
        Err(error) => vec![error.to_string()],
        Ok(page) => {
            match play(stack, scenario, &mut Story::into(Box::new(page), width), &directory.join("records")).await {
                Ok(verdict) => verdict.failures(),
                Err(error) => vec![error.to_string()],
            }
        }
    };
    let word = if failures.is_empty() { "ok" } else { "FAILED" };
    println!("test {} ... {word}", test_name(scenario));
    Played { name: test_name(scenario), failures, story }
}

/// A step that is killed, and the kill switch, serve all others too; and the local cloud delivers events four at a time, so that behind a storm
/// the alarms of others would wait for minutes, as they do not on AWS. A run of the cost cycle reads for seconds, which are
/// minutes of this time: beside five others its plan would be too old to be carried out.
fn has_it_alone(scenario: &Scenario) -> bool {
    let reads_long = matches!(scenario.trigger, Trigger::Manual { cycle: Cycle::Cost | Cycle::Performance, .. });
    let all_feel_it = scenario.kill.is_some() || scenario.kill_switch.is_some();
    all_feel_it || reads_long || scenario.apps.values().any(|app| app.storm_alarms() > 0)
}

/// The schedule's round looks at all applications, so there must be no others yet.
fn comes_first(scenario: &Scenario) -> bool {
    matches!(scenario.trigger, Trigger::Schedule { .. })
}

async fn play_all(
    stack: &Stack,
    scenarios: &[Scenario],
    at_once: usize,
    directory: &Path,
) -> Result<Vec<Played>, Box<dyn Error>> {
    let at_once = number("MAINTAINER_E2E_AT_ONCE").map_or(at_once, |number| number as usize);
    let (first, others): (Vec<&Scenario>, Vec<&Scenario>) = scenarios.iter().partition(|one| comes_first(one));
    let (alone, together): (Vec<&Scenario>, Vec<&Scenario>) = others.into_iter().partition(|one| has_it_alone(one));
    let mut played = Vec::new();
    for scenario in first {
        let proof = Proof::begin("missed-events");
        stack.configure([scenario]).await?;
        let one = play_one(stack, scenario, directory).await;
        if one.failures.is_empty() {
            // Every application whose alarms reached nobody was found by the round.
            proof.survived(scenario.apps.len());
        }
        played.push(one);
    }
    stack.configure(scenarios).await?;
    let together = stream::iter(together).map(|scenario| play_one(stack, scenario, directory));
    played.extend(together.buffer_unordered(at_once).collect::<Vec<_>>().await);
    for scenario in alone {
        played.push(play_one(stack, scenario, directory).await);
    }
    Ok(played)
}

/// Signing key, task tokens and credentials stand in nothing that was written.
fn leaks(cloud: &LocalCloud, directory: &Path) -> Played {
    let (said, failures) = match cloud.leaks(directory) {
        Ok(read) => (read, Vec::new()),
        Err(places) => (places.clone(), vec![places]),
    };
    let word = if failures.is_empty() { "ok" } else { "FAILED" };
    println!("{said}\ntest no_secret_is_written ... {word}");
    Played { name: "no_secret_is_written".to_owned(), failures, story: directory.join("leaks.txt") }
}

/// Leaves what the functions have called for `promises least-privilege`, which looks at several runs together.
fn note_permissions(cloud: &LocalCloud, faults: Option<&str>) -> Result<String, Box<dyn Error>> {
    let directory = root().join(permissions::DIRECTORY);
    std::fs::create_dir_all(&directory)?;
    let name = faults.map_or("sound".to_owned(), |faults| format!("faults-{}", faults.replace(['.', ','], "-")));
    let seen = cloud.permissions()?;
    std::fs::write(directory.join(format!("{name}.json")), &seen)?;
    Ok(format!("{} functions and roles", serde_json::from_str::<permissions::Sightings>(&seen)?.len()))
}

/// What is examined in the same cloud beside the scenarios: its name, and what it said.
fn examined(name: &str, outcome: Result<String, String>, directory: &Path) -> Played {
    let (said, failures) = match outcome {
        Ok(said) => (said, Vec::new()),
        Err(why) => (String::new(), vec![why]),
    };
    let word = if failures.is_empty() { "ok" } else { "FAILED" };
    println!("{}\ntest {name} ... {word}", said.trim());
    Played { name: name.to_owned(), failures, story: directory.join(format!("{name}.txt")) }
}

fn has(scenarios: &[Scenario], name: &str) -> bool {
    scenarios.iter().any(|scenario| scenario.name == name)
}

/// What holds the product to promises that no scenario shows.
async fn examine(stack: &Stack, directory: &Path, scenarios: &[Scenario], is_sound: bool) -> Vec<Played> {
    let replayed = replay::examine(stack).await;
    let duplicates = duplicates::examine(stack).await.map_err(|error| DisplayErrorContext(&*error).to_string());
    let mut examined_all = vec![
        examined("what_was_parked_is_sent_again_by_a_command", replayed, directory),
        examined("a_thousand_duplicates_in_the_cloud_start_one_execution", duplicates, directory),
    ];
    if has(scenarios, SAVING) {
        examined_all.push(examined("what_was_saved_is_told_by_a_command", savings::examine(stack), directory));
    }
    if has(scenarios, ELSEWHERE) {
        let surveyed = survey::examine(stack, is_sound).await.map_err(|error| DisplayErrorContext(&*error).to_string());
        examined_all.push(examined("other_accounts_are_looked_through_and_told_of_at_once", surveyed, directory));
    }
    examined_all
}

fn report(played: &[Played], began: Instant) -> ExitCode {
    let failed: Vec<&Played> = played.iter().filter(|one| !one.failures.is_empty()).collect();
    if !failed.is_empty() {
        println!("\nfailures:\n");
    }
    for one in &failed {
        println!("---- {} ----", one.name);
        for failure in &one.failures {
            println!("{failure}");
        }
        println!("the story, {}:", one.story.display());
        println!("{}", std::fs::read_to_string(&one.story).unwrap_or_default());
    }
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {} failed; 0 ignored; 0 measured; 0 filtered out; finished in {:.2}s\n",
        played.len() - failed.len(),
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names = |arguments: &[String]| -> Vec<String> {
        arguments.iter().filter(|word| !word.starts_with('-')).cloned().collect()
    };
    let skips_from = arguments.iter().position(|word| word == "--skip").unwrap_or(arguments.len());
    let (words, skipped) = arguments.split_at(skips_from);
    let scenarios = chosen(&names(words), &names(skipped))?;
    if arguments.iter().any(|word| word == "--list") {
        for scenario in &scenarios {
            println!("{}: test", test_name(scenario));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let besides = usize::from(!scenarios.is_empty())
        * (5 + usize::from(has(&scenarios, SAVING)) + usize::from(has(&scenarios, ELSEWHERE)));
    println!("\nrunning {} tests", scenarios.len() + besides);
    if scenarios.is_empty() {
        return Ok(report(&[], Instant::now()));
    }
    let began = Instant::now();
    let directory = root().join(".local/e2e");
    let faults = std::env::var_os("MAINTAINER_E2E_FAULTS").and_then(|faults| faults.into_string().ok());
    let faults = faults.filter(|faults| !faults.is_empty());
    if let Some(faults) = &faults {
        println!("under faults: MAINTAINER_E2E_FAULTS={faults}");
    }
    let scenarios = with_time(scenarios, rate(faults.as_deref()));
    let speed = number("MAINTAINER_E2E_SPEED").unwrap_or(SPEED);
    let cloud = LocalCloud::start(&directory, speed, faults.as_deref(), &scenarios)?;
    // Repetitions keep the cloud busy, and on a busy one seconds become minutes.
    let at_once = if rate(faults.as_deref()) < 0.1 { AT_ONCE } else { AT_ONCE / 2 };
    let mut played = play_all(&cloud.stack, &scenarios, at_once, &directory).await?;
    played.extend(examine(&cloud.stack, &directory, &scenarios, faults.is_none()).await);
    played.push(examined("a_role_that_may_do_anything_stays_within_its_boundary", cloud.boundary(), &directory));
    played.push(leaks(&cloud, &directory));
    if faults.is_some() {
        println!("{}", cloud.faults()?);
    }
    let noted = note_permissions(&cloud, faults.as_deref()).map_err(|error| error.to_string());
    played.push(examined("what_the_functions_have_called_is_noted", noted, &directory));
    Ok(report(&played, began))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run().await.unwrap_or_else(|error| {
        println!("e2e: {error}");
        ExitCode::FAILURE
    })
}
