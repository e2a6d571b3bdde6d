//! Does a series rise or fall, how fast, and could that be chance? Theil–Sen slope with Mann–Kendall significance.
//!
//! Both rest on the order of points only, so a spike does not make a trend. They assume that points are independent
//! given the trend: a strongly autocorrelated series looks more significant than it is, and a season within the window
//! is no trend, so give it whole days or the residuals from the season.

use super::normal::{Z_95, two_sided_p};
use super::robust::{median, sorted, thin};

/// More points than this are thinned evenly: all pairs are compared, so the cost grows with the square.
pub const POINTS_MAX: usize = 200;

/// From this many points the normal approximation of the p-value holds (Kendall, *Rank Correlation Methods*, 1970).
pub const POINTS_MIN_FOR_P: usize = 10;

/// A straight line through a series and how likely chance alone would rank the points so.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Trend {
    /// Change of y per unit of x: the median of the slopes between all pairs of points (Sen 1968).
    pub slope: f64,
    /// y of the line at x = 0: the median of y − slope · x.
    pub intercept: f64,
    /// Two-sided p-value of the Mann–Kendall test. Only meaningful from [`POINTS_MIN_FOR_P`] points.
    pub p_value: f64,
    /// Points used, after dropping gaps and thinning.
    pub n: usize,
}

impl Trend {
    /// Whether the trend is real at level `alpha` (0.05, say). Never with fewer than [`POINTS_MIN_FOR_P`] points.
    #[must_use]
    pub fn is_significant(&self, alpha: f64) -> bool {
        self.n >= POINTS_MIN_FOR_P && self.p_value < alpha
    }

    /// y of the line at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    /// The x at which the line reaches `y`, or `None` if it never does.
    #[must_use]
    pub fn reaches(&self, y: f64) -> Option<f64> {
        let x = (y - self.intercept) / self.slope;
        x.is_finite().then_some(x)
    }
}

/// The trend of points `(x, y)` in any order. Points with a NaN or infinite part are gaps and ignored.
///
/// `None` with fewer than three points or if all x are equal.
///
/// Example: (0, 1), (1, 3), (2, 4), (3, 6), (4, 30) has pair slopes 2, 1.5, 5⁄3, 7.25, 1, 1.5, 26⁄3, 2, 13, 24;
/// their median is 2, so the spike at the end does not matter. S = 10, Var S = 5 · 4 · 15 / 18 = 16.67,
/// z = 9 / 4.08 = 2.20, p = 0.027 (five points are too few to rely on it).
#[must_use]
pub fn theil_sen(points: &[(f64, f64)]) -> Option<Trend> {
    let pairs = Pairs::of(points)?;
    let slope = median(&pairs.slopes)?;
    let rests: Vec<f64> = pairs.points.iter().map(|(x, y)| y - slope * x).collect();
    Some(Trend { slope, intercept: median(&rests)?, p_value: pairs.p_value(), n: pairs.points.len() })
}

/// A slope with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Change of y per unit of x, as in [`Trend`].
    pub slope: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The slope of points `(x, y)` with the interval of Sen (1968): of the N slopes between pairs with different x, sorted, those
/// numbered C and N + 1 − C, C = ⌊(N − 1.96 · √Var S) / 2⌋, Var S as for the p-value. Where x takes two values only, this is the
/// shift of Hodges and Lehmann between the two groups, per unit of x. Gaps and thinning as in [`theil_sen`].
///
/// `None` where there is no trend, or too few points for a 95 % interval (C < 1).
///
/// Example: the points of [`theil_sen`] have N = 10 and Var S = 16.67, so C = ⌊(10 − 8.00) / 2⌋ = 0: no interval.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let pairs = Pairs::of(points)?;
    let slopes = sorted(&pairs.slopes);
    let cut = ((slopes.len() as f64 - Z_95 * pairs.variance().max(0.0).sqrt()) / 2.0).floor();
    if cut < 1.0 {
        return None;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1 and at most half the slopes"
    )]
    let cut = cut as usize;
    Some(Slope {
        slope: median(&slopes)?,
        low: *slopes.get(cut - 1)?,
        high: *slopes.get(slopes.len().checked_sub(cut)?)?,
    })
}

/// All pairs of points with different x.
struct Pairs {
    points: Vec<(f64, f64)>,
    slopes: Vec<f64>,
    /// Kendall's S: pairs that rise less pairs that fall.
    rises: i32,
}

impl Pairs {
    fn of(points: &[(f64, f64)]) -> Option<Self> {
        let mut known: Vec<(f64, f64)> =
            points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let points = thin(&known, POINTS_MAX);
        let n = points.len();
        if n < 3 {
            return None;
        }
        let mut slopes = Vec::with_capacity(n * (n - 1) / 2);
        let mut rises = 0_i32;
        for (i, &(x, y)) in points.iter().enumerate() {
            for &(later_x, later_y) in points[i + 1..].iter().filter(|later| later.0 > x) {
                slopes.push((later_y - y) / (later_x - x));
                rises += i32::from(later_y > y) - i32::from(later_y < y);
            }
        }
        Some(Self { points, slopes, rises })
    }

    /// Var S, corrected for ties in x and y (Kendall 1970, eq. 4.4).
    fn variance(&self) -> f64 {
        let n = self.points.len() as f64;
        let x = Ties::of(self.points.iter().map(|p| p.0));
        let y = Ties::of(self.points.iter().map(|p| p.1));
        (n * (n - 1.0) * (2.0 * n + 5.0) - x.spread - y.spread) / 18.0
            + x.pairs * y.pairs / (2.0 * n * (n - 1.0))
            + x.triples * y.triples / (9.0 * n * (n - 1.0) * (n - 2.0))
    }

    /// Two-sided p of Kendall's S: z = (|S| − 1) / √Var S.
    fn p_value(&self) -> f64 {
        let (distance, variance) = (f64::from(self.rises.abs()) - 1.0, self.variance());
        if distance <= 0.0 || variance <= 0.0 { 1.0 } else { two_sided_p(distance / variance.sqrt()) }
    }
}

/// Sums over groups of t equal values: t(t−1), t(t−1)(t−2) and t(t−1)(2t+5).
struct Ties {
    pairs: f64,
    triples: f64,
    spread: f64,
}

impl Ties {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let mut ties = Self { pairs: 0.0, triples: 0.0, spread: 0.0 };
        for group in values.chunk_by(|a, b| a == b) {
            let t = group.len() as f64;
            ties.pairs += t * (t - 1.0);
            ties.triples += t * (t - 1.0) * (t - 2.0);
            ties.spread += t * (t - 1.0) * (2.0 * t + 5.0);
        }
        ties
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(n: usize, slope: f64) -> Vec<(f64, f64)> {
        (0..n).map(|i| (i as f64, 3.0 + slope * i as f64)).collect()
    }

    #[test]
    fn the_worked_example_holds() {
        let trend = theil_sen(&[(0.0, 1.0), (1.0, 3.0), (2.0, 4.0), (3.0, 6.0), (4.0, 30.0)]).unwrap();
        assert_eq!((trend.slope, trend.n), (2.0, 5));
        assert!((trend.p_value - 0.0275).abs() < 0.0005, "{trend:?}");
        assert!(!trend.is_significant(0.05), "five points are too few");
    }

    #[test]
    fn p_values_agree_with_the_formula_by_hand_with_and_without_ties() {
        // Three of 45 pairs fall: S = 39, no ties: Var S = 125, z = 38 / √125.
        let y = [1.0, 2.0, 4.0, 3.0, 5.0, 6.0, 8.0, 7.0, 10.0, 9.0];
        let points: Vec<(f64, f64)> = (0..).map(f64::from).zip(y).collect();
        let trend = theil_sen(&points).unwrap();
        assert!((trend.p_value - two_sided_p(38.0 / 125.0_f64.sqrt())).abs() < 1e-12, "{trend:?}");
        // Four pairs tie, none falls: S = 41, groups of 3 and 2, Var S = (10·9·25 − 3·2·11 − 2·1·9) / 18.
        let y = [1.0, 1.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let points: Vec<(f64, f64)> = (0..).map(f64::from).zip(y).collect();
        let trend = theil_sen(&points).unwrap();
        assert!((trend.p_value - two_sided_p(40.0 / (2166.0_f64 / 18.0).sqrt())).abs() < 1e-12, "{trend:?}");
    }

    #[test]
    fn a_slope_has_the_interval_of_sen_and_none_from_too_few_points() {
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 4.0), (3.0, 6.0), (4.0, 30.0)]), None);
        let exact = slope(&line(10, 2.0)).unwrap();
        assert_eq!((exact.slope, exact.low, exact.high), (2.0, 2.0, 2.0));
        // Two levels: the shift and interval of Hodges and Lehmann, per unit of x.
        let before = [10.0, 12.0, 11.0, 13.0, 12.5, 11.5];
        let after = [7.0, 8.0, 6.0, 9.0, 7.5, 8.5];
        let steps = before.iter().map(|y| (0.0, *y)).chain(after.iter().map(|y| (-2.0, *y)));
        let step = slope(&steps.collect::<Vec<_>>()).unwrap();
        let shift = crate::compare::difference(&before, &after).unwrap();
        assert_eq!((step.slope, step.low, step.high), (-shift.shift / 2.0, -shift.high / 2.0, -shift.low / 2.0));
    }

    #[test]
    fn series_that_say_nothing_have_no_trend_or_none_that_counts() {
        assert_eq!(theil_sen(&[]), None);
        assert_eq!(theil_sen(&[(0.0, 1.0), (1.0, 2.0)]), None);
        assert_eq!(theil_sen(&[(5.0, 1.0); 20]), None);
        assert_eq!(theil_sen(&[(f64::NAN, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 1.0), (4.0, 1.0)]), None);
        let flat = theil_sen(&line(50, 0.0)).unwrap();
        assert_eq!((flat.slope, flat.p_value, flat.reaches(9.0)), (0.0, 1.0, None));
    }

    #[test]
    fn a_long_series_is_thinned_and_keeps_its_ends() {
        let trend = theil_sen(&line(10_000, 0.5)).unwrap();
        assert_eq!((trend.slope, trend.intercept, trend.n), (0.5, 3.0, POINTS_MAX));
        assert!(trend.is_significant(1e-9));
    }

    #[test]
    fn time_to_full_is_where_the_line_reaches_the_limit() {
        let trend = theil_sen(&line(20, 2.0)).unwrap();
        assert_eq!(trend.reaches(103.0), Some(50.0));
        assert_eq!(trend.at(50.0), 103.0);
    }

    fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((0_i32..500, -1000_i32..1000), 3..80)
            .prop_map(|points| points.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect())
    }

    proptest! {
        #[test]
        fn prop_a_quarter_of_wild_points_does_not_turn_the_slope(n in 12_usize..60, slope in 0.5_f64..5.0, wild in -1e6_f64..1e6) {
            let mut points = line(n, slope);
            for k in 0..n / 8 {
                points[k * 8].1 = wild;
            }
            prop_assert!(theil_sen(&points).unwrap().slope > 0.0);
        }

        #[test]
        fn prop_gaps_and_order_do_not_matter(points in points()) {
            let mut other = points.clone();
            other.reverse();
            other.insert(0, (3.0, f64::NAN));
            prop_assert_eq!(theil_sen(&points), theil_sen(&other));
        }

        #[test]
        fn prop_mirroring_y_mirrors_the_slope_and_keeps_p(points in points()) {
            let mirrored: Vec<(f64, f64)> = points.iter().map(|(x, y)| (*x, -y)).collect();
            match (theil_sen(&points), theil_sen(&mirrored)) {
                (Some(a), Some(b)) => {
                    prop_assert!((a.slope + b.slope).abs() < 1e-9);
                    prop_assert!((a.p_value - b.p_value).abs() < 1e-12);
                    prop_assert!((0.0..=1.0).contains(&a.p_value));
                }
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }
}
