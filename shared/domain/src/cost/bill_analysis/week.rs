//! Week over week: the last seven whole days and the seven before. Equal weekdays on both sides, so no season is in it.

use super::{Counted, usd};
use crate::cost::money::UsdMicros;
use serde::{Deserialize, Serialize};

const WEEK_DAYS: usize = 7;
/// Share of the growth that the named usage types make up, 0 to 1, and how many are named at most.
const DRIVEN_SHARE: f64 = 0.8;
const DRIVERS_MAX: usize = 5;

/// Two weeks beside each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// Charges of the last seven whole days.
    pub last: UsdMicros,
    /// Charges of the seven before.
    pub before: UsdMicros,
    /// Growth in per cent; none where the week before had no charge.
    pub growth_pct: Option<f64>,
    /// It grows by more than the policy allows.
    pub is_steep: bool,
    /// What has grown, where it is steep: the few usage types that make up most of the growth, largest first.
    pub drivers: Vec<Driver>,
}

/// A usage type that has grown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// Service.
    pub service: String,
    /// Usage type.
    pub usage_type: String,
    /// Charges of the last week.
    pub last: UsdMicros,
    /// Charges of the week before.
    pub before: UsdMicros,
}

impl Driver {
    fn growth(&self) -> UsdMicros {
        self.last - self.before
    }
}

/// Compares the two weeks; none with fewer than fourteen whole days.
pub(super) fn week(counted: &Counted<'_>, pct_max: f64) -> Option<Week> {
    let begin = counted.days.checked_sub(2 * WEEK_DAYS)?;
    let weeks = |days: &[UsdMicros]| -> (UsdMicros, UsdMicros) {
        let of = |from: usize| days.iter().skip(from).take(WEEK_DAYS).copied().sum();
        (of(begin), of(begin + WEEK_DAYS))
    };
    let mut grown = Vec::new();
    let (mut before, mut last) = (UsdMicros::default(), UsdMicros::default());
    for ((service, usage_type), days) in counted.by_day(|line| (line.service.as_str(), line.usage_type.as_str())) {
        let (was, is) = weeks(&days);
        (before, last) = (before + was, last + is);
        if is > was {
            let (service, usage_type) = (service.to_owned(), usage_type.to_owned());
            grown.push(Driver { service, usage_type, last: is, before: was });
        }
    }
    let growth_pct = (before.0 > 0).then(|| 100.0 * usd(last - before) / usd(before));
    let is_steep = growth_pct.map_or(last.0 > 0, |pct| pct > pct_max);
    let drivers = if is_steep { most(grown) } else { Vec::new() };
    Some(Week { last, before, growth_pct, is_steep, drivers })
}

/// The largest that together make up most of it.
fn most(mut grown: Vec<Driver>) -> Vec<Driver> {
    grown.sort_by(|a, b| b.growth().cmp(&a.growth()).then_with(|| a.usage_type.cmp(&b.usage_type)));
    let wanted = grown.iter().map(Driver::growth).sum::<UsdMicros>().times(DRIVEN_SHARE);
    let mut sum = UsdMicros::default();
    let needed = grown.iter().take_while(|driver| {
        let is_needed = sum < wanted;
        sum = sum + driver.growth();
        is_needed
    });
    let needed = needed.count().min(DRIVERS_MAX);
    grown.truncate(needed);
    grown
}
