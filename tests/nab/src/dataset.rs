//! Reads series and labelled windows in the layout of the Numenta Anomaly Benchmark.
//!
//! `DIR/data/<category>/<series>.csv` with the columns timestamp and value, and `DIR/labels.json` (optional): series →
//! list of `[start, end]`. Times are UTC; fractions of a second are dropped on both sides, so they always match.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// One series with its labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// Path under `data/`, `category/series.csv`.
    pub(crate) name: String,
    /// Timestamps as written in the file.
    pub(crate) stamps: Vec<String>,
    /// The same in seconds since 1970.
    pub(crate) times_s: Vec<i64>,
    /// NaN where the file has no number.
    pub(crate) values: Vec<f64>,
    /// First and last index of each labelled window, inclusive.
    pub(crate) windows: Vec<(usize, usize)>,
}

impl Series {
    /// The directory the series lies in.
    pub(crate) fn category(&self) -> &str {
        self.name.split_once('/').map_or("", |(category, _)| category)
    }
}

/// All series under `dir`, by name, and whether labels were found.
pub(crate) fn load(dir: &Path) -> Result<(Vec<Series>, bool), String> {
    let labels_path = dir.join("labels.json");
    let mut labels = labels_path.exists().then(|| read_labels(&labels_path)).transpose()?;
    let labelled = labels.is_some();
    let mut all = Vec::new();
    for path in csv_files(&dir.join("data"))? {
        let name = relative(&path, &dir.join("data"));
        let windows = match &mut labels {
            None => Vec::new(),
            Some(labels) => match labels.remove(&name) {
                Some(windows) => windows,
                // The labels say which series belong to the set.
                None => continue,
            },
        };
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        all.push(parse(name, &text, &windows).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    if let Some(name) = labels.and_then(|rest| rest.into_keys().min()) {
        return Err(format!("{}: names {name}, which is not under data/", labels_path.display()));
    }
    if all.is_empty() {
        return Err(format!("{}: no series found", dir.join("data").display()));
    }
    Ok((all, labelled))
}

type Windows = Vec<(String, String)>;

fn read_labels(path: &Path) -> Result<HashMap<String, Windows>, String> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn csv_files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| format!("{}: {e}", dir.display()))?.path();
        if path.is_dir() {
            found.extend(csv_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "csv") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn relative(path: &Path, base: &Path) -> String {
    let parts = path.strip_prefix(base).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

fn parse(name: String, text: &str, windows: &[(String, String)]) -> Result<Series, String> {
    let mut series = Series { name, stamps: Vec::new(), times_s: Vec::new(), values: Vec::new(), windows: Vec::new() };
    for (line, number) in text.lines().zip(1..).skip(1).filter(|(line, _)| !line.trim().is_empty()) {
        let (stamp, rest) = line.split_once(',').ok_or_else(|| format!("line {number}: expected timestamp,value"))?;
        let value = rest.split(',').next().unwrap_or_default().trim();
        series.times_s.push(seconds(stamp).map_err(|e| format!("line {number}: {e}"))?);
        series.stamps.push(stamp.to_owned());
        series.values.push(value.parse().unwrap_or(f64::NAN));
    }
    // A time that occurs twice stands for its last row, as in the reference scorer.
    let index: HashMap<i64, usize> = series.times_s.iter().copied().zip(0..).collect();
    for (start, end) in windows {
        let at = |stamp: &str| {
            index.get(&seconds(stamp)?).copied().ok_or_else(|| format!("label {stamp} is not a time of the series"))
        };
        series.windows.push((at(start)?, at(end)?));
    }
    series.windows.sort_unstable();
    Ok(series)
}

fn seconds(stamp: &str) -> Result<i64, String> {
    let whole = stamp.trim().split('.').next().unwrap_or_default();
    let time: DateTime = whole.parse().map_err(|e| format!("{stamp:?}: {e}"))?;
    Ok(TimeZone::UTC.to_timestamp(time).map_err(|e| format!("{stamp:?}: {e}"))?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "timestamp,value\n2014-04-01 00:00:00,1.5\n2014-04-01 00:05:00.000000,\n2014-04-01 00:10:00,3\n";

    #[test]
    fn windows_match_rows_with_and_without_fractions_of_a_second() {
        let label = [("2014-04-01 00:05:00".to_owned(), "2014-04-01 00:10:00.000000".to_owned())];
        let series = parse("a/b.csv".to_owned(), CSV, &label).unwrap();
        assert_eq!(series.windows, [(1, 2)]);
        assert_eq!(series.times_s[1] - series.times_s[0], 300);
        assert!(series.values[1].is_nan());
        assert_eq!(series.category(), "a");
    }

    #[test]
    fn says_which_line_or_label_is_wrong() {
        let label = [("2015-01-01 00:00:00".to_owned(), "2015-01-01 00:00:00".to_owned())];
        let error = parse("a/b.csv".to_owned(), CSV, &label).unwrap_err();
        assert_eq!(error, "label 2015-01-01 00:00:00 is not a time of the series");
        let error = parse("a/b.csv".to_owned(), "timestamp,value\nyesterday,1\n", &[]).unwrap_err();
        assert!(error.starts_with("line 2: \"yesterday\""), "{error}");
    }
}
