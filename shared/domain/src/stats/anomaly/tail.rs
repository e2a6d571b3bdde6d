//! From a distance to a surprise: −log₁₀ of the probability of a distance at least as large, learnt from the series.
//!
//! A histogram in quarter octaves counts all distances so far. Above the 98 % quantile a Pareto tail (Hill's estimator,
//! 1975, with a prior) extrapolates beyond what was seen; where large distances did repeat, the empirical share holds
//! instead, so what happens every day stops being a surprise.

use serde::{Deserialize, Serialize};
use std::f64::consts::{LN_2, LN_10};

use super::{SURPRISE_MAX, packed};

const BINS: usize = 96;
/// Bin of distance 1; distances from 2^-8.25 to 2^15.75 are told apart.
const ONE: f64 = 33.0;
const BINS_PER_OCTAVE: f64 = 4.0;
/// Share of distances that forms the tail.
const TAIL_SHARE: f64 = 0.02;
/// Prior of the Pareto exponent's inverse, and its weight in points.
const PRIOR: f64 = 0.35;
const PRIOR_POINTS: f64 = 20.0;
/// Fewer distances than this say nothing.
const POINTS_MIN: u16 = 20;
/// At this many all counts are halved: bounded numbers, and slow forgetting.
const POINTS_MAX: u16 = 20_000;

/// Counts of distances at or above each bin, so that a tail probability is one look-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tail {
    #[serde(with = "packed")]
    at_least: [u16; BINS],
}

impl Default for Tail {
    fn default() -> Self {
        Self { at_least: [0; BINS] }
    }
}

impl Tail {
    /// The surprise about a distance (not negative) given all earlier ones; then the distance is learnt.
    pub(super) fn observe(&mut self, distance: f64) -> f64 {
        let octaves = distance.max(f64::MIN_POSITIVE).log2();
        let place = (octaves * BINS_PER_OCTAVE + ONE).clamp(0.0, (BINS - 1) as f64);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the bins")]
        let bin = place as usize;
        let surprise = if distance > 0.0 { self.surprise(octaves, bin).min(SURPRISE_MAX) } else { 0.0 };
        self.learn(bin);
        surprise
    }

    fn surprise(&self, octaves: f64, bin: usize) -> f64 {
        let count = self.at_least[0];
        if count < POINTS_MIN {
            return 0.0;
        }
        let n = f64::from(count);
        let tail_points = TAIL_SHARE * n + 1.0;
        // The counts fall from bin to bin. The test on one bin decides for nearly all points; only the tail looks closer.
        if f64::from(self.at_least[bin]) > tail_points {
            let above = self.at_least.get(bin + 1).copied().unwrap_or(0);
            let middle = 0.5 * (f64::from(self.at_least[bin]) + f64::from(above));
            return -((middle + 1.0) / (n + 1.0)).min(1.0).log10();
        }
        let start = self.at_least.partition_point(|&c| f64::from(c) > tail_points).min(bin);
        let tail = f64::from(self.at_least[start]);
        let beyond: u32 = self.at_least[start + 1..].iter().map(|&c| u32::from(c)).sum();
        let excess = LN_2 / BINS_PER_OCTAVE * (f64::from(beyond) + 0.5 * tail);
        let decay = (excess + PRIOR * PRIOR_POINTS) / (tail + PRIOR_POINTS) * LN_10;
        let ln = octaves * LN_2;
        let pareto = (ln - edge(start)).max(0.0) / decay - ((tail + 1.0) / (n + 1.0)).log10();

        let top = self.at_least.partition_point(|&c| c > 0);
        let record = if bin >= top { (ln - edge(top)).max(0.0) / decay } else { 0.0 };
        let similar = f64::from(self.at_least[bin.saturating_sub(1)]);
        let empirical = record - ((similar + 1.0) / (n + 1.0)).log10();
        pareto.min(empirical)
    }

    fn learn(&mut self, bin: usize) {
        for count in &mut self.at_least[..=bin] {
            *count = count.saturating_add(1);
        }
        if self.at_least[0] >= POINTS_MAX {
            for count in &mut self.at_least {
                *count /= 2;
            }
        }
    }
}

/// Natural logarithm of a bin's lower edge.
fn edge(bin: usize) -> f64 {
    (bin as f64 - ONE) / BINS_PER_OCTAVE * LN_2
}
