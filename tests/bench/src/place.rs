//! Where things lie: the checkout, and the release binaries beside this one.

use crate::report::Failure;
use std::path::{Path, PathBuf};

/// The checkout and its binaries.
#[derive(Clone, Debug)]
pub struct Place {
    /// Root of the checkout.
    pub root: PathBuf,
    /// Directory of the binaries, those of this program.
    pub binaries: PathBuf,
    /// Directory for files of a measurement; made anew by whoever uses it.
    pub scratch: PathBuf,
}

impl Place {
    /// The checkout that this program was built from.
    ///
    /// # Errors
    /// When the program can't tell where it lies.
    pub fn find() -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| format!("this program can't be found: {error}"))?;
        let directory = program.parent().unwrap_or(Path::new("."));
        // The program of a test lies one level deeper than the binaries.
        let binaries = directory.parent().filter(|_| directory.ends_with("deps")).unwrap_or(directory).to_path_buf();
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.ancestors().nth(2).unwrap_or(package).to_path_buf();
        Ok(Self { scratch: root.join(".local/bench"), root, binaries })
    }

    /// A binary that was built beside this one.
    ///
    /// # Errors
    /// When it was not.
    pub fn binary(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.binaries.join(name);
        if path.exists() { Ok(path) } else { Err(format!("{} is not there: run `make bench`", path.display())) }
    }
}
