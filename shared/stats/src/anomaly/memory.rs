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

/// The least of all numbers.
fn least(vectors: &[f32x8]) -> f32 {
    let lanes = vectors.iter().fold(FAR, |low, vector| low.fast_min(*vector));
    lanes.to_array().into_iter().fold(f32::INFINITY, |low, lane| if lane < low { lane } else { low })
}

/// Vector and lane of the first place that has this number.
fn first(vectors: &[f32x8], number: f32) -> (usize, usize) {
    let number = f32x8::splat(number);
    let lanes = vectors.iter().map(|vector| vector.simd_eq(number).to_bitmask());
    let found = lanes.enumerate().find(|(_, lanes)| *lanes != 0);
    found.map_or((0, 0), |(vector, lanes)| (vector, lanes.trailing_zeros() as usize))
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
    /// Distance of `y` to the nearest prototype (0 for the first), after which `y` is remembered.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn distance(&mut self, y: f64, resolution: f64, inverse_n: f64) -> f64 {
        let y = y as f32;
        let len = usize::from(self.len).min(VALUES);
        if len == 0 {
            self.insert(0, y);
            return 0.0;
        }
        // Looking at all is faster than halving: vectors, not six steps that wait for each other. Unused places are infinite.
        let (wanted, one) = (f32x8::splat(y), f32x8::ONE);
        let (known, _) = self.at.as_chunks();
        let below = known.iter().fold(f32x8::ZERO, |sum, lanes| sum + (f32x8::from(*lanes).simd_lt(wanted) & one));
        let right = (below.reduce_add() as usize).min(len);
        let to_right = self.at.get(right).map_or(f32::INFINITY, |p| p - y);
        let to_left = right.checked_sub(1).and_then(|left| self.at.get(left)).map_or(f32::INFINITY, |p| y - p);
        let distance = f64::from(if to_left < to_right { to_left } else { to_right });
        if distance > VALUE_VIGILANCE * self.typical && distance > resolution {
            self.insert(right, y);
        } else if let Some(nearest) = self.at.get_mut(right.wrapping_sub(usize::from(to_left <= to_right))) {
            *nearest += PULL * (y - *nearest);
        }
        blend(&mut self.typical, distance, inverse_n, DISTANCE_POINTS);
        distance
    }

    /// Puts `y` at its place; when full, makes room by merging the two prototypes that are nearest to each other.
    fn insert(&mut self, place: usize, y: f32) {
        let len = usize::from(self.len).min(VALUES);
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
        let (vector, lane) = first(&gaps, least(&gaps));
        PAIRS[vector] + lane
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
    /// Mean absolute distance of the last points, `y` included, to the nearest shape; `None` until a window is full.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn distance(&mut self, y: f64, resolution: f64) -> Option<f64> {
        self.window.copy_within(..SHAPE_POINTS - 1, 1);
        self.window[0] = y as f32;
        if usize::from(self.filled) + 1 < SHAPE_POINTS {
            self.filled += 1;
            return None;
        }
        let (nearest, least) = self.nearest();
        let known = least.is_finite();
        let distance = if known { f64::from(least) / SHAPE_POINTS as f64 } else { 0.0 };
        if !known || (distance > SHAPE_VIGILANCE * self.typical && distance > resolution) {
            let place = usize::from(self.next) % SHAPES;
            self.write(place, 1.0);
            self.next = ((place + 1) % SHAPES) as u8;
        } else {
            self.write(nearest, PULL);
        }
        self.seen = self.seen.saturating_add(1);
        blend(&mut self.typical, distance, 1.0 / f64::from(self.seen), DISTANCE_POINTS);
        Some(distance)
    }

    /// The nearest shape and the sum of its absolute distances, point by point.
    fn nearest(&self) -> (usize, f32) {
        let mut sums = [f32x8::ZERO; SHAPES / LANES];
        for (sums, block) in sums.iter_mut().zip(self.at.chunks_exact(LANES * SHAPE_POINTS)) {
            for (now, start) in self.window.iter().zip((0..).step_by(LANES)) {
                *sums += (load(block, start) - f32x8::splat(*now)).abs();
            }
        }
        let least = least(&sums);
        let (block, lane) = first(&sums, least);
        (block * LANES + lane, least)
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

    proptest! {
        #[test]
        fn prop_prototypes_stay_in_ascending_order(values in prop::collection::vec(-1000_i32..1000, 0..2000)) {
            let mut memory = ValueMemory::default();
            for (value, n) in values.into_iter().zip(1..) {
                memory.distance(f64::from(value), 0.0, 1.0 / f64::from(n));
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
                values.distance(y, 0.0, 1.0);
                shapes.distance(y, 0.0);
            }
        }
    }

    #[test]
    fn an_extreme_is_remembered_whatever_comes_after() {
        let mut memory = ValueMemory::default();
        memory.distance(1e6, 0.0, 1.0);
        for n in 2..20_000 {
            memory.distance(f64::from(n * 7919 % 1009), 0.0, 1.0 / f64::from(n));
        }
        assert!(memory.distance(1e6, 0.0, 1e-5) < 1.0);
    }

    #[test]
    fn a_shape_seen_before_is_near_and_a_new_one_is_far() {
        let mut memory = PatternMemory::default();
        let mut last = None;
        for n in 0..400 {
            last = memory.distance(f64::from(n % 4 * 10), 0.0);
        }
        assert!(last.unwrap() < 5.0, "{last:?}");
        last = memory.distance(500.0, 0.0);
        assert!(last.unwrap() > 25.0, "{last:?}");
    }
}
