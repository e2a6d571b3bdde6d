//! A local cloud with the release functions in it, whose AWS calls are counted.

use crate::calls::Calls;
use crate::place::Place;
use crate::report::Failure;
use crate::start::resident_mb;
use crate::template::Template;
use crate::tree::{Tree, run};
use maintainer_tests::player::{Stack, Story, play};
use maintainer_tests::scenario::load;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::postgres::free_port;

/// Virtual seconds per second.
pub const SPEED: f64 = 120.0;
/// Longest start of the cloud.
const START_MAX: Duration = Duration::from_secs(60);

/// A metric in the lines that functions logged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Logged {
    /// Name and dimensions.
    pub name: Vec<String>,
    /// How often it was written.
    pub times: u64,
    /// First time, in real epoch seconds.
    pub first_s: f64,
    /// Last time, in real epoch seconds.
    pub last_s: f64,
}

impl Logged {
    /// It has no dimension: all applications write the same metric.
    pub fn is_shared(&self) -> bool {
        self.name.len() == 1
    }
}

/// What the functions logged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Logs {
    /// Bytes that CloudWatch Logs charges.
    pub bytes: u64,
    /// Metrics.
    pub metrics: Vec<Logged>,
}

/// The cloud. It ends when this goes out of scope.
pub struct Cloud {
    child: Child,
    state: PathBuf,
    helper: PathBuf,
    python: PathBuf,
    /// The deployed product.
    pub stack: Stack,
    /// Calls of its functions.
    pub calls: Calls,
}

impl Cloud {
    /// Starts it, deploys to it, and puts a counter before each function.
    ///
    /// # Errors
    /// When the tools are not set up, or something does not start.
    pub fn start(place: &Place, tree: &Tree, template: &Template) -> Result<Self, Failure> {
        let home = place.scratch.join("cloud");
        fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        let (state, outputs) = (home.join("state.json"), home.join("outputs.json"));
        fs::remove_file(&state).ok();
        let mut child = Command::new(tree.root.join("scripts/local-cloud"))
            .args(["--speed", &SPEED.to_string(), "--log"])
            .arg(home.join("cloud.log"))
            .arg("--state")
            .arg(&state)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("the local cloud can't be started: {error}"))?;
        let came_up = wait_for(&state, &mut child);
        let deployed = came_up.and_then(|()| {
            run(Command::new(tree.root.join("scripts/deploy-local")).arg(&state).arg("--outputs").arg(&outputs))?;
            Stack::from_files(&state, &outputs).map_err(|error| error.to_string())
        });
        let stack = match deployed {
            Ok(stack) => stack,
            Err(why) => {
                end(&mut child);
                return Err(why);
            }
        };
        let helper = place.root.join("tests/bench/functions.py");
        let python = place.root.join(".tools/ministack/bin/python");
        let cloud = Self { child, state, helper, python, stack, calls: Calls::default() };
        cloud.count_calls(template)?;
        Ok(cloud)
    }

    fn count_calls(&self, template: &Template) -> Result<(), Failure> {
        let address = self.stack.cloud.state.endpoint.trim_start_matches("http://");
        let address = address.parse().map_err(|_| format!("{address} is no address"))?;
        let mut command = self.helper("point");
        for function in &template.functions {
            let proxy = self.calls.proxy(&function.binary, address)?;
            command.arg(format!("{}=http://{proxy}", function.binary));
        }
        run(&mut command).map(drop)
    }

    /// Plays a scenario to its end.
    ///
    /// # Errors
    /// When it does not end as its file says.
    pub async fn play(&self, place: &Place, name: &str) -> Result<(), Failure> {
        let path = place.root.join("tests/scenarios").join(format!("{name}.yaml"));
        let scenario = load(&path).map_err(|error| error.to_string())?.with_ports(free_port);
        self.stack.configure([&scenario]).await.map_err(|error| error.to_string())?;
        let mut story = Story::into(Box::new(std::io::sink()), 0);
        let verdict = play(&self.stack, &scenario, &mut story, &place.scratch.join("records")).await;
        match verdict.map_err(|error| error.to_string())?.failures() {
            failures if failures.is_empty() => Ok(()),
            failures => Err(format!("the run did not end as {name}.yaml says: {}", failures.join("; "))),
        }
    }

    /// What the functions have logged so far.
    ///
    /// # Errors
    /// When the logs can't be read.
    pub fn logs(&self) -> Result<Logs, Failure> {
        serde_json::from_str(&run(&mut self.helper("logs"))?)
            .map_err(|error| format!("the logs are not understood: {error}"))
    }

    fn helper(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.helper).arg(&self.state).arg(verb);
        command
    }

    /// Resident memory of the functions' processes that are there now, in MB by binary; the largest where several are.
    pub fn resident_mb(&self, template: &Template) -> BTreeMap<String, f64> {
        let mut found = BTreeMap::new();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path()) {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment);
            let value =
                |name: &str| environment.split('\0').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            // Only functions of this cloud: others may run on this machine.
            let ours = value("AWS_LAMBDA_RUNTIME_API").is_some()
                && value("MAINTAINER_CLOCK") == Some(&self.stack.cloud.state.clock);
            let Some(name) = value("AWS_LAMBDA_FUNCTION_NAME").filter(|_| ours) else { continue };
            let function = template.functions.iter().find(|function| name.ends_with(&function.binary));
            if let (Some(function), Ok(mb)) = (function, resident_mb(&process)) {
                let most: &mut f64 = found.entry(function.binary.clone()).or_default();
                *most = most.max(mb);
            }
        }
        found
    }
}

fn wait_for(state: &Path, child: &mut Child) -> Result<(), Failure> {
    let began = Instant::now();
    while !state.exists() {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("the local cloud ended at once, {status}: run `make setup`"));
        }
        if began.elapsed() > START_MAX {
            return Err("the local cloud did not come up within a minute".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Asks it to end, so that it ends its functions and removes its files.
fn end(child: &mut Child) {
    Command::new("kill").arg(child.id().to_string()).status().ok();
    child.wait().ok();
}

impl Drop for Cloud {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}
