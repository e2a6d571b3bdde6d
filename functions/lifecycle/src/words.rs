//! How signals, their levels and counts are called before people, everywhere the same.

use domain::execution::Cycle;
use domain::{cost, health, performance, signals};

/// What a person calls a signal, and two levels of it, the second with the unit: `CPU`, `96.2`, `57.1 %`.
pub(crate) fn levels(signal: &str, before: f64, after: f64) -> (&str, String, String) {
    let (title, unit) = known_as(signal);
    let unit = if matches!(unit, "count" | "value" | "") { String::new() } else { format!(" {unit}") };
    (title, number(before), format!("{}{unit}", number(after)))
}

/// What a person calls a signal, published or derived, and its unit.
pub(crate) fn known_as(signal: &str) -> (&str, &'static str) {
    if signal == cost::WASTE {
        return ("waste", "USD a month");
    }
    if signal == performance::SIGNAL {
        return ("query time", "ms");
    }
    // Everything that is derived is a share in per cent.
    let derived = health::DERIVED.iter().find(|derived| derived.id == signal).map(|derived| (derived.title, "%"));
    let published = || signals::spec(signal).map(|spec| (spec.title, spec.unit));
    derived.or_else(published).unwrap_or((signal, ""))
}

/// What a cycle has found, in one clause; none where a health score says it.
pub(crate) fn about(cycle: Cycle) -> Option<&'static str> {
    match cycle {
        Cycle::Health => None,
        Cycle::Cost => Some("it costs more than it must"),
        Cycle::Performance => Some("its database queries are slow"),
    }
}

/// Title over what a cycle has found.
pub(crate) fn title(cycle: Cycle) -> &'static str {
    match cycle {
        Cycle::Health => "What is wrong",
        Cycle::Cost => "What could be saved",
        Cycle::Performance => "What is slow",
    }
}

/// Three figures are enough for a reader.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 1.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// `1 change`, `2 changes`.
pub fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
