//! What a database has done: counters of its statements at two moments, and the difference between them.
//!
//! The counters of `pg_stat_statements` only grow. What happened in a window is their difference; the spread of single executions in the
//! window follows from the sums of squares of both ends (the pairwise formula of Chan, Golub and LeVeque, 1979, solved for one part).

use crate::observed::{Missing, Observed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counters of a database at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Since when the counters grow, where the server tells.
    pub reset_at: Option<Timestamp>,
    /// Statements of which the counters were dropped for want of room, so far.
    pub dropped: f64,
    /// Counters by statement.
    pub statements: Vec<Counter>,
}

/// Counters of one statement, over all its executions since the counters began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    /// The server's number for the statement without its values.
    pub id: i64,
    /// Its text with `$1` for values; empty where it was not asked for.
    pub text: String,
    /// Executions.
    pub calls: f64,
    /// Milliseconds spent in all of them.
    pub total_ms: f64,
    /// Standard deviation of one, in milliseconds, over all.
    pub sd_ms: f64,
    /// Rows returned or touched.
    pub rows: f64,
    /// Blocks found in the server's memory.
    pub hit: f64,
    /// Blocks that were not.
    pub read: f64,
}

/// What one statement did in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// The server's number for it.
    pub id: i64,
    /// Its text.
    pub text: String,
    /// Executions.
    pub calls: f64,
    /// Milliseconds of one, on average.
    pub mean_ms: f64,
    /// Standard deviation of one, in milliseconds.
    pub sd_ms: f64,
    /// Rows of one, on average.
    pub rows: f64,
    /// Blocks of one, on average, wherever they were.
    pub blocks: f64,
}

impl Used {
    /// Milliseconds spent in it.
    pub fn total_ms(&self) -> f64 {
        self.calls * self.mean_ms
    }
}

/// What all statements of a database did in a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its length in seconds.
    pub seconds: f64,
    /// Statements that ran in it, those that took the most time first.
    pub statements: Vec<Used>,
    /// Statements whose counters were dropped and began anew: nothing is known of them.
    pub unknown: usize,
}

impl Window {
    /// Milliseconds spent in all statements.
    pub fn total_ms(&self) -> f64 {
        self.statements.iter().map(Used::total_ms).sum()
    }

    /// The statement.
    pub fn statement(&self, id: i64) -> Option<&Used> {
        self.statements.iter().find(|used| used.id == id)
    }
}

/// What happened between two samples; missing where the counters were reset in between, since then nothing is known.
pub fn window(first: &Sample, second: &Sample) -> Observed<Window> {
    if first.reset_at != second.reset_at {
        return Observed::Missing(Missing::Failed(
            "pg_stat_statements was reset in the middle of the measurement".to_owned(),
        ));
    }
    let seconds = second.at.duration_since(first.at).as_secs_f64();
    if seconds <= 0.0 {
        return Observed::Missing(Missing::Failed("the second sample is not after the first".to_owned()));
    }
    let before: BTreeMap<i64, &Counter> = first.statements.iter().map(|counter| (counter.id, counter)).collect();
    let mut statements = Vec::new();
    let mut unknown = 0;
    for after in &second.statements {
        match between(before.get(&after.id).copied(), after) {
            Difference::Ran(used) => statements.push(used),
            Difference::Idle => {}
            Difference::Unknown => unknown += 1,
        }
    }
    statements.sort_by(|a, b| b.total_ms().total_cmp(&a.total_ms()).then(a.id.cmp(&b.id)));
    Observed::Known(Window { seconds, statements, unknown })
}

enum Difference {
    Ran(Used),
    Idle,
    Unknown,
}

fn between(before: Option<&Counter>, after: &Counter) -> Difference {
    let none = Counter { calls: 0.0, total_ms: 0.0, sd_ms: 0.0, rows: 0.0, hit: 0.0, read: 0.0, ..after.clone() };
    let before = before.unwrap_or(&none);
    let (calls, total) = (after.calls - before.calls, after.total_ms - before.total_ms);
    if calls < 0.0 || total < 0.0 {
        return Difference::Unknown;
    }
    if calls < 1.0 {
        return Difference::Idle;
    }
    let mean = total / calls;
    // Sums of squared deviations: that of the whole is that of both parts and what their means are apart.
    let squares = |counter: &Counter| counter.sd_ms * counter.sd_ms * counter.calls;
    let apart = if before.calls > 0.0 { mean - before.total_ms / before.calls } else { 0.0 };
    let within = squares(after) - squares(before) - apart * apart * before.calls * calls / after.calls;
    Difference::Ran(Used {
        id: after.id,
        text: super::wording::kept(&after.text),
        calls,
        mean_ms: mean,
        sd_ms: (within.max(0.0) / calls).sqrt(),
        rows: (after.rows - before.rows).max(0.0) / calls,
        blocks: (after.hit - before.hit + after.read - before.read).max(0.0) / calls,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counter(times: &[f64]) -> Counter {
        let calls = times.len() as f64;
        let total: f64 = times.iter().sum();
        let mean = if calls > 0.0 { total / calls } else { 0.0 };
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        let sd_ms = if calls > 0.0 { (squares / calls).sqrt() } else { 0.0 };
        Counter { id: 1, text: "SELECT 1".into(), calls, total_ms: total, sd_ms, rows: calls, hit: 0.0, read: 0.0 }
    }

    fn sample(second: i64, statements: Vec<Counter>) -> Sample {
        let at = Timestamp::from_second(second).unwrap();
        Sample { at, reset_at: None, dropped: 0.0, statements }
    }

    proptest! {
        #[test]
        fn the_difference_is_what_the_executions_in_between_were(
            first in prop::collection::vec(0.01_f64..500.0, 0..40),
            second in prop::collection::vec(0.01_f64..500.0, 1..40),
        ) {
            let all: Vec<f64> = first.iter().chain(&second).copied().collect();
            let opened = if first.is_empty() { Vec::new() } else { vec![counter(&first)] };
            let found = window(&sample(0, opened), &sample(60, vec![counter(&all)]));
            let used = &found.known().unwrap().statements[0];
            let truth = counter(&second);
            prop_assert!((used.calls - truth.calls).abs() < 1e-9);
            prop_assert!((used.total_ms() - truth.total_ms).abs() < 1e-6 * truth.total_ms.max(1.0));
            prop_assert!((used.sd_ms - truth.sd_ms).abs() < 1e-4 * (1.0 + truth.sd_ms), "{} {}", used.sd_ms, truth.sd_ms);
        }
    }

    #[test]
    fn a_reset_in_between_leaves_nothing_known_and_a_dropped_counter_only_its_own() {
        let (first, second) = (sample(0, vec![counter(&[5.0; 9])]), sample(60, vec![counter(&[5.0; 3])]));
        let found = window(&first, &second);
        assert_eq!((found.known().unwrap().statements.len(), found.known().unwrap().unknown), (0, 1));
        let reset = Sample { reset_at: Some(second.at), ..second };
        let Observed::Missing(why) = window(&first, &reset) else { panic!("a reset is seen") };
        assert!(why.to_string().contains("reset"), "{why}");
    }

    #[test]
    fn what_did_not_run_is_not_in_the_window() {
        let idle = counter(&[5.0; 9]);
        assert!(window(&sample(0, vec![idle.clone()]), &sample(60, vec![idle])).known().unwrap().statements.is_empty());
    }
}
