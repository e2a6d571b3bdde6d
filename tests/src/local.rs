//! Starts a local cloud of one's own and deploys the product's template to it, with the scripts that people use too.

use crate::player::{Stack, StackError};
use crate::scenario::{AppScenario, Home, Scenario};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thiserror::Error;

/// A running local cloud. It ends when this goes out of scope.
#[derive(Debug)]
pub struct Launcher {
    child: Child,
    state: PathBuf,
    directory: PathBuf,
}

/// A local cloud with the deployed product. It ends when this goes out of scope, unless it is kept.
#[derive(Debug)]
pub struct LocalCloud {
    launcher: Option<Launcher>,
    /// The deployed product.
    pub stack: Stack,
}

/// Why there is no local cloud.
#[derive(Debug, Error)]
pub enum LocalError {
    /// Something that `make setup` or `make build` brings is missing.
    #[error("{what} is missing: run `make setup` and `make build` first")]
    NotSetUp {
        /// The missing file.
        what: String,
    },
    /// The launcher does not come up.
    #[error("the local cloud did not come up: {why}; its log is {log}")]
    NoStart {
        /// What was seen.
        why: String,
        /// Where to look.
        log: String,
    },
    /// The deployment failed.
    #[error("the deployment to the local cloud failed: {why}")]
    NoDeployment {
        /// What it said.
        why: String,
    },
    /// The deployed stack can't be used.
    #[error(transparent)]
    Stack(#[from] StackError),
}

/// Real time that the launcher may take.
const START_MAX: Duration = Duration::from_secs(60);
/// Real time that it may take to end.
const END_MAX: Duration = Duration::from_secs(10);

/// The checkout that this package is part of.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}

impl Launcher {
    /// Starts a cloud whose time runs `speed` times as fast as ours. With `faults` (`rate,seed`) that share of the
    /// functions' calls goes wrong. Its files go into a directory of their own below
    /// `home`, so that several can run at once; its log stays in `home` when it ends.
    ///
    /// # Errors
    /// When the tools are not set up, or the cloud does not come up.
    pub fn start(home: &Path, speed: f64, faults: Option<&str>) -> Result<Self, LocalError> {
        let root = root();
        need(&root, &[".tools/ministack/bin/python", "scripts/local-cloud"])?;
        let directory = home.join(format!("cloud-{}", std::process::id()));
        let log = directory.join("cloud.log");
        let no_start = |why: String| LocalError::NoStart { why, log: home.join("cloud.log").display().to_string() };
        fs::remove_dir_all(&directory).ok();
        fs::create_dir_all(&directory).map_err(|error| no_start(error.to_string()))?;
        let state = directory.join("state.json");
        let errors = File::create(directory.join("cloud.err")).map_err(|error| no_start(error.to_string()))?;
        let child = Command::new(root.join("scripts/local-cloud"))
            .arg("--state")
            .arg(&state)
            .arg("--log")
            .arg(&log)
            .args(["--speed", &speed.to_string()])
            // Policies are enforced as in an account: a permission that is missing from the template fails here.
            .arg("--auth")
            .args(faults.iter().flat_map(|faults| ["--faults", faults]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .map_err(|error| no_start(error.to_string()))?;
        let mut launcher = Self { child, state, directory };
        let begun = Instant::now();
        while !launcher.state.exists() {
            let ended = launcher.child.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > START_MAX {
                let said = fs::read_to_string(launcher.directory.join("cloud.err")).unwrap_or_default();
                let how = ended.map_or("no state file in time".to_owned(), |status| status.to_string());
                return Err(no_start(format!("{how} {}", said.trim())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(launcher)
    }

    /// The file that says where it is.
    pub fn state_file(&self) -> &Path {
        &self.state
    }
}

impl LocalCloud {
    /// Starts a cloud as [`Launcher::start`] and deploys to it, and to the places in which applications of these scenarios
    /// live what the maintainer needs there.
    ///
    /// # Errors
    /// When the tools are not set up, or the cloud or the deployment fails.
    pub fn start(
        directory: &Path,
        speed: f64,
        faults: Option<&str>,
        scenarios: &[Scenario],
    ) -> Result<Self, LocalError> {
        let root = root();
        need(&root, &["scripts/deploy-local", "target/lambda"])?;
        let launcher = Launcher::start(directory, speed, faults)?;
        let outputs = launcher.directory.join("outputs.json");
        let open = scenarios.iter().flat_map(|scenario| scenario.apps.values()).filter(|app| !app.closed);
        let homes = open.map(AppScenario::home);
        let elsewhere: BTreeSet<Home<'_>> = homes.filter(|home| *home != (None, None)).collect();
        deploy(&root, &launcher.state, &outputs, &elsewhere)?;
        let stack = Stack::from_files(&launcher.state, &outputs)?;
        Ok(Self { launcher: Some(launcher), stack })
    }

    /// Looks for this cloud's secrets in everything that was written in it and in the files of a directory. Gives what was
    /// read, or where a secret was found.
    ///
    /// # Errors
    /// The places, one a line; or why they could not be looked for.
    pub fn leaks(&self, directory: &Path) -> Result<String, String> {
        self.ask("localcloud.leaks", &[self.outputs()?, directory.to_path_buf()])
    }

    /// How many calls of the functions were seen so far, and which faults were injected into them, in words.
    ///
    /// # Errors
    /// When that can't be read, or the cloud has no faults.
    pub fn faults(&self) -> Result<String, String> {
        self.ask("localcloud.faults", &[])
    }

    /// Tries what no role may do, and says how much was refused.
    ///
    /// # Errors
    /// What was not refused, or refused wrongly, a line each.
    pub fn boundary(&self) -> Result<String, String> {
        self.ask("localcloud.boundary", &[self.outputs()?])
    }

    /// The file with the outputs of the stack.
    fn outputs(&self) -> Result<PathBuf, String> {
        Ok(self.launcher.as_ref().ok_or("the cloud has ended")?.directory.join("outputs.json"))
    }

    /// What a module of the local cloud prints about it; as an error, when it ends with one.
    fn ask(&self, module: &str, arguments: &[PathBuf]) -> Result<String, String> {
        let launcher = self.launcher.as_ref().ok_or("the cloud has ended")?;
        let mut asked = python(module);
        asked.arg(&launcher.state).args(arguments);
        let done = asked.output().map_err(|error| error.to_string())?;
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        if done.status.success() { Ok(said.trim().to_owned()) } else { Err(said.trim().to_owned()) }
    }

    /// What its functions may do and have done (see [`crate::permissions`]), as JSON.
    ///
    /// # Errors
    /// Why it can't be told.
    pub fn permissions(&self) -> Result<String, String> {
        self.ask("localcloud.permissions", &[])
    }

    /// Lets it run on after this goes out of scope; gives its process id.
    pub fn keep(mut self) -> Option<u32> {
        let launcher = self.launcher.take()?;
        let pid = launcher.child.id();
        // Forgotten on purpose: dropping it would end the cloud.
        std::mem::forget(launcher);
        Some(pid)
    }
}

/// A module of the local cloud.
fn python(module: &str) -> Command {
    let mut python = Command::new(root().join(".tools/ministack/bin/python"));
    python.args(["-m", module]).current_dir(root().join("tests"));
    python
}

fn need(root: &Path, files: &[&str]) -> Result<(), LocalError> {
    match files.iter().find(|file| !root.join(file).exists()) {
        Some(missing) => Err(LocalError::NotSetUp { what: (*missing).to_owned() }),
        None => Ok(()),
    }
}

fn deploy(root: &Path, state: &Path, outputs: &Path, elsewhere: &BTreeSet<Home<'_>>) -> Result<(), LocalError> {
    let failed = |why: String| LocalError::NoDeployment { why };
    let output = Command::new(root.join("scripts/deploy-local"))
        .arg(state)
        .arg("--outputs")
        .arg(outputs)
        .args(elsewhere.iter().map(|(account, region)| {
            format!("--member={}/{}", account.unwrap_or_default(), region.unwrap_or_default())
        }))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

impl Drop for Launcher {
    /// Asks the launcher to end, so that it ends its functions and removes its files.
    fn drop(&mut self) {
        Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status().ok();
        let begun = Instant::now();
        while self.child.try_wait().ok().flatten().is_none() {
            if begun.elapsed() > END_MAX {
                self.child.kill().ok();
                self.child.wait().ok();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(home) = self.directory.parent() {
            fs::rename(self.directory.join("cloud.log"), home.join("cloud.log")).ok();
        }
        fs::remove_dir_all(&self.directory).ok();
    }
}
