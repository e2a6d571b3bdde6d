//! Memories of what a series has looked like: a bounded set of prototypes, and the distance of something new to them.
//!
//! What is far from every prototype becomes one; what is near pulls its prototype a little. So a spike is news once,
//! and a series that always spikes is not news at all. Both memories are bounded and hold no time.

use serde::{Deserialize, Serialize};

use super::channel::blend;
use super::packed;

/// Prototypes of a single number.
const VALUES: usize = 64;
/// Prototypes of a shape, and points in a shape.
const SHAPES: usize = 32;
const SHAPE_POINTS: usize = 8;
/// A new prototype needs a distance over this many typical ones.
const VALUE_VIGILANCE: f64 = 1.4;
const SHAPE_VIGILANCE: f64 = 1.0;
/// How much of its distance a near point pulls its prototype.
const PULL: f32 = 0.05;
/// Window, in points, of the typical distance.
const DISTANCE_POINTS: f64 = 400.0;

/// Prototypes of a single number, in ascending order. When full, the two nearest ones merge, so extremes stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ValueMemory {
    #[serde(with = "packed")]
    at: [f32; VALUES],
    len: u8,
    #[serde(with = "packed::one")]
    typical: f64,
}

impl Default for ValueMemory {
    fn default() -> Self {
        Self { at: [0.0; VALUES], len: 0, typical: 0.0 }
    }
}

impl ValueMemory {
    /// Distance of `y` to the nearest prototype (0 for the first), after which `y` is remembered.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn distance(&mut self, y: f64, resolution: f64, inverse_n: f64) -> f64 {
        let y = y as f32;
        let len = usize::from(self.len).min(VALUES);
        let right = self.at[..len].partition_point(|&p| p < y);
        let to_right = if right < len { self.at[right] - y } else { f32::INFINITY };
        let to_left = if right > 0 { y - self.at[right - 1] } else { f32::INFINITY };
        if len == 0 {
            self.insert(0, y);
            return 0.0;
        }
        let (nearest, gap) = if to_left <= to_right { (right - 1, to_left) } else { (right, to_right) };
        let distance = f64::from(gap);
        if distance > VALUE_VIGILANCE * self.typical && distance > resolution {
            self.insert(right, y);
        } else {
            self.at[nearest] += PULL * (y - self.at[nearest]);
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
        let mut merged = 0;
        for k in 1..VALUES - 1 {
            if self.at[k + 1] - self.at[k] < self.at[merged + 1] - self.at[merged] {
                merged = k;
            }
        }
        self.at[merged] = 0.5 * (self.at[merged] + self.at[merged + 1]);
        if place <= merged + 1 {
            self.at.copy_within(place..=merged, place + 1);
            self.at[place.min(merged + 1)] = y;
        } else {
            self.at.copy_within(merged + 2..place, merged + 1);
            self.at[place - 1] = y;
        }
    }
}

/// Prototypes of the shape of the last points; the oldest is replaced. Stored point by point, so that the search over
/// all prototypes is a vector operation; unused places are infinite and therefore never nearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
        let mut sums = [0.0_f32; SHAPES];
        for (now, then) in self.window.iter().zip(self.at.chunks_exact(SHAPES)) {
            for (sum, point) in sums.iter_mut().zip(then) {
                *sum += (point - now).abs();
            }
        }
        let mut nearest = 0;
        for (shape, sum) in sums.iter().enumerate() {
            if *sum < sums[nearest] {
                nearest = shape;
            }
        }
        let known = sums[nearest].is_finite();
        let distance = if known { f64::from(sums[nearest]) / SHAPE_POINTS as f64 } else { 0.0 };
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

    /// Moves a stored shape towards the window: fully (a new one) or by a share.
    fn write(&mut self, shape: usize, share: f32) {
        for (now, then) in self.window.iter().zip(self.at.chunks_exact_mut(SHAPES)) {
            then[shape] = if share < 1.0 { then[shape] + share * (now - then[shape]) } else { *now };
        }
    }
}
