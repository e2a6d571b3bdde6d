//! Bottlenecks: what of the database's time could be saved, against what it takes to save it.

use super::advisor::{Advised, Helped};
use super::policy::Policy;
use super::profile::Window;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

const HOUR_S: f64 = 3_600.0;
const MIB: f64 = 1_048_576.0;

/// An index that is worth building, with what it would bring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bottleneck {
    /// The database, by its name in the configuration.
    pub database: String,
    /// The index.
    pub advised: Advised,
    /// Milliseconds of the database that it would save in an hour.
    pub saves_ms_hour: f64,
    /// That as a share of all time spent in the database, in per cent.
    pub share_pct: f64,
    /// Mean time of the statements that it helps, each as often as it is asked, in milliseconds.
    pub before_ms: f64,
    /// The same as it is expected afterwards.
    pub after_ms: f64,
    /// Whether it is worth a change: one of its statements is slow, or they take much of the database's time.
    pub is_worth_it: bool,
}

/// What the advised indexes would bring, those that save the most first.
pub fn bottlenecks(database: &str, window: &Window, advised: &[Advised], policy: &Policy) -> Vec<Bottleneck> {
    let total_hour = window.total_ms() / window.seconds.max(1.0) * HOUR_S;
    let mut found: Vec<Bottleneck> = advised
        .iter()
        .filter_map(|advised| {
            let calls: f64 = advised.helps.iter().map(|help| help.calls_hour).sum();
            (calls > 0.0).then_some(())?;
            let before: f64 = advised.helps.iter().map(|help| help.calls_hour * help.mean_ms).sum();
            let after: f64 = advised.helps.iter().map(|help| help.calls_hour * help.expected_ms()).sum();
            let share_pct = if total_hour > 0.0 { 100.0 * before / total_hour } else { 0.0 };
            let enough = |help: &Helped| help.calls >= policy.calls_min;
            let is_slow = advised.helps.iter().any(|help| help.mean_ms > policy.slow_query_ms && enough(help));
            let saves = before - after;
            let is_heavy = share_pct > policy.heavy_query_pct
                && saves >= policy.saves_ms_hour_min
                && advised.helps.iter().any(enough);
            let gain_pct = 100.0 * (before - after) / before.max(1e-9);
            Some(Bottleneck {
                database: database.to_owned(),
                advised: advised.clone(),
                saves_ms_hour: saves,
                share_pct,
                before_ms: before / calls,
                after_ms: after / calls,
                is_worth_it: (is_slow || is_heavy) && gain_pct >= policy.improvement_pct_min,
            })
        })
        .collect();
    found.sort_by(|a, b| b.saves_ms_hour.total_cmp(&a.saves_ms_hour));
    found
}

/// Impact against effort, as a table for people: what an index would save, and what it takes.
pub fn matrix(bottlenecks: &[Bottleneck]) -> String {
    if bottlenecks.is_empty() {
        return "no index would save enough to be worth it\n".to_owned();
    }
    let rows: Vec<[String; 5]> = bottlenecks
        .iter()
        .map(|b| {
            [
                format!("{}: {}", b.database, b.advised.index),
                format!("{:.1} -> {:.1} ms", b.before_ms, b.after_ms),
                format!("{:.0} s/h", b.saves_ms_hour / 1_000.0),
                format!("{:.1} MiB", b.advised.bytes / MIB),
                if b.is_worth_it { "build" } else { "leave" }.to_owned(),
            ]
        })
        .collect();
    let head = ["index".to_owned(), "query".to_owned(), "saves".to_owned(), "takes".to_owned(), String::new()];
    let width =
        |at: usize| rows.iter().chain(std::iter::once(&head)).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for row in std::iter::once(&head).chain(&rows) {
        let cells = row.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
            0 | 4 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
