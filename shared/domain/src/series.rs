//! A series: values on a regular time grid with gaps.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Values at `start`, `start + period_s`, … A gap is `None`: no datapoint was published for that period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Start of the first period.
    pub start: Timestamp,
    /// Length of a period in seconds; at least 1.
    pub period_s: u32,
    /// One entry per period, oldest first.
    pub values: Vec<Option<f64>>,
}

impl Series {
    /// The start of period `index`.
    pub fn time_at(&self, index: usize) -> Timestamp {
        let offset_s = i64::from(self.period_s).saturating_mul(i64::try_from(index).unwrap_or(i64::MAX));
        self.start.checked_add(SignedDuration::from_secs(offset_s)).unwrap_or(Timestamp::MAX)
    }

    /// Known values of the periods that start in `[from, to)`, oldest first, with their times.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = (Timestamp, f64)> + '_ {
        self.values.iter().enumerate().filter_map(move |(index, value)| {
            let at = self.time_at(index);
            (at >= from && at < to).then_some(())?;
            value.map(|value| (at, value))
        })
    }

    /// Known values of the last `window_s` seconds before `now`.
    pub fn last(&self, now: Timestamp, window_s: u32) -> Vec<f64> {
        let from = now.checked_sub(SignedDuration::from_secs(i64::from(window_s))).unwrap_or(Timestamp::MIN);
        self.between(from, now).map(|(_, value)| value).collect()
    }

    /// Time and value of the newest known point.
    pub fn newest(&self) -> Option<(Timestamp, f64)> {
        let index = self.values.iter().rposition(Option::is_some)?;
        Some((self.time_at(index), self.values[index]?))
    }

    /// The mean of the known values in the last `window_s` seconds, or `None` without any.
    pub fn mean_of_last(&self, now: Timestamp, window_s: u32) -> Option<f64> {
        mean(&self.last(now, window_s))
    }
}

/// The arithmetic mean, or `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    let count = u32::try_from(values.len()).ok().filter(|count| *count > 0)?;
    Some(values.iter().sum::<f64>() / f64::from(count))
}
