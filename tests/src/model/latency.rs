//! Response times of a minute as a distribution: a mixture of log-normal parts, published as a few quantiles.
//!
//! A part with mean m is log-normal with shape 0.6: its p95 is 2.24·m, its p99 3.37·m. The mixture's quantiles are
//! found by bisection, so a slow tenth of the requests shows in p95 as it would in life.

/// Requests that take alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Share of all requests, 0 to 1.
    pub share: f64,
    /// Mean time in milliseconds.
    pub mean_ms: f64,
}

/// Quantiles with the share of requests that each stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    /// Time in milliseconds and share of the requests.
    pub points: Vec<(f64, f64)>,
}

/// Shape of each part.
const SIGMA: f64 = 0.6;
/// No answer takes longer: the client has gone.
const TIME_MS_MAX: f64 = 30_000.0;

/// Upper edge of each share, the quantile that stands for it, and that quantile of the normal distribution. 95 and 99
/// are inside a share of their own, so that a percentile read back from the published points is the true one.
const GRID: &[(f64, f64, f64)] = &[
    (0.10, 0.05, -1.644_9),
    (0.20, 0.15, -1.036_4),
    (0.30, 0.25, -0.674_5),
    (0.40, 0.35, -0.385_3),
    (0.50, 0.45, -0.125_7),
    (0.60, 0.55, 0.125_7),
    (0.70, 0.65, 0.385_3),
    (0.80, 0.75, 0.674_5),
    (0.90, 0.85, 1.036_4),
    (0.94, 0.92, 1.405_1),
    (0.96, 0.95, 1.644_9),
    (0.985, 0.975, 1.960_0),
    (0.995, 0.99, 2.326_3),
    (1.0, 0.998, 2.878_2),
];
/// How exact a quantile is, as a share of it.
const EXACT: f64 = 1e-4;

/// The quantiles of a mixture. Nothing of no requests.
pub fn mixture(parts: &[Part]) -> Quantiles {
    let total: f64 = parts.iter().map(|part| part.share).sum();
    if total <= 0.0 {
        return Quantiles { points: Vec::new() };
    }
    let mut from = 0.0;
    let points = GRID
        .iter()
        .map(|(edge, quantile, normal)| {
            let share = edge - from;
            from = *edge;
            (quantile_ms(parts, total, *quantile, *normal), share)
        })
        .collect();
    Quantiles { points }
}

impl Quantiles {
    /// The time that 95 of 100 requests stay under, in milliseconds.
    pub fn p95_ms(&self) -> f64 {
        self.points.get(10).map_or(0.0, |(ms, _)| *ms)
    }
}

/// The mixture's quantile lies between the smallest and the largest of its parts' own; there it is bisected.
fn quantile_ms(parts: &[Part], total: f64, quantile: f64, normal: f64) -> f64 {
    let own = || parts.iter().map(|part| (median_ln(part.mean_ms) + SIGMA * normal).exp());
    let (mut low, mut high) = (own().fold(f64::INFINITY, f64::min), own().fold(0.0, f64::max));
    while high > low * (1.0 + EXACT) {
        let middle = (low * high).sqrt();
        let below: f64 = parts.iter().map(|part| part.share * share_below(middle, part.mean_ms)).sum();
        if below / total < quantile { low = middle } else { high = middle }
    }
    high.min(TIME_MS_MAX)
}

fn median_ln(mean_ms: f64) -> f64 {
    mean_ms.max(0.1).ln() - 0.5 * SIGMA * SIGMA
}

fn share_below(time_ms: f64, mean_ms: f64) -> f64 {
    normal_cdf((time_ms.ln() - median_ln(mean_ms)) / SIGMA)
}

/// The normal distribution function by Abramowitz and Stegun 26.2.17; its error is below 1e-7.
fn normal_cdf(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let poly =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt() * poly;
    if z >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_has_the_documented_p95() {
        let quantiles = mixture(&[Part { share: 1.0, mean_ms: 100.0 }]);
        assert!((quantiles.p95_ms() - 224.1).abs() < 1.0, "{}", quantiles.p95_ms());
        let share: f64 = quantiles.points.iter().map(|(_, share)| share).sum();
        assert!((share - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_slow_tenth_of_the_requests_shows_in_p95() {
        let quantiles = mixture(&[Part { share: 0.9, mean_ms: 50.0 }, Part { share: 0.1, mean_ms: 2_000.0 }]);
        assert!(quantiles.p95_ms() > 1_000.0, "{}", quantiles.p95_ms());
    }
}
