//! Nights and weekends of a week's profile: when it may be off, seen from the place where it runs. Decides nothing
//! about whose it is.
//!
//! Pure arithmetic on the largest value of each hour of the week. Off hours begin an hour after the last busy one and
//! end an hour before the first, so that a late evening and a slow start do no harm.

use crate::cost::usage::WEEK_H;

/// CPU in per cent, the hour's maximum, up to which an hour may count as idle: what an operating system does by itself.
const IDLE_PCT_MAX: f64 = 10.0;
/// A busy hour has at least so many times the level of an idle one, and at least this much.
const BUSY_TIMES: f64 = 3.0;
const BUSY_PCT_MIN: f64 = 6.0;
/// Hours of the day that are night everywhere: midnight to five.
const NIGHT_H: usize = 5;
const DAY_H: usize = 24;
const WEEKDAYS: usize = 5;
/// Weekdays that must have a busy hour, of five.
const BUSY_DAYS_MIN: usize = 3;
/// Hours of a night that are worth a schedule.
const OFF_H_MIN: usize = 6;

/// When it may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Off {
    /// Hour of the day, local time, at which it stops; 24 and 25 are 0 and 1 of the next day.
    pub(super) stop_h: usize,
    /// Hour of the day, local time, at which it starts.
    pub(super) start_h: usize,
    /// Saturday and Sunday are off, too.
    pub(super) weekend: bool,
    /// CPU in per cent that divides idle hours from busy ones.
    pub(super) idle_pct_max: f64,
    /// The 90th percentile of the hours of the week.
    pub(super) busy_pct: f64,
    /// Idle hours of a week.
    pub(super) idle_h: usize,
}

impl Off {
    /// Hours of a night.
    pub(super) fn night_h(&self) -> usize {
        (DAY_H + self.start_h).saturating_sub(self.stop_h)
    }

    /// Hours of a week for which it is off.
    pub(super) fn week_h(&self) -> usize {
        if self.weekend { WEEKDAYS * self.night_h() + 2 * DAY_H } else { 7 * self.night_h() }
    }
}

/// The hours of a week that may be off: every night of it is idle, and the days are clearly busy. None where that is
/// not so.
///
/// `week` is the profile by UTC, Monday 00:00 first; `offsets_min` are the offsets of local time from UTC that held in
/// the history.
pub(super) fn off(week: &[Option<f64>], offsets_min: &[i64]) -> Option<Off> {
    let week = local(week, offsets_min)?;
    let nights = || week.chunks(DAY_H).filter_map(|day| day.get(..NIGHT_H)).flatten();
    // Most of what runs is told apart here, before anything is sorted.
    if nights().any(|value| *value > IDLE_PCT_MAX) {
        return None;
    }
    let busy_pct = *week.clone().select_nth_unstable_by(WEEK_H * 9 / 10, f64::total_cmp).1;
    if busy_pct < BUSY_PCT_MIN {
        return None;
    }
    let idle_pct_max = IDLE_PCT_MAX.min(busy_pct / BUSY_TIMES);
    let is_busy: Vec<bool> = week.iter().map(|value| *value > idle_pct_max).collect();
    let days: Vec<&[bool]> = is_busy.chunks(DAY_H).collect();
    if nights().any(|value| *value > idle_pct_max) {
        return None;
    }
    let (weekdays, weekend) = days.split_at(WEEKDAYS);
    if weekdays.iter().filter(|day| day.contains(&true)).count() < BUSY_DAYS_MIN {
        return None;
    }
    let weekend = weekend.iter().all(|day| !day.contains(&true));
    let busy_hours = is_busy.iter().enumerate().filter(|(_, busy)| **busy).map(|(hour, _)| hour % DAY_H);
    let (first, last) = (busy_hours.clone().min()?, busy_hours.max()?);
    let off = Off {
        stop_h: last + 2,
        start_h: first.saturating_sub(1),
        weekend,
        idle_pct_max,
        busy_pct,
        idle_h: is_busy.iter().filter(|busy| !**busy).count(),
    };
    (off.night_h() >= OFF_H_MIN).then_some(off)
}

/// The week by local time: of each local hour the largest value of all hours of UTC that it overlaps with, under any of the
/// offsets.
fn local(week: &[Option<f64>], offsets_min: &[i64]) -> Option<Vec<f64>> {
    let known: Vec<f64> = week.iter().copied().collect::<Option<_>>()?;
    if known.len() != WEEK_H {
        return None;
    }
    let mut found = vec![0.0_f64; WEEK_H];
    for offset in offsets_min {
        // A local hour begins so many minutes after the hour of UTC in this place, and reaches into the next one.
        let begin = usize::try_from((-offset).div_euclid(60).rem_euclid(i64::try_from(WEEK_H).ok()?)).ok()?;
        let reaches = usize::from(offset.rem_euclid(60) != 0);
        for after in begin..=begin + reaches {
            let (early, late) = known.split_at(after % WEEK_H);
            for (slot, value) in found.iter_mut().zip(late.iter().chain(early)) {
                *slot = slot.max(*value);
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A week with this level in these hours of these days, and 2 % else.
    fn week(days: std::ops::Range<usize>, hours: std::ops::Range<usize>, level: f64) -> Vec<Option<f64>> {
        (0..WEEK_H)
            .map(|hour| Some(if days.contains(&(hour / 24)) && hours.contains(&(hour % 24)) { level } else { 2.0 }))
            .collect()
    }

    #[test]
    fn office_hours_leave_nights_and_weekends_off() {
        let found = off(&week(0..5, 8..18, 40.0), &[0]).unwrap();
        assert_eq!((found.stop_h, found.start_h, found.weekend, found.idle_h), (19, 7, true, 118));
        // Five nights from 19 to 7, and two whole days.
        assert_eq!(found.week_h(), 5 * 12 + 48);
        let every_day = off(&week(0..7, 8..18, 40.0), &[0]).unwrap();
        assert_eq!((every_day.weekend, every_day.week_h()), (false, 84));
    }

    #[test]
    fn hours_are_those_of_the_place() {
        // 8 to 18 in Sydney, UTC+10, begins on Sunday at 22 by UTC.
        let sydney: Vec<Option<f64>> = (0..WEEK_H)
            .map(|utc| {
                let hour = (utc + 10) % WEEK_H;
                Some(if hour / 24 < 5 && (8..18).contains(&(hour % 24)) { 40.0 } else { 2.0 })
            })
            .collect();
        assert_eq!(off(&sydney, &[0]), None, "by UTC its nights are busy");
        let found = off(&sydney, &[600]).unwrap();
        assert_eq!((found.stop_h, found.start_h, found.weekend), (19, 7, true));
        // Half an hour of offset takes an hour on one side; a change of the clock within the history one on each.
        let half = off(&week(0..5, 8..18, 40.0), &[330]).unwrap();
        assert_eq!((half.stop_h, half.start_h), (25, 12));
        let changed = off(&week(0..5, 8..18, 40.0), &[60, 120]).unwrap();
        assert_eq!((changed.stop_h, changed.start_h), (21, 8));
    }

    #[test]
    fn a_busy_night_or_days_that_are_not_clearly_busy_make_no_claim() {
        assert_eq!(off(&week(0..5, 0..5, 90.0), &[0]), None, "busy at night");
        let mut one_night = week(0..5, 8..18, 40.0);
        one_night[24 + 3] = Some(30.0);
        assert_eq!(off(&one_night, &[0]), None, "once a week at three");
        assert_eq!(off(&week(0..5, 8..18, 5.9), &[0]), None, "hardly busy at all");
        assert!(off(&week(0..5, 8..18, 6.1), &[0]).is_some());
        assert_eq!(off(&week(0..5, 8..18, 40.0).iter().map(|v| v.map(|v| v + 8.5)).collect::<Vec<_>>(), &[0]), None);
        assert_eq!(off(&week(0..2, 8..22, 40.0), &[0]), None, "two days of five");
        let mut unseen = week(0..5, 8..18, 40.0);
        unseen[100] = None;
        assert_eq!(off(&unseen, &[0]), None, "an hour that was never seen");
        // From 6 to 23: 1 to 5 is all that is left.
        assert_eq!(off(&week(0..7, 6..24, 40.0), &[0]), None);
    }
}
