//! The forecast to the month's end: what is spent, and the median day for each day that is left.
//!
//! `likely = spent + days left · median`. The median of up to 28 days, since a charge of the first of the month (a
//! support plan, a fee) must not be multiplied. The interval is 95 % of a normal error with the robust spread σ of a
//! day (1.4826 · MAD): the days left vary by `σ √r`, and the median of `n` days is uncertain by `σ √(π / 2n)`, which
//! counts `r` times. Example: 200 USD spent, 10 days left, median 10, σ 1, n = 28: 300 ± 1.96 · √(10 + 100 · π / 56) =
//! 300 ± 7.7. Never less than what is spent.

use super::{Counted, amount, usd};
use crate::cost::money::UsdMicros;
use serde::{Deserialize, Serialize};
use stats::robust::{MAD_TO_SIGMA, mad, median};

/// Days that a forecast needs, and that it looks back at most.
const DAYS_MIN: usize = 7;
const DAYS_MAX: usize = 28;
/// Half of a 95 % interval in standard deviations.
const Z_95: f64 = 1.96;

/// Where the month ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Charges of the month's whole days so far.
    pub spent: UsdMicros,
    /// Days of the month that are left, those that do not count yet among them.
    pub days_left: u32,
    /// At least, with 95 % together with `high`.
    pub low: UsdMicros,
    /// Most likely.
    pub likely: UsdMicros,
    /// At most.
    pub high: UsdMicros,
}

/// The forecast beside the budget.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Budget of the month.
    pub budget: UsdMicros,
    /// The likely end of the month in per cent of it.
    pub used_pct: f64,
    /// What that means.
    pub outlook: Outlook,
}

/// How the month ends beside its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// Within it, even at the high end.
    Within,
    /// The interval reaches over it.
    MayExceed,
    /// Likely over it.
    LikelyExceeds,
    /// More is spent already.
    Exceeded,
}

/// Forecasts the month of the last whole day; none with fewer than seven whole days.
pub(super) fn forecast(counted: &Counted<'_>) -> Option<Forecast> {
    let last = counted.last()?;
    let mut days = vec![UsdMicros::default(); counted.days];
    for line in &counted.charges {
        if let Some(sum) = counted.place(line.day).and_then(|place| days.get_mut(place)) {
            *sum = *sum + line.cost;
        }
    }
    if days.len() < DAYS_MIN {
        return None;
    }
    let passed = usize::try_from(last.day()).ok()?;
    let spent: UsdMicros = days.iter().rev().take(passed).copied().sum();
    let days_left = u32::try_from(last.days_in_month() - last.day()).ok()?;
    let recent: Vec<f64> = days.iter().rev().take(DAYS_MAX).map(|day| usd(*day)).collect();
    let (day, sigma) = (median(&recent)?, mad(&recent)? * MAD_TO_SIGMA);
    let left = f64::from(days_left);
    let known = f64::from(u32::try_from(recent.len()).ok()?);
    let error = Z_95 * sigma * (left + left * left * std::f64::consts::PI / (2.0 * known)).sqrt();
    let likely = spent + amount(left * day);
    let low = (likely - amount(error)).max(spent);
    Some(Forecast { spent, days_left, low, likely, high: likely + amount(error) })
}

/// The forecast beside a budget in US dollars a month; none where there is no budget.
pub(super) fn budget(forecast: &Forecast, budget_usd_month: f64) -> Option<Budget> {
    if budget_usd_month <= 0.0 || !budget_usd_month.is_finite() {
        return None;
    }
    let budget = amount(budget_usd_month);
    let outlook = match () {
        () if forecast.spent > budget => Outlook::Exceeded,
        () if forecast.likely > budget => Outlook::LikelyExceeds,
        () if forecast.high > budget => Outlook::MayExceed,
        () => Outlook::Within,
    };
    Some(Budget { budget, used_pct: 100.0 * usd(forecast.likely) / budget_usd_month, outlook })
}
