//! How figures are told: one JSON object per figure on stdout, explanations on stderr.

use serde_json::{Value, json};
use std::io::Write as _;

/// Why a figure could not be measured, in one sentence.
pub type Failure = String;

/// Tells one figure.
///
/// # Errors
/// When nobody reads stdout.
pub fn figure(name: &str, value: f64, unit: &str, context: Value) -> Result<(), Failure> {
    // Four significant digits: no figure here is steadier than that.
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    let line = json!({"figure": name, "value": rounded, "unit": unit, "context": context});
    writeln!(std::io::stdout(), "{line}").map_err(|error| format!("stdout: {error}"))
}

/// A line for people. If stderr is gone, there is nobody to tell.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The middle one of some values; of an even number the mean of the two in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => f64::NAN,
        (length, middle) if length % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The least of some values: the least disturbed run says most about the code.
pub fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert!((median(&[9.0, 1.0, 2.0]) - 2.0).abs() < 1e-12);
        assert!((median(&[4.0, 1.0, 2.0, 100.0]) - 3.0).abs() < 1e-12);
        assert!(median(&[]).is_nan());
    }
}
