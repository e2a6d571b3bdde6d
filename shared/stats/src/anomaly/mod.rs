//! Streaming anomaly detector: one point in, one score from 0 to 1 out, no look-ahead.
//!
//! Six views watch the series. Five ask "how far is this from everything remembered?" (value, deviation from the
//! recent, the long-term and the seasonal level, shape of the last points), one asks "did the volatility change?".
//! Each view turns its distance into a surprise, −log₁₀ of a tail probability learnt from the series itself, so one
//! parameter set serves all series, whatever their unit. `docs/anomaly-detector.md` has formulas, figures and limits.
//!
//! Never learns from a missing value, never reads a clock, never looks at a point twice: a timestamp that is not
//! newer than the last one changes nothing, so redelivery is harmless.

mod channel;
mod memory;
mod packed;
mod season;
mod tail;

use serde::{Deserialize, Serialize};
use std::array;

use channel::{Channel, blend};
use memory::{Nearest, PatternMemory};
use season::Season;
use tail::Tail;

/// A score at or above this is worth an alert. It is the threshold that was best on the benchmark half the detector was built on.
pub const ALERT_SCORE: f64 = 0.5;

/// Points that are only learnt from. Nothing is scored before a few typical distances are known.
pub const WARM_UP_POINTS: u32 = 100;

/// Tail probabilities beyond this are not told apart: 12 means one in 10¹².
const SURPRISE_MAX: f64 = 12.0;
/// Surprise that maps to [`ALERT_SCORE`].
const SURPRISE_ALERT: f64 = 1.9;
/// Windows, in points, of the running means. Two residual scales, two volatility scales.
const RECENT_POINTS: f64 = 80.0;
const LONG_POINTS: f64 = 400.0;
const VOLATILITY_POINTS: f64 = 36.0;
const VOLATILITY_LONG_POINTS: f64 = 1000.0;
/// Distances under this share of the observed range count as noise of the number format.
const RESOLUTION: f64 = 0.0015;
/// Points after which the detector counts as fully grown; bounds the bar and the refractory time on endless series.
const GROWN_POINTS: u32 = 20_000;
/// The longer a series is watched, the more extremes chance produces: the bar rises by this × log₁₀(points / 100).
const BAR_PER_DECADE: f64 = 0.8;
/// Refractory time constant: a base and a share of the points seen.
const REFRACTORY_POINTS: f64 = 120.0;
const REFRACTORY_SHARE: f64 = 0.05;
/// After an alert only a surprise this much above the decayed last one counts in full; others keep a tenth, for display.
const REFRACTORY_MARGIN: f64 = 1.1;
const REFRACTORY_DAMPING: f64 = 0.1;
/// Scores fade in up to this many points.
const FADE_IN_POINTS: f64 = 150.0;
/// Values farther than this from the first one do not fit the state's number format and are skipped like missing ones.
const DISTANCE_MAX: f64 = 1e30;
/// Format of the stored state; a state of another format is refused, and the caller starts anew.
const STATE_VERSION: u8 = 1;

/// What about a point was unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The value itself was never near before.
    Value,
    /// The deviation from the level of the last points (about 80).
    RecentLevel,
    /// The deviation from the long-term level (about 400 points).
    LongTermLevel,
    /// The deviation from what is usual at this hour of the week, or of the day while the week is not known.
    Season,
    /// The shape of the last eight points.
    Pattern,
    /// The size of the steps between points, against its long-term mean.
    Volatility,
}

/// All views, in the order in which their surprises are listed.
const VIEWS: [View; 6] =
    [View::Value, View::RecentLevel, View::LongTermLevel, View::Season, View::Pattern, View::Volatility];

/// The answer for one point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 (usual) to 1; [`ALERT_SCORE`] and above is an alert. Damped for a while after an alert.
    pub value: f64,
    /// Combined surprise before damping, −log₁₀ of a tail probability less the bar; for evidence.
    pub surprise: f64,
    /// The view that was surprised most.
    pub view: View,
    /// The value that was expected: the seasonal level if known, else the recent level.
    pub expected: f64,
}

/// The detector of one series. Its state is bounded: about 5.5 KB as JSON, whatever the series' length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    #[serde(deserialize_with = "this_version")]
    version: u8,
    last_time_s: Option<i64>,
    points: u32,
    #[serde(with = "packed::one")]
    origin: f64,
    #[serde(with = "packed::one")]
    last: f64,
    #[serde(with = "packed::one")]
    recent: f64,
    #[serde(with = "packed::one")]
    long: f64,
    #[serde(with = "packed::one")]
    step_short: f64,
    #[serde(with = "packed::one")]
    step_long: f64,
    season: Season,
    value: Channel,
    recent_residual: Channel,
    long_residual: Channel,
    season_residual: Channel,
    shape: PatternMemory,
    shape_tail: Tail,
    volatility_tail: Tail,
    #[serde(with = "packed::one")]
    last_alert: f64,
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            version: STATE_VERSION,
            last_time_s: None,
            points: 0,
            origin: 0.0,
            last: 0.0,
            recent: 0.0,
            long: 0.0,
            step_short: 0.0,
            step_long: 0.0,
            season: Season::default(),
            value: Channel::default(),
            recent_residual: Channel::default(),
            long_residual: Channel::default(),
            season_residual: Channel::default(),
            shape: PatternMemory::default(),
            shape_tail: Tail::default(),
            volatility_tail: Tail::default(),
            last_alert: 0.0,
        }
    }
}

impl Detector {
    /// Scores a point and learns from it. `time_s` is in seconds since 1970 (UTC).
    ///
    /// `None`, and nothing is learnt, when the value is missing (NaN, infinite or absurdly far away) or the time is
    /// not after the last one.
    pub fn update(&mut self, time_s: i64, value: f64) -> Option<Score> {
        if self.last_time_s.is_some_and(|last| time_s <= last) || !value.is_finite() {
            return None;
        }
        if self.points == 0 {
            self.origin = value;
        }
        let y = value - self.origin;
        if y.abs() > DISTANCE_MAX {
            return None;
        }
        self.last_time_s = Some(time_s);
        self.points = self.points.saturating_add(1);

        let (surprises, expected) = self.observe(time_s, y);
        let (view, combined) = combine(&surprises);
        let surprise = self.above_bar(combined);
        Some(Score { value: to_unit(self.refractory(surprise)), surprise, view, expected: expected + self.origin })
    }

    /// How many points the detector has learnt from.
    #[must_use]
    pub fn points(&self) -> u32 {
        self.points
    }

    /// The time of the newest point, in seconds since 1970, or `None` before the first.
    #[must_use]
    pub fn last_time_s(&self) -> Option<i64> {
        self.last_time_s
    }

    /// Every view's surprise about `y`, and the expected level; then the levels learn `y`.
    fn observe(&mut self, time_s: i64, y: f64) -> ([f64; VIEWS.len()], f64) {
        let n = f64::from(self.points);
        let (first, warm) = (self.points == 1, self.points > WARM_UP_POINTS);
        let inverse_n = 1.0 / n;
        let step = (y - self.last).abs();
        let seasonal = self.season.expected(time_s);
        let expected = seasonal.unwrap_or(if first { y } else { self.recent });
        let (recent, long) = if first { (y, y) } else { (self.recent, self.long) };
        let numbers = [y, y - recent, y - long, y - expected];

        // Stage by stage for all views, not view by view: within a view each step waits for the one before.
        let channels = [&mut self.value, &mut self.recent_residual, &mut self.long_residual, &mut self.season_residual];
        let nearest: [Nearest; 4] = array::from_fn(|k| channels[k].nearest(numbers[k]));
        let nearest_shape = self.shape.nearest(y);

        let [value, recent, long, season] = array::from_fn(|k| channels[k].learn(numbers[k], nearest[k], inverse_n));
        let (resolution, unit) = (self.value.resolution(), self.value.unit());
        let shape = nearest_shape.map(|nearest| self.shape.learn(nearest, resolution) / unit);
        let volatility = (!first).then(|| self.volatility(step, 1.0 / (n - 1.0)));

        let [by_value, by_recent, by_long, by_season, by_shape] = if warm {
            [
                self.value.surprise(value),
                self.recent_residual.surprise(recent),
                self.long_residual.surprise(long),
                self.season_residual.surprise(season),
                shape.map_or(0.0, |distance| self.shape_tail.observe(distance)),
            ]
        } else {
            [0.0; 5]
        };
        let by_volatility = volatility.map_or(0.0, |distance| self.volatility_tail.observe(distance));

        self.season.learn(time_s, y);
        blend(&mut self.recent, y, inverse_n, RECENT_POINTS);
        blend(&mut self.long, y, inverse_n, LONG_POINTS);
        self.last = y;
        ([by_value, by_recent, by_long, by_season, by_shape, by_volatility], expected)
    }

    /// How far the ratio of the short-term to the long-term mean step is from 1, in either direction.
    fn volatility(&mut self, step: f64, inverse_n: f64) -> f64 {
        blend(&mut self.step_short, step, inverse_n, VOLATILITY_POINTS);
        let floor = self.value.resolution() + f64::MIN_POSITIVE;
        let ratio = if inverse_n >= 0.5 { 1.0 } else { (self.step_short + floor) / (self.step_long + floor) };
        blend(&mut self.step_long, step, inverse_n, VOLATILITY_LONG_POINTS);
        ratio.max(1.0 / ratio) - 1.0
    }

    /// What is left of a combined surprise after the bar that rises with the length of the series.
    fn above_bar(&self, combined: f64) -> f64 {
        if combined <= 0.0 {
            return 0.0;
        }
        let n = f64::from(self.points.min(GROWN_POINTS));
        let left = (combined - BAR_PER_DECADE * (n / 100.0).max(1.0).log10()).max(0.0);
        if n < FADE_IN_POINTS { left * 0.5 * n / FADE_IN_POINTS } else { left }
    }

    /// Damps a surprise that follows a stronger or similar one, and remembers the strongest of late.
    fn refractory(&mut self, surprise: f64) -> f64 {
        let n = f64::from(self.points.min(GROWN_POINTS));
        self.last_alert *= 1.0 - 1.0 / (REFRACTORY_POINTS + REFRACTORY_SHARE * n);
        let fresh = surprise > self.last_alert * REFRACTORY_MARGIN;
        self.last_alert = self.last_alert.max(surprise);
        if fresh { surprise } else { surprise * REFRACTORY_DAMPING }
    }
}

/// The most surprised view and the 4-norm of all surprises: near the maximum, but agreement of views counts.
fn combine(surprises: &[f64; VIEWS.len()]) -> (View, f64) {
    let (mut view, mut most) = (VIEWS[0], surprises[0]);
    let mut sum = 0.0;
    for (&surprise, name) in surprises.iter().zip(VIEWS) {
        if surprise > most {
            (view, most) = (name, surprise);
        }
        let square = surprise * surprise;
        sum += square * square;
    }
    (view, sum.sqrt().sqrt())
}

/// Maps a surprise to 0..1, monotone, without ties; [`SURPRISE_ALERT`] becomes [`ALERT_SCORE`].
fn to_unit(surprise: f64) -> f64 {
    surprise / (surprise + SURPRISE_ALERT)
}

fn this_version<'de, D: serde::Deserializer<'de>>(source: D) -> Result<u8, D::Error> {
    let version = u8::deserialize(source)?;
    if version == STATE_VERSION {
        return Ok(version);
    }
    Err(serde::de::Error::custom(format!(
        "detector state has version {version}, this build reads version {STATE_VERSION}"
    )))
}

#[cfg(test)]
mod tests;
