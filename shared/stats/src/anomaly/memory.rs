//! Memories of what a series has looked like: a bounded set of prototypes, and the distance of something new to them.
//!
//! What is far from every prototype becomes one; what is near pulls its prototype a little. So a spike is news once,
//! and a series that always spikes is not news at all. Both memories are bounded and hold no time.

use serde::{Deserialize, Serialize};
use wide::f32x8;

use super::channel::blend;
use super::packed;

/// Prototypes of a single number.
const VALUES: usize = 64;
/// Prototypes of a shape, and points in a shape.
const SHAPES: usize = 16;
const SHAPE_POINTS: usize = 8;
/// Numbers that are compared at a time.
const LANES: usize = 8;
const FAR: f32x8 = f32x8::new([f32::INFINITY; LANES]);
/// Where to begin so that, eight at a time, each prototype but the last comes once; one of them twice.
const PAIRS: [usize; VALUES / LANES] = [0, 8, 16, 24, 32, 40, 48, 55];
/// A new prototype needs a distance over this many typical ones.
const VALUE_VIGILANCE: f64 = 1.4;
const SHAPE_VIGILANCE: f64 = 1.0;
/// How much of its distance a near point pulls its prototype.
const PULL: f32 = 0.05;
/// Window, in points, of the typical distance.
const DISTANCE_POINTS: f64 = 400.0;

/// Numbers from a place on, as a vector.
fn load(numbers: &[f32], start: usize) -> f32x8 {
    numbers.get(start..).and_then(|rest| rest.first_chunk()).map_or(f32x8::ZERO, |lanes| f32x8::from(*lanes))
}

/// The greater of two numbers. Unlike [`f64::max`] one instruction, for it does not ask which one is NaN.
fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The least of all numbers.
fn least(vectors: &[f32x8]) -> f32 {
    let lanes = vectors.iter().fold(FAR, |low, vector| low.fast_min(*vector));
    lanes.to_array().into_iter().fold(f32::INFINITY, |low, lane| if lane < low { lane } else { low })
}

/// The first place that has this number, counted through all vectors (eight at most); 64 if none has. No branch: nobody could
/// predict which vector it is.
fn first(vectors: &[f32x8], number: f32) -> usize {
    let number = f32x8::splat(number);
    let lanes = vectors.iter().map(|vector| u64::from(vector.simd_eq(number).to_bitmask()));
    let places = lanes.zip((0..).step_by(LANES)).fold(0, |places, (lanes, start)| places | lanes << start);
    places.trailing_zeros() as usize
}

/// Where the nearest prototype is, how far, and the place of the first one that is not below.
#[derive(Clone, Copy)]
pub(super) struct Nearest {
    place: usize,
    distance: f32,
    above: usize,
}

/// Prototypes of a single number, in ascending order. When full, the two nearest ones merge, so extremes stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[repr(align(64))]
pub(super) struct ValueMemory {
    #[serde(with = "packed")]
    at: [f32; VALUES],
    len: u8,
    #[serde(with = "packed::one")]
    typical: f64,
}

impl Default for ValueMemory {
    fn default() -> Self {
        Self { at: [f32::INFINITY; VALUES], len: 0, typical: 0.0 }
    }
}

impl ValueMemory {
    /// The prototype that is nearest to `y`; of two that are as near, the lower one.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn nearest(&self, y: f64) -> Nearest {
        let y = y as f32;
        let above = self.below(y);
        // At either end both neighbours are the same prototype. Unused places are infinite, so never nearer.
        let (left, right) = (above.saturating_sub(1), above.min(VALUES - 1));
        let (to_left, to_right) = ((y - self.at[left]).abs(), (self.at[right] - y).abs());
        let (place, distance) = if to_right < to_left { (right, to_right) } else { (left, to_left) };
        Nearest { place, distance, above }
    }

    /// Remembers `y`, of which the nearest prototype is given; its distance, 0 for the first.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn learn(&mut self, y: f64, nearest: Nearest, resolution: f64, inverse_n: f64) -> f64 {
        let y = y as f32;
        if self.len == 0 {
            self.insert(0, y);
            return 0.0;
        }
        let distance = f64::from(nearest.distance);
        if distance > greater(VALUE_VIGILANCE * self.typical, resolution) {
            self.insert(nearest.above, y);
        } else {
            self.at[nearest.place] += PULL * (y - self.at[nearest.place]);
        }
        blend(&mut self.typical, distance, inverse_n, DISTANCE_POINTS);
        distance
    }

    /// How many prototypes lie below `y`: whole blocks by their last prototype, then those of the block that is left.
    fn below(&self, y: f32) -> usize {
        let (blocks, _) = self.at.as_chunks::<LANES>();
        let block: usize = blocks[..blocks.len() - 1].iter().map(|block| usize::from(block[LANES - 1] < y)).sum();
        let below = f32x8::from(blocks[block.min(blocks.len() - 1)]).simd_lt(f32x8::splat(y)).to_bitmask();
        block * LANES + below.trailing_ones() as usize
    }

    /// Puts `y` at its place; when full, makes room by merging the two prototypes that are nearest to each other.
    fn insert(&mut self, place: usize, y: f32) {
        let len = usize::from(self.len).min(VALUES);
        let place = place.min(len);
        if len < VALUES {
            self.at.copy_within(place..len, place + 1);
            self.at[place] = y;
            self.len += 1;
            return;
        }
        let merged = self.narrowest();
        let middle = 0.5 * (self.at[merged] + self.at[merged + 1]);
        // The pair leaves one place free; what lies between it and the newcomer moves over by one.
        if place <= merged {
            self.at.copy_within(place..merged, place + 1);
            self.at[place] = y;
            self.at[merged + 1] = middle;
        } else if place == merged + 1 {
            self.at[merged] = middle.min(y);
            self.at[merged + 1] = middle.max(y);
        } else {
            self.at.copy_within(merged + 2..place, merged + 1);
            self.at[merged] = middle;
            self.at[place - 1] = y;
        }
    }

    /// The first of the places whose distance to the next one is least.
    fn narrowest(&self) -> usize {
        let gaps = PAIRS.map(|start| load(&self.at, start + 1) - load(&self.at, start));
        let place = first(&gaps, least(&gaps)) % VALUES;
        PAIRS[place / LANES] + place % LANES
    }
}

/// Prototypes of the shape of the last points; the oldest is replaced. Stored in blocks of [`LANES`] shapes, within a block
/// point by point, so that the search is a vector operation; unused places are infinite and therefore never nearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[repr(align(64))]
pub(super) struct PatternMemory {
    #[serde(with = "packed")]
    window: [f32; SHAPE_POINTS],
    filled: u8,
    #[serde(with = "packed")]
    at: [f32; SHAPES * SHAPE_POINTS],
    next: u8,
    #[serde(with = "packed::one")]
    typical: f64,
    seen: u32,
}

impl Default for PatternMemory {
    fn default() -> Self {
        Self {
            window: [0.0; SHAPE_POINTS],
            filled: 0,
            at: [f32::INFINITY; SHAPES * SHAPE_POINTS],
            next: 0,
            typical: 0.0,
            seen: 0,
        }
    }
}

impl PatternMemory {
    /// Makes `y` the newest point of the window; the nearest shape and the sum of its absolute distances, point by point.
    /// `None` until the window is full.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn nearest(&mut self, y: f64) -> Option<(usize, f32)> {
        self.window.copy_within(..SHAPE_POINTS - 1, 1);
        self.window[0] = y as f32;
        if usize::from(self.filled) + 1 < SHAPE_POINTS {
            self.filled += 1;
            return None;
        }
        let mut sums = [f32x8::ZERO; SHAPES / LANES];
        for (sums, block) in sums.iter_mut().zip(self.at.chunks_exact(LANES * SHAPE_POINTS)) {
            for (now, start) in self.window.iter().zip((0..).step_by(LANES)) {
                *sums += (load(block, start) - f32x8::splat(*now)).abs();
            }
        }
        let least = least(&sums);
        Some((first(&sums, least), least))
    }

    /// Remembers the window, of which the nearest shape is given; their mean absolute distance.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn learn(&mut self, (nearest, sum): (usize, f32), resolution: f64) -> f64 {
        let known = sum.is_finite();
        let distance = if known { f64::from(sum) / SHAPE_POINTS as f64 } else { 0.0 };
        if !known || distance > greater(SHAPE_VIGILANCE * self.typical, resolution) {
            let place = usize::from(self.next) % SHAPES;
            self.write(place, 1.0);
            self.next = ((place + 1) % SHAPES) as u8;
        } else {
            self.write(nearest % SHAPES, PULL);
        }
        self.seen = self.seen.saturating_add(1);
        blend(&mut self.typical, distance, 1.0 / f64::from(self.seen), DISTANCE_POINTS);
        distance
    }

    /// Moves a stored shape towards the window: fully (a new one) or by a share.
    fn write(&mut self, shape: usize, share: f32) {
        let (block, lane) = (shape / LANES, shape % LANES);
        let rows = self.at.chunks_exact_mut(LANES).skip(block * SHAPE_POINTS);
        for (now, then) in self.window.iter().zip(rows) {
            then[lane] = if share < 1.0 { then[lane] + share * (now - then[lane]) } else { *now };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PatternMemory, VALUES, ValueMemory};
    use proptest::prelude::*;

    fn distance(memory: &mut ValueMemory, y: f64, inverse_n: f64) -> f64 {
        let nearest = memory.nearest(y);
        memory.learn(y, nearest, 0.0, inverse_n)
    }

    fn shape_distance(memory: &mut PatternMemory, y: f64) -> Option<f64> {
        memory.nearest(y).map(|nearest| memory.learn(nearest, 0.0))
    }

    proptest! {
        #[test]
        fn prop_prototypes_stay_in_ascending_order(values in prop::collection::vec(-1000_i32..1000, 0..2000)) {
            let mut memory = ValueMemory::default();
            for (value, n) in values.into_iter().zip(1..) {
                distance(&mut memory, f64::from(value), 1.0 / f64::from(n));
                let known = &memory.at[..usize::from(memory.len)];
                prop_assert!(known.is_sorted(), "{:?}", known);
            }
            prop_assert!(usize::from(memory.len) <= VALUES);
        }
    }

    proptest! {
        /// A state comes from outside: whatever it holds, the worst it may do is to give odd distances.
        #[test]
        fn prop_no_memory_is_a_reason_to_panic(bits in prop::collection::vec(any::<u32>(), VALUES), len: u8, next: u8, y in -1e30_f64..1e30) {
            let at: [f32; VALUES] = std::array::from_fn(|k| f32::from_bits(bits[k]));
            let mut values = ValueMemory { at, len, typical: -1.0 };
            let mut shapes = PatternMemory { next, filled: len, ..PatternMemory::default() };
            shapes.at[..VALUES].copy_from_slice(&at);
            for _ in 0..3 {
                distance(&mut values, y, 1.0);
                shape_distance(&mut shapes, y);
            }
        }
    }

    proptest! {
        #[test]
        fn prop_the_search_by_blocks_counts_what_lies_below(mut known in prop::collection::vec(0_i32..100, 0..=VALUES), y in -1_i32..101) {
            known.sort_unstable();
            let mut memory = ValueMemory::default();
            for (at, value) in memory.at.iter_mut().zip(&known) {
                *at = *value as f32;
            }
            prop_assert_eq!(memory.below(y as f32), known.iter().filter(|value| **value < y).count());
        }
    }

    #[test]
    fn an_extreme_is_remembered_whatever_comes_after() {
        let mut memory = ValueMemory::default();
        distance(&mut memory, 1e6, 1.0);
        for n in 2..20_000 {
            distance(&mut memory, f64::from(n * 7919 % 1009), 1.0 / f64::from(n));
        }
        assert!(distance(&mut memory, 1e6, 1e-5) < 1.0);
    }

    #[test]
    fn a_shape_seen_before_is_near_and_a_new_one_is_far() {
        let mut memory = PatternMemory::default();
        let mut last = None;
        for n in 0..400 {
            last = shape_distance(&mut memory, f64::from(n % 4 * 10));
        }
        assert!(last.unwrap() < 5.0, "{last:?}");
        last = shape_distance(&mut memory, 500.0);
        assert!(last.unwrap() > 25.0, "{last:?}");
    }
}
