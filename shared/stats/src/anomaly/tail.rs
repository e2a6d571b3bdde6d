//! From a distance to a surprise: −log₁₀ of the probability of a distance at least as large, learnt from the series.
//!
//! A histogram in quarter octaves counts all distances so far. Above the 98 % quantile a Pareto tail (Hill's estimator,
//! 1975, with a prior) extrapolates beyond what was seen; where large distances did repeat, the empirical share holds
//! instead, so what happens every day stops being a surprise.

use serde::{Deserialize, Serialize};
use std::f64::consts::{LN_2, LN_10};
use wide::u16x8;

use super::{SURPRISE_MAX, packed};

const BINS: usize = 64;
/// Bin of distance 1; distances from 2^-4.25 to 2^11.75 are told apart.
const ONE: u16 = 17;
const BINS_PER_OCTAVE: f64 = 4.0;
/// Fractions of an octave where the second, third and fourth bin begin: 2^¼, 2^½, 2^¾.
const QUARTERS: [f64; 3] = [1.189_207_115_002_721, std::f64::consts::SQRT_2, 1.681_792_830_507_429];
/// Bits of a number's fraction, and the exponent's bits when the exponent is 0.
const FRACTION: u64 = (1 << 52) - 1;
const EXPONENT_ZERO: u64 = 1023;
/// Counts that are raised at a time.
const LANES: usize = 8;
/// Ones, then zeros. From place 63 − b on they are what a distance in bin b adds to the counts.
const RAISE: &[u16] = [[1; BINS], [0; BINS]].as_flattened();
/// Distances that more than one in so many points reach are usual: no surprise at all.
const USUAL_ONE_IN: u32 = 10;
/// Share of distances that forms the tail.
const TAIL_SHARE: f64 = 0.02;
/// Prior of the Pareto exponent's inverse, and its weight in points.
const PRIOR: f64 = 0.35;
const PRIOR_POINTS: f64 = 20.0;
/// Fewer distances than this say nothing.
const POINTS_MIN: u16 = 20;
/// At this many all counts are halved: bounded numbers, and slow forgetting.
const POINTS_MAX: u16 = 20_000;

/// Counts of distances at or above each bin, so that a tail probability is one look-up. On cache lines of its own: counts that
/// lie across two cost a tenth of the detector's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[repr(align(64))]
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
        let news = !self.is_usual(bin) && distance > 0.0;
        let surprise = if news { self.surprise(distance, bin).min(SURPRISE_MAX) } else { 0.0 };
        self.learn(bin);
        surprise
    }

    /// The counts fall from bin to bin, so the own bin decides for nearly all points; only the tail looks closer.
    fn is_usual(&self, bin: usize) -> bool {
        let n = self.at_least[0];
        n < POINTS_MIN || (self.middle_doubled(bin) + 2) * USUAL_ONE_IN > 2 * u32::from(n)
    }

    /// Twice the count of distances at or above the middle of a bin.
    fn middle_doubled(&self, bin: usize) -> u32 {
        u32::from(self.at_least[bin]) + self.at_least.get(bin + 1).copied().map_or(0, u32::from)
    }

    #[cold]
    fn surprise(&self, distance: f64, bin: usize) -> f64 {
        let n = f64::from(self.at_least[0]);
        let reached = f64::from(self.at_least[bin]);
        let middle = 0.5 * f64::from(self.middle_doubled(bin)) + 1.0;
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
        let (counts, _) = self.at_least.as_chunks_mut();
        let (ones, _) = RAISE[BINS - 1 - bin..].as_chunks();
        // Halves of a fixed length, because a loop up to the bin ends at another place each time. The upper one is rarely reached.
        let half = BINS / LANES / 2;
        raise(&mut counts[..half], &ones[..half]);
        if bin >= BINS / 2 {
            raise(&mut counts[half..], &ones[half..]);
        }
        if self.at_least[0] >= POINTS_MAX {
            for count in &mut self.at_least {
                *count /= 2;
            }
        }
    }
}

/// Adds ones to counts, block by block.
fn raise(counts: &mut [[u16; LANES]], ones: &[[u16; LANES]]) {
    for (counts, ones) in counts.iter_mut().zip(ones) {
        *counts = (u16x8::from(*counts) + u16x8::from(*ones)).to_array();
    }
}

/// The bin of a distance, from the bits of the number: its exponent is the octave.
fn bin(distance: f64) -> usize {
    let bits = distance.to_bits();
    let fraction = bits & FRACTION;
    let quarter: u64 = QUARTERS.iter().map(|edge| u64::from(fraction >= edge.to_bits() & FRACTION)).sum();
    let bin = ((bits >> 52) * 4 + quarter + u64::from(ONE)).saturating_sub(EXPONENT_ZERO * 4);
    usize::try_from(bin).unwrap_or(BINS).min(BINS - 1)
}

/// Natural logarithm of a bin's lower edge.
fn edge(bin: usize) -> f64 {
    (bin as f64 - f64::from(ONE)) / BINS_PER_OCTAVE * LN_2
}
