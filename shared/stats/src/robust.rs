//! Order statistics that a few wild values can't move: median, MAD, percentiles.
//!
//! All functions ignore NaN (a missing value) and answer `None` when nothing is left. Infinite values count as extremes.

/// Factor that makes the MAD of normally distributed values estimate their standard deviation: 1 / Φ⁻¹(3/4).
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The values that are present, ascending.
pub(super) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut present: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    present.sort_by(f64::total_cmp);
    present
}

/// At most `limit` of the items, evenly spaced, the first and the last among them.
pub(super) fn thin<T: Copy>(items: &[T], limit: usize) -> Vec<T> {
    if items.len() <= limit || limit < 2 {
        return items.to_vec();
    }
    (0..limit).map(|k| items[k * (items.len() - 1) / (limit - 1)]).collect()
}

/// The percentile `p` (0..=100) by linear interpolation between order statistics: type 7 of Hyndman and Fan (1996),
/// what R, NumPy and spreadsheets do by default.
///
/// With n values sorted ascending and h = (n − 1) · p / 100 it is x[⌊h⌋] + (h − ⌊h⌋) · (x[⌊h⌋ + 1] − x[⌊h⌋]).
/// Example: the 90th percentile of 1, 2, 3, 4 has h = 2.7 and is 3 + 0.7 · (4 − 3) = 3.7.
///
/// `None` without values, or for a `p` outside 0..=100.
#[must_use]
pub fn percentile(values: &[f64], p: f64) -> Option<f64> {
    percentile_of_sorted(&sorted(values), p)
}

/// [`percentile`] of values that are sorted already and hold no NaN.
#[must_use]
pub fn percentile_of_sorted(sorted: &[f64], p: f64) -> Option<f64> {
    if !(0.0..=100.0).contains(&p) {
        return None;
    }
    let last = sorted.len().checked_sub(1)?;
    let h = last as f64 * p / 100.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and last")]
    let below = (h.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let share = h - below as f64;
    // Interpolating between equal or infinite neighbours would make ∞ − ∞.
    if share == 0.0 || low == high { Some(low) } else { Some(low + share * (high - low)) }
}

/// The median: the 50th percentile, so the mean of the two middle values of an even count.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    percentile(values, 50.0)
}

/// The median absolute deviation from the median, unscaled; times [`MAD_TO_SIGMA`] it estimates a standard deviation.
///
/// Example: 1, 1, 2, 2, 4, 6, 9 has median 2, absolute deviations 1, 1, 0, 0, 2, 4, 7 and MAD 1.
#[must_use]
pub fn mad(values: &[f64]) -> Option<f64> {
    let center = median(values)?;
    let deviations: Vec<f64> = values.iter().filter(|v| !v.is_nan()).map(|v| (v - center).abs()).collect();
    median(&deviations)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAN: f64 = f64::NAN;

    #[test]
    fn percentiles_agree_with_type_7_of_r() {
        for (values, p, want) in [
            (&[1.0, 2.0, 3.0, 4.0][..], 90.0, Some(3.7)),
            (&[4.0, 1.0, 3.0, 2.0], 25.0, Some(1.75)),
            (&[15.0, 20.0, 35.0, 40.0, 50.0], 40.0, Some(29.0)),
            (&[15.0, 20.0, 35.0, 40.0, 50.0], 0.0, Some(15.0)),
            (&[15.0, 20.0, 35.0, 40.0, 50.0], 100.0, Some(50.0)),
            (&[7.0], 33.0, Some(7.0)),
            (&[NAN, 2.0, NAN, 4.0], 50.0, Some(3.0)),
            (&[NAN], 50.0, None),
            (&[], 50.0, None),
            (&[1.0, 2.0], 101.0, None),
            (&[1.0, 2.0], NAN, None),
            (&[1.0, f64::INFINITY], 100.0, Some(f64::INFINITY)),
        ] {
            match (percentile(values, p), want) {
                (Some(got), Some(want)) if got.is_finite() => {
                    assert!((got - want).abs() < 1e-12, "{values:?} {p} {got}")
                }
                (got, want) => assert_eq!(got, want, "{values:?} {p}"),
            }
        }
    }

    #[test]
    fn median_and_mad_of_known_samples() {
        for (values, center, spread) in [
            (&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0][..], Some(2.0), Some(1.0)),
            (&[3.0, 1.0], Some(2.0), Some(1.0)),
            (&[5.0, 5.0, 5.0, 1e9], Some(5.0), Some(0.0)),
            (&[NAN, 1.0, NAN], Some(1.0), Some(0.0)),
            (&[], None, None),
        ] {
            assert_eq!(median(values), center, "{values:?}");
            assert_eq!(mad(values), spread, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn prop_percentiles_lie_within_the_values_and_rise_with_p(values in prop::collection::vec(-1e9_f64..1e9, 1..60), p in 0.0_f64..100.0, q in 0.0_f64..100.0) {
            let all = sorted(&values);
            let (low, high) = (percentile(&values, p.min(q)).unwrap(), percentile(&values, p.max(q)).unwrap());
            prop_assert!(all[0] <= low && low <= high + 1e-6 && high <= all[all.len() - 1] + 1e-6);
        }

        #[test]
        fn prop_less_than_half_of_wild_values_do_not_move_the_median_out_of_the_rest(good in prop::collection::vec(0.0_f64..1.0, 5..40), wild in -1e12_f64..1e12) {
            let mut values = good.clone();
            values.extend(std::iter::repeat_n(wild, good.len() - 1));
            let center = median(&values).unwrap();
            prop_assert!((0.0..=1.0).contains(&center));
        }

        #[test]
        fn prop_mad_ignores_a_shift_and_follows_a_scale(values in prop::collection::vec(-1e3_f64..1e3, 1..40), shift in -1e3_f64..1e3) {
            let plain = mad(&values).unwrap();
            let moved: Vec<f64> = values.iter().map(|v| 4.0 * v + shift).collect();
            prop_assert!((mad(&moved).unwrap() - 4.0 * plain).abs() < 1e-6);
        }
    }
}
