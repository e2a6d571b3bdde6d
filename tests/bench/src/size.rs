//! Size of each function as it is uploaded.

use crate::report::{Failure, figure, say};
use crate::template::Template;
use crate::tree::Tree;
use serde_json::json;
use std::path::Path;

/// Measures the zip of each function.
///
/// # Errors
/// When one was not packaged.
pub fn measure(tree: &Tree, template: &Template) -> Result<(), Failure> {
    say("size of each function, zipped (and not):");
    for function in &template.functions {
        let binary = &function.binary;
        let (zip_mb, bare_mb) = (megabytes(&tree.zip(binary))?, megabytes(&tree.bootstrap(binary))?);
        say(&format!("  {binary:20} {zip_mb:5.2} MB ({bare_mb:.2})"));
        figure("zipped_size", zip_mb, "MB", json!({"function": binary, "aim": 4, "unzipped": bare_mb}))?;
    }
    Ok(())
}

fn megabytes(path: &Path) -> Result<f64, Failure> {
    let bytes = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    Ok(bytes as f64 / 1e6)
}
