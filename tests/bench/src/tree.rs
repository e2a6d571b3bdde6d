//! A tree of its own for packaging and deploying the release binaries, so that a measurement leaves what `make run` and
//! the tests deploy as it is.

use crate::place::Place;
use crate::report::Failure;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tree, with the release binaries packaged in it.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Its root: laid out as the checkout.
    pub root: PathBuf,
}

impl Tree {
    /// Lays it out anew and packages the release binaries of the template's functions.
    ///
    /// # Errors
    /// When a file can't be put in place, or the script fails.
    pub fn package(place: &Place) -> Result<Self, Failure> {
        let tree = Self { root: place.scratch.join("tree") };
        tree.lay_out(place).map_err(|error| format!("{}: {error}", tree.root.display()))?;
        run(Command::new(tree.root.join("scripts/package")).arg("release").env_remove("CARGO_TARGET_DIR"))?;
        Ok(tree)
    }

    fn lay_out(&self, place: &Place) -> io::Result<()> {
        let (from, to) = (&place.root, &self.root);
        match fs::remove_dir_all(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for directory in ["scripts", "infra/statemachines", "target"] {
            fs::create_dir_all(to.join(directory))?;
        }
        // Copies where a script asks for its own place or a path goes up from a file; links elsewhere.
        let scripts = ["scripts/package", "scripts/blank-unwinding", "scripts/deploy-local", "scripts/local-cloud"];
        for file in scripts.into_iter().chain(["infra/template.yaml"]) {
            fs::copy(from.join(file), to.join(file))?;
        }
        for file in fs::read_dir(from.join("infra/statemachines"))? {
            let file = file?;
            fs::copy(file.path(), to.join("infra/statemachines").join(file.file_name()))?;
        }
        for (link, target) in [(".tools", from.join(".tools")), ("tests", from.join("tests"))] {
            symlink(target, to.join(link))?;
        }
        symlink(&place.binaries, to.join("target/release"))
    }

    /// A packaged function.
    pub fn zip(&self, binary: &str) -> PathBuf {
        self.root.join("target/lambda").join(format!("{binary}.zip"))
    }

    /// A packaged function before it was zipped.
    pub fn bootstrap(&self, binary: &str) -> PathBuf {
        self.root.join("target/lambda").join(binary).join("bootstrap")
    }
}

/// Runs a command to its end; gives what it printed.
///
/// # Errors
/// When it can't be started or fails, with what it said.
pub fn run(command: &mut Command) -> Result<String, Failure> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command.output().map_err(|error| format!("{name} can't be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
