//! Days of a service that cost unusually much or little, beside the same weekday of other weeks.
//!
//! What a day differs from the median of its weekday is compared with what such differences usually are: `z =
//! difference / (1.4826 · MAD)`, where the spread is at least a twentieth of the service's median day, so that a
//! service that always costs the same does not cry at a cent. Only the last week is judged; a first of a month is not,
//! since fees of a month are charged on it.

use super::{Counted, amount, usd};
use crate::cost::money::UsdMicros;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use stats::robust::{MAD_TO_SIGMA, mad, median};

const WEEK_DAYS: usize = 7;
/// Days that are judged.
const JUDGED_DAYS: usize = 7;
/// Other days of the same weekday that are needed.
const PEERS_MIN: usize = 2;
/// Spreads beyond which a day stands out: that of the health cycle's sick members, since a week of twenty services is
/// some 140 looks.
const Z_MIN: f64 = 6.0;
/// US dollars and share of the usual level by which a day must differ to be worth a look.
const DIFFERENCE_USD_MIN: f64 = 1.0;
const DIFFERENCE_SHARE_MIN: f64 = 0.25;
/// The least spread, as a share of the median day.
const SPREAD_SHARE_MIN: f64 = 0.05;

/// A day of a service that stands out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// The day.
    pub day: Date,
    /// The service.
    pub service: String,
    /// What it cost.
    pub cost: UsdMicros,
    /// What that weekday usually costs.
    pub usual: UsdMicros,
    /// How unusual that is, in robust standard deviations; negative for less than usual.
    pub z: f64,
}

/// Days of the last week that stand out, newest first, then the largest difference.
pub(super) fn anomalies(counted: &Counted<'_>) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for (service, days) in counted.by_day(|line| line.service.as_str()) {
        let costs: Vec<f64> = days.iter().map(|day| usd(*day)).collect();
        let differences: Vec<f64> =
            (0..costs.len()).filter_map(|place| Some(costs.get(place)? - usual(&costs, place)?)).collect();
        let (Some(level), Some(spread)) = (median(&costs), mad(&differences)) else { continue };
        let sigma = (spread * MAD_TO_SIGMA).max(SPREAD_SHARE_MIN * level).max(DIFFERENCE_USD_MIN / Z_MIN);
        for place in costs.len().saturating_sub(JUDGED_DAYS)..costs.len() {
            let (Some(cost), Some(usual), Some(day)) = (costs.get(place), usual(&costs, place), counted.day(place))
            else {
                continue;
            };
            let (difference, z) = (cost - usual, (cost - usual) / sigma);
            let is_large = difference.abs() >= DIFFERENCE_USD_MIN.max(DIFFERENCE_SHARE_MIN * usual);
            if is_large && z.abs() >= Z_MIN && day.day() != 1 {
                let (cost, usual) = (amount(*cost), amount(usual));
                found.push(Anomaly { day, service: service.to_owned(), cost, usual, z });
            }
        }
    }
    let size = |anomaly: &Anomaly| (anomaly.cost - anomaly.usual).0.abs();
    found.sort_by(|a, b| b.day.cmp(&a.day).then_with(|| size(b).cmp(&size(a))).then_with(|| a.service.cmp(&b.service)));
    found
}

/// The median of the other days of the same weekday; none where there are too few.
fn usual(costs: &[f64], place: usize) -> Option<f64> {
    let peers: Vec<f64> = costs
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != place && other % WEEK_DAYS == place % WEEK_DAYS)
        .map(|(_, cost)| *cost)
        .collect();
    if peers.len() < PEERS_MIN { None } else { median(&peers) }
}
