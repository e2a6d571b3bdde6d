//! From a distance to a surprise: −log₁₀ of the probability of a distance at least as large, learnt from the series.
//!
//! A histogram in quarter octaves counts all distances so far. Above the 98 % quantile a Pareto tail (Hill's estimator,
//! 1975, with a prior) extrapolates beyond what was seen; where large distances did repeat, the empirical share holds
//! instead, so what happens every day stops being a surprise.

use serde::{Deserialize, Serialize};
use std::f64::consts::{LN_2, LN_10};

use super::{SURPRISE_MAX, packed};

const BINS: usize = 64;
/// Bin of distance 1; distances from 2^-4.25 to 2^11.75 are told apart.
const ONE: i32 = 17;
const BINS_PER_OCTAVE: f64 = 4.0;
/// Fractions of an octave where the second, third and fourth bin begin: 2^¼, 2^½, 2^¾.
const QUARTERS: [f64; 3] = [1.189_207_115_002_721, std::f64::consts::SQRT_2, 1.681_792_830_507_429];
/// Distances that at least this share of points reach are usual: no surprise at all.
const USUAL_SHARE: f64 = 0.1;
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
        let bin = bin(distance);
        let surprise = if distance > 0.0 { self.surprise(distance, bin).min(SURPRISE_MAX) } else { 0.0 };
        self.learn(bin);
        surprise
    }

    fn surprise(&self, distance: f64, bin: usize) -> f64 {
        if self.at_least[0] < POINTS_MIN {
            return 0.0;
        }
        let n = f64::from(self.at_least[0]);
        let reached = f64::from(self.at_least[bin]);
        let above = self.at_least.get(bin + 1).copied().unwrap_or(0);
        let middle = 0.5 * (reached + f64::from(above)) + 1.0;
        // The counts fall from bin to bin, so the own bin decides for nearly all points; only the tail looks closer.
        if middle > USUAL_SHARE * n {
            return 0.0;
        }
        let tail_points = TAIL_SHARE * n + 1.0;
        if reached > tail_points {
            return ((n + 1.0) / middle).log10();
        }
        let start = self.at_least.partition_point(|&c| f64::from(c) > tail_points).min(bin);
        let tail = f64::from(self.at_least[start]);
        let beyond: u32 = self.at_least[start + 1..].iter().map(|&c| u32::from(c)).sum();
        let excess = LN_2 / BINS_PER_OCTAVE * (f64::from(beyond) + 0.5 * tail);
        let decay = (excess + PRIOR * PRIOR_POINTS) / (tail + PRIOR_POINTS) * LN_10;
        let ln = distance.ln();
        let pareto = (ln - edge(start)).max(0.0) / decay + ((n + 1.0) / (tail + 1.0)).log10();

        let top = self.at_least.partition_point(|&c| c > 0);
        let record = if bin >= top { (ln - edge(top)).max(0.0) / decay } else { 0.0 };
        let similar = f64::from(self.at_least[bin.saturating_sub(1)]);
        let empirical = record + ((n + 1.0) / (similar + 1.0)).log10();
        pareto.min(empirical)
    }

    fn learn(&mut self, bin: usize) {
        for count in &mut self.at_least[..=bin] {
            *count = count.wrapping_add(1);
        }
        if self.at_least[0] >= POINTS_MAX {
            for count in &mut self.at_least {
                *count /= 2;
            }
        }
    }
}

/// The bin of a distance, from the bits of the number: its exponent is the octave.
fn bin(distance: f64) -> usize {
    let bits = distance.to_bits();
    let octave = i32::try_from(bits >> 52).unwrap_or(0) - 1023;
    let fraction = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    let quarter: i32 = QUARTERS.iter().map(|&edge| i32::from(fraction >= edge)).sum();
    let bin = octave.saturating_mul(4) + quarter + ONE;
    usize::try_from(bin).unwrap_or(0).min(BINS - 1)
}

/// Natural logarithm of a bin's lower edge.
fn edge(bin: usize) -> f64 {
    (bin as f64 - f64::from(ONE)) / BINS_PER_OCTAVE * LN_2
}
