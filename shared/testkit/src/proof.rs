//! How many faults a test has injected and survived, for the table that CI prints (`tests/src/promises.rs`).

use std::path::Path;
use std::time::Instant;

/// A count that a test makes.
pub struct Proof {
    name: &'static str,
    begun: Instant,
}

impl Proof {
    /// Begins counting under this name.
    pub fn begin(name: &'static str) -> Self {
        Self { name, begun: Instant::now() }
    }

    /// Writes down how much was injected and survived, and in what time. Says it, too.
    pub fn survived(self, count: usize) {
        let seconds = self.begun.elapsed().as_secs_f64();
        println!("{}: {count} injected and survived in {seconds:.1} s", self.name);
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/proof");
        std::fs::create_dir_all(&directory).unwrap();
        let text = format!("{{\"injected\": {count}, \"seconds\": {seconds:.3}}}\n");
        std::fs::write(directory.join(format!("{}.json", self.name)), text).unwrap();
    }
}
