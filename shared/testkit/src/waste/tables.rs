//! Tables of DynamoDB in both capacity modes.

use super::load::flat;
use super::{Draft, Made};
use domain::cost::prices::Sold;
use domain::cost::terms::{TableTerms, Terms};
use domain::cost::usage::Quantity;
use domain::resource::Live;

const MODE: &str = "dynamodb_capacity_mode";
const TABLE: &str = "oversized_table";

/// Unit prices of what is made here.
pub(super) fn prices() -> Vec<(Sold, f64)> {
    vec![
        (Sold::ReadCapacityHour, 158.6),
        (Sold::WriteCapacityHour, 793.0),
        (Sold::ReadRequest, 0.1525),
        (Sold::WriteRequest, 0.7625),
    ]
}

fn table(made: &mut Made, change: impl FnOnce(&mut TableTerms)) -> Draft {
    let mut terms = TableTerms {
        is_active: true,
        is_on_demand: false,
        since: None,
        has_indexes: false,
        is_replicated: false,
        is_standard_class: true,
    };
    change(&mut terms);
    made.draft("dynamodb", "table/", "orders-", Live::Table).terms(Terms::Table(terms))
}

impl Draft {
    /// With so many units provisioned of each kind.
    fn provisioned(self, made: &mut Made, units: f64) -> Self {
        self.history(made, Quantity::ReadCapacity, move |_| Some(units)).history(
            made,
            Quantity::WriteCapacity,
            move |_| Some(units),
        )
    }

    /// With a consumption of reads and writes, in units a second, by the hour.
    fn consumed(self, made: &Made, mut per_s: impl FnMut(i64) -> f64) -> Self {
        let each: Vec<f64> = (0..super::HOURS).map(|hour| per_s(hour) * 3_600.0).collect();
        let at = move |hour: i64| Some(each[usize::try_from(hour).expect("an hour")]).filter(|units| *units > 0.0);
        self.history(made, Quantity::ReadUnits, at.clone()).history(made, Quantity::WriteUnits, at)
    }
}

/// Units provisioned of each kind that cost more than what is free.
fn many(made: &mut Made) -> f64 {
    f64::from(made.rng.u32(50..2_000))
}

pub(super) fn add(made: &mut Made) {
    to_on_demand(made);
    to_provisioned(made);
    unlike(made);
    oversized(made);
}

fn to_on_demand(made: &mut Made) {
    let units = many(made);
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, |_| 0.0);
    made.waste(MODE, "provisioned and never used", draft);
    let mut level = flat(&mut made.rng, 0.15 * units);
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, |hour| level(hour).unwrap_or(0.0));
    made.waste(MODE, "a seventh of its capacity used at most", draft);
    let at = made.rng.i64(0..24);
    let draft = table(made, |_| ())
        .provisioned(made, units)
        .consumed(made, |hour| if hour % 24 == at { 0.9 * units } else { 0.0 });
    made.waste(MODE, "provisioned for one hour of the day", draft);
}

fn to_provisioned(made: &mut Made) {
    let units = many(made);
    let mut rng = made.rng.fork();
    let draft = table(made, |terms| terms.is_on_demand = true).consumed(made, |_| units * (0.9 + 0.1 * rng.f64()));
    made.waste(MODE, "on demand and as even as a clock", draft);
    let since = made.some_days_ago(14..400);
    let draft = table(made, |terms| (terms.is_on_demand, terms.since) = (true, Some(since))).consumed(made, |_| units);
    made.waste(MODE, "on demand for weeks, always the same", draft);
}

fn unlike(made: &mut Made) {
    let units = many(made);
    let mut rng = made.rng.fork();
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, |_| units * (0.5 + 0.4 * rng.f64()));
    made.innocent(MODE, "most of its capacity is used", draft);
    let half = |hour: i64| if (hour / 24) % 7 == 2 { 0.9 } else { 0.2 };
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, |hour| units * half(hour));
    made.innocent(MODE, "a fifth used on most days, all of it on one", draft);
    let draft = table(made, |terms| terms.is_on_demand = true)
        .consumed(made, |hour| if hour % 24 < 8 { units } else { 0.1 * units });
    made.innocent(MODE, "on demand, by day and not by night", draft);
    let draft = table(made, |terms| terms.is_on_demand = true).consumed(made, |_| 0.0);
    made.innocent(MODE, "on demand and unused, which costs nothing", draft);
    let since = made.some_days_ago(0..14);
    let draft = table(made, |terms| (terms.is_on_demand, terms.since) = (true, Some(since))).consumed(made, |_| units);
    made.innocent(MODE, "on demand since a few days ago", draft);
    let draft = table(made, |terms| terms.has_indexes = true).provisioned(made, units).consumed(made, |_| 0.0);
    made.innocent(MODE, "what its indexes consume is not known", draft);
    let draft = table(made, |terms| terms.is_replicated = true).provisioned(made, units).consumed(made, |_| 0.0);
    made.innocent(MODE, "part of a global table", draft);
    let draft = table(made, |terms| terms.is_standard_class = false).provisioned(made, units).consumed(made, |_| 0.0);
    made.innocent(MODE, "of the class for infrequent access", draft);
    let created = made.some_days_ago(0..14);
    let draft = table(made, |_| ()).created(Some(created)).provisioned(made, units).consumed(made, |_| 0.0);
    made.innocent(MODE, "just made", draft);
    let draft = table(made, |_| ()).provisioned(made, units).unread(Quantity::ReadUnits).unread(Quantity::WriteUnits);
    made.innocent(MODE, "what it consumes was not read", draft);
    let draft = table(made, |_| ()).unread(Quantity::ReadCapacity).unread(Quantity::WriteCapacity);
    let draft = draft.consumed(made, |_| 0.0);
    made.innocent(MODE, "what it has provisioned was not read", draft);
    let draft = table(made, |_| ()).provisioned(made, 1.0).consumed(made, |_| 0.0);
    made.innocent(MODE, "too small to be worth it", draft);
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, |_| 0.0);
    let draft = made.kept(draft);
    made.innocent(MODE, "kept, or on standby, by tag", draft);
}

/// Even loads, for which paying by request is dearer.
fn oversized(made: &mut Made) {
    let units = many(made);
    let even = |made: &mut Made, share: f64| {
        let mut rng = made.rng.fork();
        move |_: i64| share * units * (0.95 + 0.05 * rng.f64())
    };
    let level = even(made, 0.36);
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, level);
    made.waste(TABLE, "even at a third of a capacity that stands still", draft);

    let level = even(made, 0.6);
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, level);
    made.innocent(TABLE, "even at more than half of it", draft);
    let level = even(made, 0.36);
    let scaled = move |hour: i64| Some(if hour % 24 < 12 { units } else { 0.8 * units });
    let draft = table(made, |_| ()).history(made, Quantity::ReadCapacity, scaled);
    let draft = draft.history(made, Quantity::WriteCapacity, scaled).consumed(made, level);
    made.innocent(TABLE, "scaled by the hour", draft);
    let (at, level) = (made.rng.i64(0..super::HOURS), even(made, 0.36));
    let mut level = level;
    let once = move |hour: i64| if hour == at { 0.9 * units } else { level(hour) };
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, once);
    made.innocent(TABLE, "nearly all of it used in one hour of the month", draft);
    let level = even(made, 0.36);
    let draft = table(made, |terms| terms.has_indexes = true).provisioned(made, units).consumed(made, level);
    made.innocent(TABLE, "what its indexes consume is not known", draft);
    let level = even(made, 0.36);
    let draft = table(made, |_| ()).provisioned(made, units).consumed(made, level);
    let draft = made.kept(draft);
    made.innocent(TABLE, "kept, or on standby, by tag", draft);
}
