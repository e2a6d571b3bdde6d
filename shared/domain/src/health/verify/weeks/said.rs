//! What one week says of one signal, and why it may have nothing to say.

use super::{Case, Past};
use crate::health::analysis::worded;
use crate::health::verify::bounds::Without;
use crate::health::verify::interval::difference;
use crate::health::verify::load;
use crate::health::view::{Points, between, earlier};
use crate::observed::{Missing, Observed};
use crate::resource::Resource;
use jiff::Timestamp;

/// A certain movement under this share of the level is scatter, as that of the load.
const MOVED_MIN: f64 = 0.02;
/// From this share of the level on a movement counts although its interval holds nothing as well, by its shift alone: a job that ends
/// in the middle of the minutes after leaves an interval that begins at nothing.
const MOVED_FAR: f64 = 0.1;
/// A week whose level is under this share of today's tells of amounts, not of shares: that a queue went from two messages to
/// none does not say that two thousand vanish.
const SIZE_MIN: f64 = 0.2;
/// Most that a week is believed to explain of a worsening, as a factor; the same as of load.
pub(super) const WORSE_MAX: f64 = 5.0;

/// What a signal did from the minutes before to the minutes after, in an earlier week.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) days_ago: u32,
    /// Median in the minutes before.
    pub(super) level: f64,
    /// Median in the minutes after.
    after: f64,
    /// Movement, in the signal's unit.
    pub(super) shift: f64,
    /// Lower end of its 95 % interval.
    pub(super) low: f64,
    /// Upper end.
    pub(super) high: f64,
}

/// What a week says, or why nothing: with a reason where there are values and they can't be used.
pub(super) fn said(case: &Case<'_>, past: &Past<'_>, signal: &str, on: &Resource) -> Result<Said, Option<String>> {
    if let Observed::Missing(reason) = past.view.series(signal, on) {
        let is_history = matches!(reason, Missing::NoData | Missing::NotPublished(_));
        return Err((!is_history).then(|| format!("it could not be read, {reason}")));
    }
    let (before, after) = windows_of(case, past, signal, on).ok_or(None)?;
    let found = difference(&values(&before), &values(&after)).ok_or(None)?;
    let needed = usize::try_from(case.policy.verify_points_min).unwrap_or(usize::MAX);
    if before.len() < needed || after.len() < needed {
        return Err(None);
    }
    if let Some(why) = past.week.disturbed.clone().or_else(|| resized(case, past)) {
        return Err(Some(why));
    }
    if let Some(now) = load::ratio(case, on).filter(|_| load::moves(signal)) {
        let then = ratio(case, past, on).ok_or_else(|| Some("its load is not known".to_owned()))?;
        if (then / now - 1.0).abs() > case.policy.load_steady_pct / 100.0 {
            return Err(Some(format!("the load became {then:.2} times as much then and {now:.2} times today")));
        }
    }
    Ok(Said {
        days_ago: past.week.days_ago,
        level: found.before,
        after: found.after,
        shift: found.shift,
        low: found.low,
        high: found.high,
    })
}

/// The signal in both windows of that week, each at its own time.
fn windows_of(case: &Case<'_>, past: &Past<'_>, signal: &str, on: &Resource) -> Option<(Points, Points)> {
    let (windows, ago) = (&case.windows, |at: Timestamp| earlier(at, past.week.shift_s));
    let series = past.view.series(signal, on);
    let series = series.known()?;
    let before = between(series, ago(windows.before_from), ago(windows.before_to));
    Some((before, between(series, ago(windows.after_from), ago(windows.after_to))))
}

/// Load after by load before, in that week.
fn ratio(case: &Case<'_>, past: &Past<'_>, on: &Resource) -> Option<f64> {
    let sources = load::sources(case.before.snapshot, on);
    let early = |signal: &str, source| Some(values(&windows_of(case, past, signal, source)?.0));
    let late = |signal: &str, source| Some(values(&windows_of(case, past, signal, source)?.1));
    load::ratio_of(&sources, early, late)
}

/// The size of what was changed today was changed then, by whomever.
fn resized(case: &Case<'_>, past: &Past<'_>) -> Option<String> {
    let (windows, ago) = (&case.windows, |at: Timestamp| earlier(at, past.week.shift_s));
    let on = case.after.snapshot.resource(&case.change.resource)?;
    ["fleet_desired", "service_desired"].iter().find_map(|signal| {
        let series = past.view.series(signal, on);
        let sizes = values(&between(series.known()?, ago(windows.before_from), ago(windows.after_to)));
        let (least, most) = (sizes.iter().copied().reduce(f64::min)?, sizes.iter().copied().reduce(f64::max)?);
        (most - least > 0.5).then(|| format!("the size of {} was changed, between {least:.0} and {most:.0}", on.name))
    })
}

fn values(points: &Points) -> Vec<f64> {
    points.iter().map(|(_, value)| *value).collect()
}

impl Said {
    /// It moved for certain and by more than scatter, or far.
    pub(super) fn is_moved(&self) -> bool {
        let by = |share: f64| self.shift.abs() >= share * self.level.abs();
        self.shift != 0.0 && (by(MOVED_FAR) || (self.is_certain() && by(MOVED_MIN)))
    }

    fn is_certain(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// Its level is of the size of this one, so that a movement is a share of it.
    pub(super) fn is_of_size(&self, today: f64) -> bool {
        self.level > 0.0 && self.level >= SIZE_MIN * today
    }

    /// An amount as a share of its level.
    pub(super) fn share(&self, amount: f64) -> f64 {
        amount / self.level
    }

    /// What would have become of today's level by the better end of this movement; `None` where it did not get better. Less
    /// is better with sign 1, more with sign −1.
    pub(super) fn improved(&self, sign: f64, today: f64) -> Option<Without> {
        let end = if sign > 0.0 { self.low } else { self.high };
        let is_better = self.is_moved() && sign * self.shift < 0.0;
        is_better.then(|| self.moved_by(end, today, (0.0, f64::INFINITY)))
    }

    /// The same by the worse end; `None` where it did not get worse.
    pub(super) fn worsened(&self, sign: f64, today: f64) -> Option<Without> {
        let end = if sign > 0.0 { self.high } else { self.low };
        let is_worse = self.is_moved() && sign * self.shift > 0.0;
        is_worse.then(|| self.moved_by(end, today, (1.0 / WORSE_MAX, WORSE_MAX)))
    }

    fn moved_by(&self, end: f64, today: f64, (least, most): (f64, f64)) -> Without {
        let amount = if self.is_certain() { end } else { self.shift };
        if self.is_of_size(today) {
            Without::times((1.0 + self.share(amount)).clamp(least, most))
        } else {
            Without::plus(amount)
        }
    }

    /// For a person: what the minutes did.
    pub(super) fn words(&self, signal: &str, today: f64) -> String {
        if !self.is_moved() {
            return "did not move".to_owned();
        }
        if !self.is_of_size(today) {
            return format!("went from {} to {}", worded(signal, self.level), worded(signal, self.after));
        }
        let verb = if self.shift < 0.0 { "fell" } else { "rose" };
        format!("{verb} by {:.0} %", 100.0 * self.share(self.shift).abs())
    }
}
