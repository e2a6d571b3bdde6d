//! Trends of judged signals: slopes that are robust against outliers and too regular to be chance.
//!
//! Slopes are fitted to means of five minutes: neighbouring minutes resemble each other, and counting them as
//! independent would call every wave a trend.

use super::score::SignalScore;
use super::view::{Points, View, between};
use crate::ids::{ResourceId, SignalId};
use crate::observed::Observed;
use crate::series::Series;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stats::trend::{POINTS_MIN_FOR_P, theil_sen};
use std::borrow::Cow;

/// A significant trend of one signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrendSeen {
    /// Signal.
    pub signal: SignalId,
    /// Resource.
    pub resource: ResourceId,
    /// Member of it, where it is read per member.
    pub member: Option<String>,
    /// Change per hour, in the signal's unit.
    pub per_hour: f64,
    /// Probability that a series which stands still would look like this.
    pub p_value: f64,
    /// Which way it goes.
    pub direction: Direction,
}

/// Which way a trend goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards good.
    Better,
    /// Towards bad.
    Worse,
}

/// A slope per hour with its significance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// Change per hour.
    pub per_hour: f64,
    /// Probability under "stands still".
    pub p_value: f64,
}

/// Length of the bins in seconds; shorter ones where the points span less than an hour.
const BIN_S: i64 = 300;
const SHORT_BIN_S: i64 = 150;
const HOUR_S: i64 = 3_600;
/// Share of the way from good to bad that a trend must go in an hour to be worth a word.
const WORTH_A_WORD: f64 = 0.05;

/// Significant trends of all judged signals that are known.
pub fn trends(view: &View<'_>, signals: &[SignalScore]) -> Vec<TrendSeen> {
    let worth = signals.iter().filter(|signal| !signal.score.is_missing());
    worth.filter_map(|signal| trend(view, signal)).collect()
}

fn trend(view: &View<'_>, signal: &SignalScore) -> Option<TrendSeen> {
    let series = series_of(view, signal)?;
    let points = between(&series, Timestamp::MIN, view.snapshot.taken_at);
    let width = signal.bad - signal.good;
    let least_per_hour = WORTH_A_WORD * width.abs();
    if is_flat(&points, least_per_hour) {
        return None;
    }
    let slope = slope(&points)?;
    let real = slope.p_value <= view.policy.trend_p_max && slope.per_hour.abs() >= least_per_hour;
    real.then(|| TrendSeen {
        signal: signal.signal.clone(),
        resource: signal.resource.clone(),
        member: signal.member.clone(),
        per_hour: slope.per_hour,
        p_value: slope.p_value,
        direction: if (slope.per_hour > 0.0) == (width > 0.0) { Direction::Worse } else { Direction::Better },
    })
}

/// True when the whole range of the values is under half of what the least trend would have covered. Most series are, and
/// it spares them the comparison of all pairs.
fn is_flat(points: &Points, least_per_hour: f64) -> bool {
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else { return true };
    let hours = f64::from(i32::try_from(last.duration_since(*first).as_secs()).unwrap_or(i32::MAX)) / 3_600.0;
    let (low, high) =
        points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, v)| (low.min(*v), high.max(*v)));
    high - low < 0.5 * least_per_hour * hours
}

fn series_of<'a>(view: &View<'a>, signal: &SignalScore) -> Option<Cow<'a, Series>> {
    let id = signal.signal.as_str();
    if signal.member.is_some() {
        let own = view.one(id, &signal.resource, signal.member.as_deref())?;
        return own.series.known().map(Cow::Borrowed);
    }
    match view.series(id, view.snapshot.resource(&signal.resource)?) {
        Observed::Known(series) => Some(series),
        Observed::Missing(_) => None,
    }
}

/// The slope of some points, `None` with less than about half an hour of them.
pub fn slope(points: &Points) -> Option<Slope> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    let bin_s = if last.duration_since(first).as_secs() < HOUR_S { SHORT_BIN_S } else { BIN_S };
    let trend = theil_sen(&bins(points, first, bin_s))?;
    (trend.n >= POINTS_MIN_FOR_P).then_some(Slope { per_hour: trend.slope, p_value: trend.p_value })
}

/// Means of some minutes: hours since the first point, mean.
fn bins(points: &Points, first: Timestamp, bin_s: i64) -> Vec<(f64, f64)> {
    let mut bins: Vec<(i64, f64, f64)> = Vec::new();
    for (at, value) in points {
        let bin = at.duration_since(first).as_secs().div_euclid(bin_s);
        match bins.last_mut() {
            Some((last, sum, count)) if *last == bin => {
                *sum += value;
                *count += 1.0;
            }
            _ => bins.push((bin, *value, 1.0)),
        }
    }
    let hours = |bin: i64| f64::from(i32::try_from(bin * bin_s).unwrap_or(i32::MAX)) / 3_600.0;
    bins.into_iter().map(|(bin, sum, count)| (hours(bin), sum / count)).collect()
}
