//! What the rules about tables of DynamoDB look at alike: units consumed and provisioned, and what they cost.

use super::whole::{idle_days, whole};
use super::{View, number};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::prices::{HOURS_PER_MONTH, Sold};
use crate::cost::terms::{TableTerms, Terms};
use crate::cost::usage::{Profile, Quantity, WEEK_H};
use crate::finding::Evidence;
use crate::observed::Observed;

/// Units of each kind that DynamoDB gives to an account for nothing; whether they go to one table nobody knows.
pub(super) const FREE_UNITS: f64 = 25.0;
/// Provisioned capacity as a multiple of what is consumed: auto scaling with a target of 50 %.
pub(super) const HEADROOM: f64 = 2.0;
pub(super) const S_PER_H: f64 = 3_600.0;
/// Reads and writes on demand.
pub(super) const REQUESTS: (&Sold, &Sold) = (&Sold::ReadRequest, &Sold::WriteRequest);
/// Reads and writes by provisioned capacity.
pub(super) const CAPACITY: (&Sold, &Sold) = (&Sold::ReadCapacityHour, &Sold::WriteCapacityHour);

/// What is bought of a table whose costs follow from its own units, and that had its mode for long enough.
pub(super) fn terms<'a>(view: &View<'_>, item: &'a Item) -> Option<&'a TableTerms> {
    let Some(Terms::Table(terms)) = &item.terms else { return None };
    // Indexes have capacities of their own, and what is replicated or seldom read has other prices.
    if !terms.is_active || terms.has_indexes || terms.is_replicated || !terms.is_standard_class {
        return None;
    }
    let settled_days = terms.since.map_or(i64::MAX, |at| view.estate.days_since(at));
    (settled_days >= i64::from(view.policy.history_days_min)).then_some(terms)
}

/// What is consumed a month, in request units.
pub(super) struct Units {
    /// As in the history.
    pub(super) likely: f64,
    /// As if each hour of every week were the largest seen of it.
    pub(super) most: f64,
    /// In the busiest hour, a second.
    pub(super) peak_per_s: f64,
}

impl Units {
    /// An hour without a value consumed nothing: DynamoDB publishes consumption alone.
    fn of(history: &Profile, days: u32) -> Self {
        let week: f64 = history.week.hours().flatten().sum();
        #[expect(clippy::cast_precision_loss, reason = "hours of a week")]
        let weeks_per_month = HOURS_PER_MONTH / WEEK_H as f64;
        Self {
            likely: history.sum * HOURS_PER_MONTH / (f64::from(days) * 24.0),
            most: week * weeks_per_month,
            peak_per_s: history.max / S_PER_H,
        }
    }
}

/// What a table consumed.
pub(super) struct Consumed {
    /// Days that were added up.
    pub(super) days: u32,
    /// Reads.
    pub(super) reads: Units,
    /// Writes.
    pub(super) writes: Units,
}

impl Consumed {
    /// Known where both were read for long enough.
    pub(super) fn of(view: &View<'_>, item: &Item) -> Option<Self> {
        let (reads, writes) = (view.usage(item, Quantity::ReadUnits), view.usage(item, Quantity::WriteUnits));
        let (reads, writes) = (*reads.known()?, *writes.known()?);
        let days = idle_days(view, item, reads)?.min(idle_days(view, item, writes)?);
        Some(Self { days, reads: Units::of(reads, days), writes: Units::of(writes, days) })
    }
}

/// Provisioned units of reads and of writes, the histories of both, where they are whole.
pub(super) fn provisioned<'a>(view: &View<'a>, item: &Item) -> Option<(&'a Profile, &'a Profile)> {
    let of = |quantity| whole(view, item, quantity).known().copied();
    Some((of(Quantity::ReadCapacity)?, of(Quantity::WriteCapacity)?))
}

/// Capacity that carries so many units a second with room to spare.
pub(super) fn capacity_for(per_s: f64) -> f64 {
    (HEADROOM * per_s).max(1.0).ceil()
}

/// What reads and writes of an amount cost a month together.
pub(super) fn month(view: &View<'_>, sold: (&Sold, &Sold), units: (f64, f64)) -> Observed<UsdMicros> {
    match (view.prices.month(sold.0, units.0), view.prices.month(sold.1, units.1)) {
        (Observed::Known(reads), Observed::Known(writes)) => Observed::Known(reads + writes),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}

/// The measurements, against a capacity of reads and writes.
pub(super) fn evidence(consumed: &Consumed, capacity: (f64, f64)) -> Vec<Evidence> {
    let Consumed { days, reads, writes } = consumed;
    vec![
        Evidence::against("read_units_max", reads.peak_per_s, capacity.0, "a second, in the busiest hour"),
        Evidence::against("write_units_max", writes.peak_per_s, capacity.1, "a second, in the busiest hour"),
        Evidence::level("history_days", number(i64::from(*days)), "days that were added up"),
    ]
}
