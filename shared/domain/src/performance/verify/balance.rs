//! Time of some statements before and after, each as often as it was asked before.

use super::SIGMAS;
use crate::performance::policy::Policy;
use crate::performance::profile::{Used, Window};

const HOUR_S: f64 = 3_600.0;

/// Time of some statements in milliseconds an hour, before and after, at the rate at which they were asked before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Balance {
    /// What they took.
    pub(super) before_ms: f64,
    /// What they take.
    pub(super) after_ms: f64,
    /// Variance of the difference.
    variance: f64,
    /// Executions.
    pub(super) calls: f64,
    /// Blocks they looked at before, and after.
    blocks: (f64, f64),
}

impl Balance {
    /// Statements that could be compared, and how many could not.
    pub(super) fn of(ids: &[i64], before: &Window, after: &Window, policy: &Policy) -> (Option<Self>, usize) {
        let mut sum = Self::default();
        let mut lacking = 0;
        for id in ids {
            if before.statement(*id).is_none() {
                continue;
            }
            let Some((was, is)) = both(*id, before, after, policy) else {
                lacking += 1;
                continue;
            };
            let rate = was.calls / before.seconds.max(1.0) * HOUR_S;
            sum.before_ms += rate * was.mean_ms;
            sum.after_ms += rate * is.mean_ms;
            sum.variance += rate * rate * (was.sd_ms * was.sd_ms / was.calls + is.sd_ms * is.sd_ms / is.calls);
            sum.calls += rate;
            sum.blocks = (sum.blocks.0 + rate * was.blocks, sum.blocks.1 + rate * is.blocks);
        }
        ((sum.calls > 0.0).then_some(sum), lacking)
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            before_ms: self.before_ms + other.before_ms,
            after_ms: self.after_ms + other.after_ms,
            variance: self.variance + other.variance,
            calls: self.calls + other.calls,
            blocks: (self.blocks.0 + other.blocks.0, self.blocks.1 + other.blocks.1),
        }
    }

    /// The difference to what they would have taken: what they took, times this.
    pub(super) fn shift(&self, factor: f64) -> f64 {
        self.after_ms - factor * self.before_ms
    }

    /// Its 95 % interval.
    pub(super) fn interval(&self, factor: f64) -> (f64, f64) {
        let half = SIGMAS * self.variance.sqrt();
        (self.shift(factor) - half, self.shift(factor) + half)
    }

    /// By how much fewer blocks they look at, in per cent: work that neither load nor other work on the machine explains.
    pub(super) fn blocks_saved_pct(&self) -> f64 {
        100.0 * (self.blocks.0 - self.blocks.1) / self.blocks.0.max(1e-9)
    }
}

/// A statement in both windows, where it was asked often enough in both.
pub(super) fn both<'a>(
    id: i64,
    before: &'a Window,
    after: &'a Window,
    policy: &Policy,
) -> Option<(&'a Used, &'a Used)> {
    let often = |used: &&Used| used.calls >= policy.calls_min;
    Some((before.statement(id).filter(often)?, after.statement(id).filter(often)?))
}
