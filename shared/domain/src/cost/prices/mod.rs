//! Unit prices: from the account's own bill first, so that its discounts are in them, then from AWS's price list.

mod sold;
mod wanted;

pub use sold::{Balancer, DatabaseClass, HOURS_PER_MONTH, Meter, Sold, StorageClass};
pub use wanted::wanted;

use super::bill::Bill;
use super::money::UsdMicros;
use crate::observed::{Missing, Observed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The prefix of US East (N. Virginia) on usage types of newer services; the older ones have none there.
const SPELLED_OUT: &str = "USE1-";

/// A unit price with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitPrice {
    /// Millionths of a US dollar for a unit. A fraction, since some units cost less than one.
    pub usd_micros: f64,
    /// Where it comes from.
    pub from: PriceSource,
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// Cost divided by quantity on the account's own bill.
    Bill,
    /// AWS's price list.
    List,
}

/// Prices for one Region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceBook {
    /// By what is sold. What is absent, or missing, is not known.
    pub units: Vec<(Sold, Observed<UnitPrice>)>,
}

impl PriceBook {
    /// The unit price of something; missing with its reason where neither bill nor list knows it.
    pub fn unit(&self, sold: &Sold) -> Observed<UnitPrice> {
        let found = self.units.iter().find(|(of, _)| of == sold).map(|(_, price)| price.clone());
        found.unwrap_or_else(|| Observed::Missing(Missing::NotPublished(format!("a price of {}", sold.usage_type()))))
    }

    /// What so many units of it cost a month.
    pub fn month(&self, sold: &Sold, units: f64) -> Observed<UsdMicros> {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and NaN becomes 0")]
        self.unit(sold).map(|price| UsdMicros((price.usd_micros * units * sold.per_month()).round() as i64))
    }

    /// The prices that a bill knows, of these things, in the Region with this prefix (`EUC1-`, or nothing).
    ///
    /// Days whose cost or quantity is not positive are left out: credits and refunds are no prices. A bill in another currency
    /// than US dollars knows none.
    pub fn of_bill(bill: &Bill, wanted: &[Sold], region_prefix: &str) -> Self {
        if bill.currency != "USD" {
            return Self::default();
        }
        let mut sums: BTreeMap<(&str, &str), (i64, f64, &str)> = BTreeMap::new();
        for line in bill.lines.iter().filter(|line| line.cost.0 > 0 && line.quantity > 0.0) {
            let Some(kind) = in_region(&line.usage_type, region_prefix) else { continue };
            let sum = sums.entry((&line.service, kind)).or_default();
            *sum = (sum.0.saturating_add(line.cost.0), sum.1 + line.quantity, &line.unit);
        }
        let price = |sold: &Sold| {
            match sold {
                Sold::OnDemandHour(meter) => {
                    return on_demand(bill, meter, region_prefix).map(|price| (sold.clone(), price));
                }
                // Its fees stand on the bill by other usage types; bills count objects by ones and by thousands.
                Sold::ReservedHour(_) | Sold::TieredObject => return None,
                _ => {}
            }
            let usage_type = sold.usage_type();
            let (cost, quantity, unit) = sums.get(&(sold.service(), usage_type.as_str()))?;
            #[expect(clippy::cast_precision_loss, reason = "a month's bill in millionths of a dollar fits")]
            let usd_micros = *cost as f64 / (quantity * sold.in_billed(unit));
            Some((sold.clone(), Observed::Known(UnitPrice { usd_micros, from: PriceSource::Bill })))
        };
        Self { units: wanted.iter().filter_map(price).collect() }
    }

    /// These prices, and for what they don't know those of another book.
    #[must_use]
    pub fn or(mut self, list: Self) -> Self {
        for (sold, price) in list.units {
            match self.units.iter_mut().find(|(of, _)| *of == sold) {
                Some((_, Observed::Known(_))) => {}
                Some((_, known)) => *known = price,
                None => self.units.push((sold, price)),
            }
        }
        self
    }
}

/// What an hour of this meter has cost on demand; a day for nothing (a free tier, a credit) makes no price.
fn on_demand(bill: &Bill, meter: &Meter, region_prefix: &str) -> Option<Observed<UnitPrice>> {
    let of_meter = bill.on_demand.iter().flatten().filter(|line| {
        line.operation == meter.operation
            && in_region(&line.usage_type, region_prefix) == Some(meter.usage_type.as_str())
            && line.cost.0 > 0
            && line.hours > 0.0
    });
    let (cost, hours) =
        of_meter.fold((UsdMicros::default(), 0.0), |(cost, hours), line| (cost + line.cost, hours + line.hours));
    #[expect(clippy::cast_precision_loss, reason = "a month's bill in millionths of a dollar fits")]
    let usd_micros = cost.0 as f64 / hours;
    (hours > 0.0).then_some(Observed::Known(UnitPrice { usd_micros, from: PriceSource::Bill }))
}

/// A usage type of the Region with this prefix, without it. Some services have a prefix in US East (N. Virginia), too.
pub(super) fn in_region<'a>(usage_type: &'a str, prefix: &str) -> Option<&'a str> {
    let kind = usage_type.strip_prefix(prefix)?;
    Some(if prefix.is_empty() { kind.strip_prefix(SPELLED_OUT).unwrap_or(kind) } else { kind })
}

#[cfg(test)]
mod tests;
