//! What is usual at this hour: a level per hour of the week, and per hour of the day while the week is not known yet.
//!
//! Hours are UTC. A finished hour enters as one mean, so the sampling interval does not matter.

use serde::{Deserialize, Serialize};

use super::packed;

const HOUR_S: i64 = 3600;
const DAY_HOURS: usize = 24;
const WEEK_HOURS: usize = 168;
/// Weight of the newest visit of an hour.
const NEWEST: f32 = 0.5;

/// Levels by hour; NaN marks an hour not seen yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Season {
    #[serde(with = "packed")]
    week: [f32; WEEK_HOURS],
    #[serde(with = "packed")]
    day: [f32; DAY_HOURS],
    hour: i64,
    #[serde(with = "packed::one")]
    sum: f64,
    count: u32,
}

impl Default for Season {
    fn default() -> Self {
        Self { week: [f32::NAN; WEEK_HOURS], day: [f32::NAN; DAY_HOURS], hour: 0, sum: 0.0, count: 0 }
    }
}

/// Bit for bit, because an unseen hour is NaN, and NaN differs from itself.
impl PartialEq for Season {
    fn eq(&self, other: &Self) -> bool {
        let bits =
            |season: &Self| season.week.iter().chain(&season.day).map(|level| level.to_bits()).collect::<Vec<_>>();
        bits(self) == bits(other) && (self.hour, self.count) == (other.hour, other.count) && self.sum == other.sum
    }
}

impl Season {
    /// The level known for this hour from earlier visits, the hour of the week before the hour of the day.
    pub(super) fn expected(&self, time_s: i64) -> Option<f64> {
        let (week, day) = places(time_s.div_euclid(HOUR_S));
        let level = if self.week[week].is_nan() { self.day[day] } else { self.week[week] };
        (!level.is_nan()).then(|| f64::from(level))
    }

    /// Adds a point to the hour that runs; the first point of a new hour closes the one before.
    #[allow(clippy::cast_possible_truncation, reason = "the state is kept in single precision on purpose")]
    pub(super) fn learn(&mut self, time_s: i64, y: f64) {
        let hour = time_s.div_euclid(HOUR_S);
        if self.count > 0 && hour != self.hour {
            let mean = (self.sum / f64::from(self.count)) as f32;
            let (week, day) = places(self.hour);
            for level in [&mut self.week[week], &mut self.day[day]] {
                *level = if level.is_nan() { mean } else { *level + NEWEST * (mean - *level) };
            }
            self.sum = 0.0;
            self.count = 0;
        }
        self.hour = hour;
        self.sum += y;
        self.count = self.count.saturating_add(1);
    }
}

/// Index of an hour in the week and in the day.
fn places(hour: i64) -> (usize, usize) {
    let week = hour.rem_euclid(WEEK_HOURS as i64);
    let day = hour.rem_euclid(DAY_HOURS as i64);
    (usize::try_from(week).unwrap_or(0), usize::try_from(day).unwrap_or(0))
}
