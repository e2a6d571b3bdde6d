//! What the maintainer promises to those who let it touch production, and what holds it to each promise.
//!
//! A contract compares the names here with the tests that are there; `make test` prints the table after all of them have
//! passed, with the numbers that they have written down in `target/proof`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

mod list;

pub use list::PROMISES;

/// A promise.
pub struct Promise {
    /// `P1` and so on.
    pub id: &'static str,
    /// The promise, short.
    pub text: &'static str,
    /// Tests by the name of their function, and scenarios by the name of their file, that hold it.
    pub held_by: &'static [&'static str],
    /// Counts that these tests write down.
    pub counts: &'static [&'static str],
    /// What of it is not shown yet; empty for nothing.
    pub open: &'static str,
}

/// What a test has written down.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Count {
    /// Faults injected and survived, or runs.
    pub injected: u64,
    /// Seconds that took.
    pub seconds: f64,
}

/// All counts of the last run of the tests, by name.
pub fn counts(directory: &Path) -> BTreeMap<String, Count> {
    let files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let count = |path: std::path::PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        Some((name, serde_json::from_str(&std::fs::read_to_string(&path).ok()?).ok()?))
    };
    files.filter_map(|file| count(file.path())).collect()
}

/// Counts of what was looked at, not of what went wrong: names that were read back as statements, minutes, texts, deliveries, permissions.
const NO_FAULTS: [&str; 8] = [
    "missed-events",
    "least-privilege",
    "sql-names",
    "duplicates",
    "alarm-storm",
    "sawtooth-minutes",
    "canaries",
    "hostile-texts",
];

/// The table, one promise a row.
pub fn table(counts: &BTreeMap<String, Count>) -> String {
    let width = PROMISES.iter().map(|promise| promise.text.chars().count()).max().unwrap_or(0);
    let mut table = format!("{:<4} {:<width$}  {:>5}  {:>8}  not shown yet\n", "", "promise", "tests", "figure");
    for promise in &PROMISES {
        let injected: u64 =
            promise.counts.iter().filter_map(|name| counts.get(*name)).map(|count| count.injected).sum();
        let injected = if injected == 0 { String::new() } else { injected.to_string() };
        let row = format!(
            "{:<4} {:<width$}  {:>5}  {injected:>8}  {}",
            promise.id,
            promise.text,
            promise.held_by.len(),
            promise.open
        );
        table.push_str(row.trim_end());
        table.push('\n');
    }
    let counted = counts.iter().filter(|(name, _)| !NO_FAULTS.contains(&name.as_str())).map(|(_, count)| count);
    let (all, seconds) = counted.fold((0, 0.0), |sum, count| (sum.0 + count.injected, sum.1 + count.seconds));
    let rate = if seconds > 0.0 { f64::from(u32::try_from(all).unwrap_or(u32::MAX)) / seconds } else { 0.0 };
    table.push_str(&format!("\n{all} faults and simulated runs in memory, all survived, {rate:.0} a second\n"));
    for (name, count) in counts {
        table.push_str(&format!("  {name:<26} {:>7} in {:.1} s\n", count.injected, count.seconds));
    }
    table
}
