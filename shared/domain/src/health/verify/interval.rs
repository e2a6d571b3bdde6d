//! The difference of two windows with its 95 % interval: by ranks where there are values enough, by Welch's t-test where
//! a rank test could never be sure.
//!
//! An incident that is answered quickly leaves three or four minutes before the change. Three against five values have
//! 56 orders, so ranks alone never reach 95 %; the distance in units of scatter does.

use crate::series::mean;
use stats::compare::{self, Difference};
use stats::robust::median;

/// Values that each side must have.
const SIDE_MIN: usize = 3;
/// 97.5 % quantile of Student's t for 1 to 10 degrees of freedom; beyond them the last one is a little too wide, which is
/// the careful side.
const T_975: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/// The difference, `None` with fewer than three values on a side.
pub(super) fn difference(before: &[f64], after: &[f64]) -> Option<Difference> {
    if before.len() < SIDE_MIN || after.len() < SIDE_MIN {
        return None;
    }
    compare::difference(before, after).or_else(|| welch(before, after))
}

/// Welch's interval with the smaller side's degrees of freedom, which is never too narrow.
fn welch(before: &[f64], after: &[f64]) -> Option<Difference> {
    let (one, other) = (spread(before)?, spread(after)?);
    let error = (one.1 / one.2 + other.1 / other.2).sqrt();
    let freedom = before.len().min(after.len()) - 1;
    let t = T_975.get(freedom.clamp(1, T_975.len()) - 1)?;
    let shift = other.0 - one.0;
    Some(Difference {
        before: median(before)?,
        after: median(after)?,
        shift,
        low: shift - t * error,
        high: shift + t * error,
        n_before: before.len(),
        n_after: after.len(),
    })
}

/// Mean, variance and count.
fn spread(values: &[f64]) -> Option<(f64, f64, f64)> {
    let (center, count) = (mean(values)?, f64::from(u32::try_from(values.len()).ok()?));
    let squares: f64 = values.iter().map(|value| (value - center) * (value - center)).sum();
    Some((center, squares / (count - 1.0), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_values_suffice_when_the_distance_is_large_against_the_scatter() {
        let found = difference(&[95.0, 96.0, 97.0], &[55.0, 56.0, 54.0, 55.5, 56.5]).unwrap();
        assert!(found.high < -35.0 && found.low > -46.0, "{found:?}");
    }

    #[test]
    fn three_scattered_values_prove_nothing_and_two_are_too_few() {
        let found = difference(&[95.0, 40.0, 70.0], &[55.0, 56.0, 54.0, 55.5, 56.5]).unwrap();
        assert!(found.low < 0.0 && found.high > 0.0, "{found:?}");
        assert_eq!(difference(&[95.0, 96.0], &[55.0, 56.0, 54.0]), None);
    }
}
