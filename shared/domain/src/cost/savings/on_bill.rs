//! How much of an expected movement the bill shows.

use super::{Basis, Reading};
use crate::cost::bill::Bill;
use crate::cost::bill_analysis::{days_between, whole_days};
use crate::cost::prices::{Sold, in_region};
use crate::observed::{Missing, Observed};
use jiff::civil::Date;
use stats::trend::{Slope, slope, theil_sen};

/// Whole days before and after a change without which nothing is said.
const DAYS_BEFORE_MIN: u32 = 5;
const DAYS_AFTER_MIN: u32 = 3;
/// Hours of a day.
const HOURS: f64 = 24.0;
/// Level at which use is taken to follow the traffic.
const ALPHA: f64 = 0.05;

/// A movement of one thing that is sold: from the day after `on` until the day before `until`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Move {
    /// Units more, or fewer where negative.
    pub(super) units: f64,
    /// The day of the change.
    pub(super) on: Date,
    /// The day on which it was taken back.
    pub(super) until: Option<Date>,
    /// What moved carries the tag of the application.
    pub(super) is_tagged: bool,
}

/// What the bill shows of movements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Moved {
    /// Share of what was expected, with its 95 % interval: 1 is all of it.
    pub(super) share: Slope,
    /// Whose part of the bill was looked at.
    pub(super) basis: Basis,
    /// Whole days before the change.
    pub(super) days_before: u32,
    /// Whole days after it.
    pub(super) days_after: u32,
}

/// A bill, read for one application.
pub(super) struct Ledger<'a> {
    bill: &'a Bill,
    reading: &'a Reading<'a>,
    from: Date,
    days: usize,
    /// The tag of the application is on the bill from its first day on.
    is_tagged: bool,
}

impl<'a> Ledger<'a> {
    /// A bill with at least one whole day.
    pub(super) fn of(bill: &'a Bill, reading: &'a Reading<'a>) -> Observed<Self> {
        let Some((from, days)) = whole_days(bill, reading.today) else {
            return Observed::Missing(Missing::Failed("the bill has no whole day yet".to_owned()));
        };
        // A tag that was activated later would look like something that came to be.
        let mut own = bill.by_app.iter().filter(|line| line.app == reading.app.as_str());
        let is_tagged = own.any(|line| line.day == from);
        Observed::Known(Self { bill, reading, from, days, is_tagged })
    }

    /// How much of all these movements of one thing came about, as looked at for a change on that day.
    ///
    /// The units used on each whole day are set against those expected to have come or gone by then, over all movements at once;
    /// days on which something moved are left out, being neither. The slope (Sen 1968) is the share that came about: 1 where all
    /// did. Instances are looked at free of what follows the traffic.
    pub(super) fn moved(&self, sold: &Sold, moves: &[Move], on: Date) -> Observed<Moved> {
        let is_moving = |day: Date| moves.iter().any(|one| one.on == day || one.until == Some(day));
        let known: Vec<(usize, Date)> = (0..self.days)
            .filter_map(|place| Some((place, self.day(place)?)))
            .filter(|(_, day)| !is_moving(*day))
            .collect();
        let count = |is: &dyn Fn(Date) -> bool| {
            u32::try_from(known.iter().filter(|(_, day)| is(*day)).count()).unwrap_or(u32::MAX)
        };
        let (days_before, days_after) = (count(&|day| day < on), count(&|day| day > on));
        if days_before < DAYS_BEFORE_MIN || days_after < DAYS_AFTER_MIN {
            return Observed::Missing(Missing::Failed(format!(
                "{days_before} whole days on the bill before it and {days_after} after, {DAYS_BEFORE_MIN} and {DAYS_AFTER_MIN} are needed"
            )));
        }
        let (used, basis) = self.used(sold, moves.iter().all(|one| one.is_tagged));
        let expected = |day: Date| -> f64 {
            let standing = |one: &&Move| day > one.on && one.until.is_none_or(|until| day < until);
            moves.iter().filter(standing).map(|one| one.units).sum()
        };
        let mut points: Vec<(usize, (f64, f64))> =
            known.iter().filter_map(|(place, day)| Some((*place, (expected(*day), *used.get(*place)?)))).collect();
        if matches!(sold, Sold::InstanceHour(_)) {
            self.without_traffic(&mut points);
        }
        let points: Vec<(f64, f64)> = points.into_iter().map(|(_, point)| point).collect();
        match slope(&points) {
            Some(share) => Observed::Known(Moved { share, basis, days_before, days_after }),
            None => Observed::Missing(Missing::Failed("too few days for an interval".to_owned())),
        }
    }

    /// Takes out of the use what follows the traffic, as far as the days before any movement show that it does.
    fn without_traffic(&self, points: &mut [(usize, (f64, f64))]) {
        let traffic = |place: usize| self.reading.traffic.get(place).copied().flatten();
        let quiet = points.iter().filter(|(_, (expected, _))| *expected == 0.0);
        let before: Vec<(f64, f64)> = quiet.filter_map(|(place, (_, used))| Some((traffic(*place)?, *used))).collect();
        let Some(follows) = theil_sen(&before).filter(|trend| trend.is_significant(ALPHA)) else { return };
        if points.iter().any(|(place, _)| traffic(*place).is_none()) {
            return;
        }
        for (place, (_, used)) in points {
            *used -= follows.slope * traffic(*place).unwrap_or_default();
        }
    }

    /// Units in use by day.
    fn used(&self, sold: &Sold, are_tagged: bool) -> (Vec<f64>, Basis) {
        let wanted = sold.usage_type();
        let is_wanted = |usage_type: &str| in_region(usage_type, self.reading.region_prefix) == Some(wanted.as_str());
        if are_tagged && self.is_tagged && sold.is_told_by_its_usage_type() {
            let own = self.bill.by_app.iter().filter(|line| line.app == self.reading.app.as_str());
            let own = own.filter(|line| is_wanted(&line.usage_type));
            return (
                self.by_day(sold, own.map(|line| (line.day, line.quantity, line.unit.as_str()))),
                Basis::Application,
            );
        }
        let all = self.bill.lines.iter().filter(|line| line.service == sold.service() && is_wanted(&line.usage_type));
        (self.by_day(sold, all.map(|line| (line.day, line.quantity, line.unit.as_str()))), Basis::Account)
    }

    /// A day without a line has none.
    fn by_day<'b>(&self, sold: &Sold, lines: impl Iterator<Item = (Date, f64, &'b str)>) -> Vec<f64> {
        let mut used = vec![0.0; self.days];
        for (day, quantity, unit) in lines {
            let place = days_between(self.from, day).and_then(|place| usize::try_from(place).ok());
            if let Some(sum) = place.and_then(|place| used.get_mut(place)) {
                // A GiB of storage is billed as one GiB-month in every month, long or short, and as its days of that.
                let a_day = if sold.is_by_hour() { HOURS } else { 1.0 / f64::from(day.days_in_month()) };
                *sum += quantity * sold.in_billed(unit) / a_day;
            }
        }
        used
    }

    fn day(&self, place: usize) -> Option<Date> {
        self.from.checked_add(jiff::Span::new().days(i64::try_from(place).ok()?)).ok()
    }
}
