//! One view of the detector: a number per point, judged by how far it is from all remembered numbers.
//!
//! Owns the unit (typical step of the number) in which distances are measured, which makes the view independent of the
//! series' scale. Never sees time.

use serde::{Deserialize, Serialize};

use super::memory::{Nearest, ValueMemory};
use super::tail::Tail;
use super::{RESOLUTION, packed};

/// Window, in points, of the typical step.
const STEP_POINTS: f64 = 500.0;

/// Moves a running mean towards `value`: the plain mean over the first `window` points, exponential after.
pub(super) fn blend(mean: &mut f64, value: f64, inverse_n: f64, window: f64) {
    *mean += inverse_n.max(1.0 / window) * (value - *mean);
}

/// Memory, unit and tail model of one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Channel {
    #[serde(with = "packed::one")]
    low: f64,
    #[serde(with = "packed::one")]
    high: f64,
    #[serde(with = "packed::one")]
    last: f64,
    #[serde(with = "packed::one")]
    step: f64,
    memory: ValueMemory,
    tail: Tail,
}

impl Default for Channel {
    fn default() -> Self {
        Self { low: 0.0, high: 0.0, last: 0.0, step: 0.0, memory: ValueMemory::default(), tail: Tail::default() }
    }
}

impl Channel {
    /// The prototype that is nearest to `y`.
    pub(super) fn nearest(&self, y: f64) -> Nearest {
        self.memory.nearest(y)
    }

    /// Learns `y`; its distance to the nearest prototype, in units. `inverse_n` is 1 / points so far.
    pub(super) fn learn(&mut self, y: f64, nearest: Nearest, inverse_n: f64) -> f64 {
        self.low = if y < self.low { y } else { self.low };
        self.high = if y > self.high { y } else { self.high };
        blend(&mut self.step, (y - self.last).abs(), inverse_n, STEP_POINTS);
        self.last = y;
        self.memory.learn(y, nearest, self.resolution(), inverse_n) / self.unit()
    }

    /// Surprise about a distance in units, which is then learnt.
    pub(super) fn surprise(&mut self, distance: f64) -> f64 {
        self.tail.observe(distance)
    }

    /// Distances up to this are no news: a small share of the range seen so far.
    pub(super) fn resolution(&self) -> f64 {
        RESOLUTION * (self.high - self.low)
    }

    /// The yardstick of distances: the typical step between points. Positive, so it divides safely.
    pub(super) fn unit(&self) -> f64 {
        self.step + self.resolution() + f64::MIN_POSITIVE
    }
}
