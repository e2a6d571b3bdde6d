//! What a level would be without the change: at best, which a change has to beat to be verified, and at worst, beyond which
//! it has regressed. The load says something about it, earlier weeks do, and the harder of them holds.

use super::{Case, load, peers, weeks, windows};
use crate::change::Better;
use crate::resource::Resource;

/// What would have become of a level: a multiple of it, and so much more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Without {
    factor: f64,
    plus: f64,
}

impl Without {
    /// The same level.
    pub(super) const SAME: Self = Self { factor: 1.0, plus: 0.0 };

    /// A multiple of it.
    pub(super) fn times(factor: f64) -> Self {
        Self { factor, plus: 0.0 }
    }

    /// So much more.
    pub(super) fn plus(plus: f64) -> Self {
        Self { factor: 1.0, plus }
    }

    /// What becomes of this level.
    pub(super) fn of(self, level: f64) -> f64 {
        level * self.factor + self.plus
    }
}

/// What would have been.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    /// What a change has to beat to be verified.
    pub(super) verified: Without,
    /// That beyond which it has regressed.
    pub(super) regressed: Without,
    /// What was corrected, and what the earlier weeks say, in words that begin with a comma; empty where there is nothing to say.
    pub(super) says: String,
}

impl Bounds {
    /// The level before itself.
    pub(super) fn none() -> Self {
        Self { verified: Without::SAME, regressed: Without::SAME, says: String::new() }
    }

    /// True when nothing worth saying was corrected: it is the level before itself that is compared.
    pub(super) fn are_plain(&self) -> bool {
        self.says.is_empty() || (self.verified == Without::SAME && self.regressed == Without::SAME)
    }
}

/// The bounds for the verifying signal of a change. One member is compared with its peers, which live in the same hour.
///
/// # Errors
/// One sentence when the signal depends on load, the load is not known, and no weeks can stand in for it.
pub(super) fn own(case: &Case<'_>) -> Result<Bounds, String> {
    let expected = &case.change.expected;
    if peers::are_compared(&case.before, case.change) {
        return Ok(Bounds::none());
    }
    of(case, expected.signal.as_str(), windows::resource(case, &expected.resource)?, expected.better)
}

/// The bounds for any signal.
///
/// # Errors
/// As [`own`].
pub(super) fn of(case: &Case<'_>, signal: &str, on: &Resource, better: Better) -> Result<Bounds, String> {
    let by_load = load::bounds_of(case, signal, on);
    weeks::harden(case, signal, on, better, by_load)
}
