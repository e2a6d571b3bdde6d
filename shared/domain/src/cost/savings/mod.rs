//! What changes have saved, told three times: as it was identified, as it stands applied, and as the bill shows it.
//!
//! Pure. A change moves parts of the bill (`parts`): so many GiB of a type less, so many of another more. The bill says how many
//! units of each were used day by day (`on_bill`), and how much of the expected movement came about; at the effective price of the
//! account that is the verified saving, with its 95 % interval. It never exceeds what the change can have moved. Design note:
//! `docs/cost.md`, "Savings on the bill".

mod on_bill;
mod parts;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use parts::of_volume;

use super::bill::Bill;
use super::money::UsdMicros;
use super::opportunity::{Opportunity, Saving};
use super::prices::{PriceBook, Sold};
use crate::change::{Action, ChangeKind};
use crate::ids::{AppId, ChangeId, ExecutionId, ResourceId};
use crate::observed::{Missing, Observed};
use crate::resource::Live;
use jiff::civil::Date;
use on_bill::{Ledger, Move, Moved};
use parts::{Part, parts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A change of the cost cycle, as the journal knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The run that made it.
    pub execution: ExecutionId,
    /// Iteration of that run.
    pub iteration: u32,
    /// Its id.
    pub id: ChangeId,
    /// The resource.
    pub resource: ResourceId,
    /// What was done.
    pub action: Action,
    /// The resource right before.
    pub prior: Live,
    /// What it was expected to save a month.
    pub expected: UsdMicros,
    /// The day on which it was made, by UTC.
    pub on: Date,
    /// The day on which it was taken back; none where it stands.
    pub until: Option<Date>,
    /// The resource carries the tag of the application, so the bill may tell its charges apart.
    pub is_tagged: bool,
}

/// What one change has saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeSaving {
    /// The run that made it.
    pub execution: ExecutionId,
    /// Iteration of that run.
    pub iteration: u32,
    /// The change.
    pub change: ChangeId,
    /// Its kind.
    pub kind: ChangeKind,
    /// Its resource.
    pub resource: ResourceId,
    /// The day on which it was made.
    pub on: Date,
    /// Expected when it was planned, US dollars a month; negative for what costs, as a final snapshot.
    pub identified: UsdMicros,
    /// The same for what stands, nothing for what was taken back.
    pub applied: UsdMicros,
    /// What the bill shows, or why it does not say.
    pub verified: Observed<Shown>,
}

/// A saving that the bill shows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// US dollars a month, with its 95 % interval.
    pub saving: Saving,
    /// Whose part of the bill was looked at.
    pub basis: Basis,
    /// Whole days before it that were looked at.
    pub days_before: u32,
    /// Whole days after it.
    pub days_after: u32,
}

impl Shown {
    /// Both together: the intervals are added end by end, which is on the safe side.
    fn and(self, other: Self) -> Self {
        let (a, b) = (self.saving, other.saving);
        Self {
            saving: Saving { low: a.low + b.low, likely: a.likely + b.likely, high: a.high + b.high },
            basis: self.basis.max(other.basis),
            days_before: self.days_before.min(other.days_before),
            days_after: self.days_after.min(other.days_after),
        }
    }

    /// True where the interval excludes that nothing was saved.
    pub fn is_certain(&self) -> bool {
        self.saving.low.0 > 0 || self.saving.high.0 < 0
    }
}

/// Whose part of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// What carries the tag of the application.
    Application,
    /// The whole account: the tag is not on the bill, or its lines don't say of which service they are.
    Account,
}

/// Three sums, US dollars a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// What the rules have found and is still to be had, and what stands applied.
    pub identified: UsdMicros,
    /// Expected of those changes that stand.
    pub applied: UsdMicros,
    /// Shown by the bill for these; a change counts where its interval excludes nothing.
    pub verified: UsdMicros,
    /// Expected of those changes of which the bill does not say anything yet.
    pub open: UsdMicros,
}

/// What an application's changes have saved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Savings {
    /// The sums.
    pub sums: Sums,
    /// Change by change, oldest first; those that end no cost by themselves (a mark) are left out.
    pub changes: Vec<ChangeSaving>,
}

/// Where the bill is read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The application.
    pub app: &'a AppId,
    /// Prefix of its Region's usage types: `EUC1-`, or nothing for US East (N. Virginia).
    pub region_prefix: &'a str,
    /// Requests to the application by day, from the first day of the bill on; empty where they are not known.
    pub traffic: &'a [Option<f64>],
    /// The day, by UTC.
    pub today: Date,
}

/// What these changes have saved, and what the opportunities promise besides. Changes of one application, oldest first.
pub fn savings(
    made: &[Made],
    opportunities: &[Opportunity],
    bill: &Observed<Bill>,
    list: &PriceBook,
    reading: &Reading<'_>,
) -> Savings {
    let prices = bill.known().map_or_else(PriceBook::default, |bill| effective(made, bill, reading.region_prefix));
    let prices = prices.or(list.clone());
    let moves: Vec<(&Made, Observed<Vec<Part>>)> =
        made.iter().map(|made| (made, moved(made, |sold| prices.month(sold, 1.0)))).collect();
    let ledger = match bill {
        Observed::Known(bill) if bill.currency == "USD" => Ledger::of(bill, reading),
        Observed::Known(_) => Observed::Missing(Missing::Failed("the bill is not in US dollars".to_owned())),
        Observed::Missing(why) => Observed::Missing(why.clone()),
    };
    let changes: Vec<ChangeSaving> = moves
        .iter()
        .filter(|(_, parts)| parts.known().is_none_or(|parts| !parts.is_empty()))
        .map(|(made, parts)| ChangeSaving {
            execution: made.execution.clone(),
            iteration: made.iteration,
            change: made.id.clone(),
            kind: made.action.kind(),
            resource: made.resource.clone(),
            on: made.on,
            identified: made.expected,
            applied: if made.until.is_none() { made.expected } else { UsdMicros::default() },
            verified: verified(made, parts, &moves, &ledger, &prices),
        })
        .collect();
    Savings { sums: sums(&changes, opportunities), changes }
}

fn moved(made: &Made, month: impl Fn(&Sold) -> Observed<UsdMicros>) -> Observed<Vec<Part>> {
    parts(&made.action, &made.prior, made.expected, month)
}

/// What the account pays for all that these changes move.
fn effective(made: &[Made], bill: &Bill, region_prefix: &str) -> PriceBook {
    // Which things those are depends on no price, only how many of some.
    let any = |_: &Sold| Observed::Known(UsdMicros(1));
    let sold = made.iter().filter_map(|made| moved(made, any).known().cloned()).flatten().map(|part| part.sold);
    let wanted: Vec<Sold> = sold.collect::<BTreeSet<_>>().into_iter().collect();
    PriceBook::of_bill(bill, &wanted, region_prefix)
}

fn verified(
    made: &Made,
    own: &Observed<Vec<Part>>,
    moves: &[(&Made, Observed<Vec<Part>>)],
    ledger: &Observed<Ledger<'_>>,
    prices: &PriceBook,
) -> Observed<Shown> {
    if made.until.is_some() {
        return Observed::Missing(Missing::Gone);
    }
    let (own, ledger) = match (own, ledger) {
        (Observed::Known(own), Observed::Known(ledger)) => (own, ledger),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => return Observed::Missing(why.clone()),
    };
    let mut sum: Option<Shown> = None;
    for part in own {
        let all = moves.iter().flat_map(|(made, parts)| {
            let of_sold = parts.known().into_iter().flatten().filter(|other| other.sold == part.sold);
            of_sold.map(|other| Move { units: other.units, on: made.on, until: made.until, is_tagged: made.is_tagged })
        });
        let on_bill = ledger.moved(&part.sold, &all.collect::<Vec<_>>(), made.on);
        let shown = match (on_bill, prices.month(&part.sold, 1.0)) {
            (Observed::Known(on_bill), Observed::Known(month)) => shown(part, &on_bill, month),
            (Observed::Missing(why), _) | (_, Observed::Missing(why)) => return Observed::Missing(why),
        };
        sum = Some(sum.map_or(shown, |sum| sum.and(shown)));
    }
    sum.map_or(Observed::Missing(Missing::NoData), Observed::Known)
}

/// What the bill shows of one part, at what a unit of it costs a month: no more than the change can have moved, and never the
/// other way round.
fn shown(part: &Part, on_bill: &Moved, month: UsdMicros) -> Shown {
    let most = (part.most / part.units).max(0.0);
    let amount = |share: f64| -month.times(part.units * share.clamp(0.0, most));
    let (a, b) = (amount(on_bill.share.low), amount(on_bill.share.high));
    Shown {
        saving: Saving { low: a.min(b), likely: amount(on_bill.share.slope), high: a.max(b) },
        basis: on_bill.basis,
        days_before: on_bill.days_before,
        days_after: on_bill.days_after,
    }
}

fn sums(changes: &[ChangeSaving], opportunities: &[Opportunity]) -> Sums {
    let promised =
        opportunities.iter().filter_map(|opportunity| opportunity.saving.known()).map(|saving| saving.likely);
    let applied: UsdMicros = changes.iter().map(|change| change.applied).sum();
    let shown = |change: &ChangeSaving| change.verified.known().copied();
    let certain = changes.iter().filter_map(shown).filter(Shown::is_certain);
    Sums {
        identified: promised.sum::<UsdMicros>() + applied,
        applied,
        verified: certain.map(|shown| shown.saving.likely).sum(),
        open: changes.iter().filter(|change| shown(change).is_none()).map(|change| change.applied).sum(),
    }
}
