//! When a series changed its level for good: one change point, robust against single outliers.
//!
//! Looks for the split with the largest difference of means, weighed by the lengths of both sides (the CUSUM statistic),
//! then compares the medians of both sides with the scatter. Never takes a slow drift or a single spike for an onset.

use super::view::Points;
use crate::series::mean;
use jiff::Timestamp;
use stats::robust::{mad, median};

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onset {
    /// First point of the new level.
    pub at: Timestamp,
    /// Median before.
    pub before: f64,
    /// Median since.
    pub after: f64,
}

/// Points that a side must have.
const SIDE_MIN: usize = 3;
/// How many times the scatter a change of level must be.
const SCATTER_TIMES: f64 = 6.0;

/// The onset of the present level, if it differs from the level before by at least `min_change` and by six times the
/// scatter before. `None` without enough points.
pub fn onset(points: &Points, min_change: f64) -> Option<Onset> {
    let split = best_split(points)?;
    let values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    let (early, late) = values.split_at(split);
    let (before, after) = (median(early)?, median(late)?);
    // Where more than half of the values are the same, the MAD is zero however wild the others are.
    let away: Vec<f64> = early.iter().map(|value| (value - before).abs()).collect();
    let scatter = mad(early)?.max(mean(&away)?);
    let change = (after - before).abs();
    let real = change >= min_change && change >= SCATTER_TIMES * scatter;
    // What has come back is no onset of the present level.
    let lasts = late.iter().rev().take(SIDE_MIN).all(|value| (value - before).abs() >= 0.5 * min_change);
    (real && lasts).then_some(Onset { at: points.get(split)?.0, before, after })
}

fn best_split(points: &Points) -> Option<usize> {
    let count = u32::try_from(points.len()).ok()?;
    if points.len() < 2 * SIDE_MIN + 1 {
        return None;
    }
    let total: f64 = points.iter().map(|(_, value)| *value).sum();
    let all = f64::from(count);
    let (mut best, mut best_weight, mut sum, mut seen) = (None, 0.0, 0.0, 0.0_f64);
    for (index, (_, value)) in points.iter().enumerate() {
        let sides_long_enough = index >= SIDE_MIN && index + SIDE_MIN <= points.len();
        if sides_long_enough {
            let rest = all - seen;
            let weight = ((total - sum) / rest - sum / seen).abs() * (seen * rest / all).sqrt();
            if weight > best_weight {
                (best, best_weight) = (Some(index), weight);
            }
        }
        sum += value;
        seen += 1.0;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Points {
        let start = Timestamp::UNIX_EPOCH;
        (0_i64..).zip(values).map(|(minute, value)| (start + jiff::SignedDuration::from_mins(minute), *value)).collect()
    }

    #[test]
    fn finds_the_first_minute_of_the_new_level() {
        let mut values = vec![96.0; 60];
        values.extend([2.0; 6]);
        let found = onset(&points(&values), 20.0).unwrap();
        assert_eq!((found.at.as_second(), found.before, found.after), (3_600, 96.0, 2.0));
    }

    #[test]
    fn a_spike_and_a_level_that_came_back_are_no_onset() {
        let mut spike = vec![96.0; 60];
        spike[40] = 2.0;
        assert_eq!(onset(&points(&spike), 20.0), None);
        let mut back = vec![96.0; 40];
        back.extend([2.0; 10]);
        back.extend([96.0; 5]);
        assert_eq!(onset(&points(&back), 20.0), None);
    }

    #[test]
    fn a_change_within_the_scatter_is_no_onset() {
        let values: Vec<f64> =
            (0..60).map(|i| if i % 2 == 0 { 40.0 } else { 60.0 } + if i > 50 { 25.0 } else { 0.0 }).collect();
        assert_eq!(onset(&points(&values), 20.0), None);
    }
}
