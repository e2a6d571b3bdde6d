//! What a bill says: how much, for what, growing or not, where the month ends, which days stand out, and what carries
//! no tag.
//!
//! Pure, over the [`Bill`] and the day. A day counts once it is whole: it is over, and where AWS still calls it an
//! estimate, for two days at least (AWS calls the whole month an estimate until the invoice; only the last days still
//! move). Credits and refunds stand apart: they are no use, so no growth, forecast or anomaly is computed from them.
//! What cannot be computed is none, with a sentence in `notes`; no number is made up.

mod anomalies;
mod forecast;
mod week;

#[cfg(test)]
mod tests;

pub use anomalies::Anomaly;
pub use forecast::{Budget, Forecast, Outlook};
pub use week::{Driver, Week};

use super::bill::{Bill, Line};
use super::money::UsdMicros;
use super::policy::Policy;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days after its end for which an estimate still moves: Cost Explorer is refreshed once a day, and usage may come in
/// late.
const SETTLING_DAYS: i64 = 2;

/// What a bill says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BillAnalysis {
    /// What could not be said, one sentence each.
    pub notes: Vec<String>,
    /// First and last day that count; none where no day does.
    pub days: Option<(Date, Date)>,
    /// Charges of these days.
    pub total: UsdMicros,
    /// Credits and refunds of these days, as a negative amount; not part of the total.
    pub credits: UsdMicros,
    /// Charges by service, largest first.
    pub by_service: Vec<(String, UsdMicros)>,
    /// The last seven whole days and the seven before.
    pub week: Option<Week>,
    /// Where the month of the last whole day ends.
    pub forecast: Option<Forecast>,
    /// The forecast beside the budget, where there are both.
    pub budget: Option<Budget>,
    /// Days of services that stand out, newest first.
    pub anomalies: Vec<Anomaly>,
    /// Share of the charges that carries no application tag, in per cent; none where the bill does not tell.
    pub untagged_pct: Option<f64>,
}

/// Charges by day of what has this name, over the days that count.
type Series = Vec<UsdMicros>;

/// The part of a bill that counts.
struct Counted<'a> {
    /// First day.
    from: Date,
    /// Number of days.
    days: usize,
    /// Charges without credits.
    charges: Vec<&'a Line>,
}

impl<'a> Counted<'a> {
    /// Place of a day among those that count.
    fn place(&self, day: Date) -> Option<usize> {
        let place = usize::try_from(days_between(self.from, day)?).ok()?;
        (place < self.days).then_some(place)
    }

    fn day(&self, place: usize) -> Option<Date> {
        self.from.checked_add(i64::try_from(place).ok()?.days()).ok()
    }

    fn last(&self) -> Option<Date> {
        self.day(self.days.checked_sub(1)?)
    }

    /// Charges by day of whatever `name` groups them by. A day without a charge has none: 0.
    fn by_day<K: Ord>(&self, name: impl Fn(&'a Line) -> K) -> BTreeMap<K, Series> {
        let mut found: BTreeMap<K, Series> = BTreeMap::new();
        for line in &self.charges {
            let Some(place) = self.place(line.day) else { continue };
            let series = found.entry(name(line)).or_insert_with(|| vec![UsdMicros::default(); self.days]);
            if let Some(sum) = series.get_mut(place) {
                *sum = *sum + line.cost;
            }
        }
        found
    }
}

/// What this bill says on this day.
///
/// `today` is the day on which it was read, by UTC, as AWS bills. A bill in another currency than US dollars, or
/// without charges, gives one sentence and no numbers.
pub fn analyse(bill: &Bill, policy: &Policy, today: Date) -> BillAnalysis {
    let only = |note: String| BillAnalysis { notes: vec![note], ..BillAnalysis::default() };
    if bill.currency != "USD" {
        let currency: String = bill.currency.chars().filter(|letter| !letter.is_control()).take(8).collect();
        return only(format!("the bill is in {currency}, and amounts are understood in USD alone"));
    }
    let Some(counted) = counted(bill, today) else {
        return only(format!("no whole day lies between {} and {}", bill.from, bill.to));
    };
    let (from, last) = (counted.from, counted.last().unwrap_or(counted.from));
    if counted.charges.is_empty() {
        return only(format!("nothing was charged from {from} to {last}"));
    }
    let is_counted = |day: Date| counted.place(day).is_some();
    let credits = bill.lines.iter().filter(|line| line.cost.0 < 0 && is_counted(line.day)).map(|line| line.cost).sum();
    let mut by_service: Vec<(String, UsdMicros)> = counted
        .by_day(|line| line.service.as_str())
        .into_iter()
        .map(|(service, days)| (service.to_owned(), days.into_iter().sum()))
        .collect();
    by_service.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut notes = Vec::new();
    let mut noted = |what: &str, lacking: bool| {
        if lacking {
            notes.push(format!("{what} needs more whole days than the {} of this bill", counted.days));
        }
    };
    let week = week::week(&counted, policy.week_over_week_pct_max);
    noted("a comparison with the week before", week.is_none());
    let forecast = forecast::forecast(&counted);
    noted("a forecast", forecast.is_none());
    let budget = forecast.and_then(|forecast| forecast::budget(&forecast, policy.budget_usd_month));
    BillAnalysis {
        notes,
        days: Some((from, last)),
        total: by_service.iter().map(|(_, cost)| *cost).sum(),
        credits,
        by_service,
        week,
        forecast,
        budget,
        anomalies: anomalies::anomalies(&counted),
        untagged_pct: untagged_pct(bill, &counted),
    }
}

/// The days of a bill that count: from its first to the last before one that does not. The first, and the number of them; none
/// where no day does.
pub(super) fn whole_days(bill: &Bill, today: Date) -> Option<(Date, usize)> {
    let moves_from = today.checked_sub(SETTLING_DAYS.days()).ok()?;
    let estimated = bill.lines.iter().filter(|line| line.is_estimated).map(|line| line.day);
    let still_moves = estimated.filter(|day| *day >= moves_from).min();
    let end = bill.to.min(today).min(still_moves.unwrap_or(Date::MAX));
    let days = usize::try_from(days_between(bill.from, end)?).ok().filter(|days| *days > 0)?;
    Some((bill.from, days))
}

fn counted(bill: &Bill, today: Date) -> Option<Counted<'_>> {
    let (from, days) = whole_days(bill, today)?;
    let end = from.checked_add(i64::try_from(days).ok()?.days()).ok()?;
    let counts = |line: &&Line| line.day >= from && line.day < end;
    let charges = bill.lines.iter().filter(counts).filter(|line| line.cost.0 > 0).collect();
    Some(Counted { from, days, charges })
}

/// Of the charges by application, as far as there are any.
fn untagged_pct(bill: &Bill, counted: &Counted<'_>) -> Option<f64> {
    let charges = || bill.by_app.iter().filter(|line| line.cost.0 > 0 && counted.place(line.day).is_some());
    let all: UsdMicros = charges().map(|line| line.cost).sum();
    let untagged: UsdMicros = charges().filter(|line| line.app.is_empty()).map(|line| line.cost).sum();
    (all.0 > 0).then(|| 100.0 * usd(untagged) / usd(all))
}

pub(super) fn days_between(from: Date, to: Date) -> Option<i64> {
    Some(i64::from(from.until(to).ok()?.get_days()))
}

/// Dollars, to compute with: whole millionths up to nine billion dollars.
#[expect(clippy::cast_precision_loss, reason = "millionths of a dollar fit")]
fn usd(amount: UsdMicros) -> f64 {
    amount.0 as f64 / 1e6
}

fn amount(usd: f64) -> UsdMicros {
    UsdMicros(1_000_000).times(usd)
}
