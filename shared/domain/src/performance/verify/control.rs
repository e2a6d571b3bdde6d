//! The counterfactual: what happened to statements that the change can't reach.
//!
//! Load that goes away, other work on the machine that ends, a cache that warms up make every statement faster, whatever was built meanwhile.
//! So the statements that read nothing of the table are its untouched members: the logarithms of the ratios of their means, after to before,
//! are looked at as one sample, a statement a value, with Student's interval and what the spread of single executions adds. As for every other
//! verdict (`docs/verdict.md`) it only ever hardens a bound: a gain counts beyond the lower end, a loss beyond the upper one.

use super::balance::both;
use crate::performance::policy::Policy;
use crate::performance::profile::Window;

/// Statements of which a common movement can be told.
const STATEMENTS_MIN: usize = 3;
/// A slower database is believed up to this.
const BLAME_MAX: f64 = 5.0;
/// 97.5 % quantiles of Student's t by degrees of freedom, from 2; beyond the last, the last.
const STUDENT: [f64; 14] =
    [4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131];

/// How the rest of the database moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Control {
    /// After by before, of the statement in the middle (geometric mean).
    pub(super) ratio: f64,
    /// Its 95 % interval.
    pub(super) interval: (f64, f64),
    /// Statements.
    pub(super) statements: usize,
}

impl Control {
    /// That of these statements; none where too few of them were asked often enough in both windows.
    pub(super) fn of(ids: &[i64], before: &Window, after: &Window, policy: &Policy) -> Option<Self> {
        let moved: Vec<(f64, f64)> = ids
            .iter()
            .filter_map(|id| {
                let (was, is) = both(*id, before, after, policy)?;
                let relative = |sd: f64, mean: f64, calls: f64| (sd / mean).powi(2) / calls;
                let variance = relative(was.sd_ms, was.mean_ms, was.calls) + relative(is.sd_ms, is.mean_ms, is.calls);
                let moved = (is.mean_ms / was.mean_ms).ln();
                (moved.is_finite() && variance.is_finite()).then_some((moved, variance))
            })
            .collect();
        if moved.len() < STATEMENTS_MIN {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of statements")]
        let count = moved.len() as f64;
        let mean = moved.iter().map(|(moved, _)| moved).sum::<f64>() / count;
        let apart = moved.iter().map(|(moved, _)| (moved - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let within = moved.iter().map(|(_, variance)| variance).sum::<f64>() / count;
        let student = STUDENT.get(moved.len() - STATEMENTS_MIN).or(STUDENT.last()).copied().unwrap_or(f64::INFINITY);
        let half = student * ((apart + within) / count).sqrt();
        Some(Self { ratio: mean.exp(), interval: ((mean - half).exp(), (mean + half).exp()), statements: moved.len() })
    }

    /// What of the level before may count when a gain is told.
    pub(super) fn credit(&self) -> f64 {
        self.interval.0.min(1.0)
    }

    /// What the level before may have become by itself when a loss is told.
    pub(super) fn blame(&self) -> f64 {
        self.interval.1.clamp(1.0, BLAME_MAX)
    }

    /// The rest of the database certainly got slower.
    pub(super) fn got_slower(&self) -> bool {
        self.interval.0 > 1.0
    }
}
