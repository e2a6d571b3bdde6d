//! The bill: what AWS has charged, day by day, as Cost Explorer tells it.

use super::money::UsdMicros;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Cost and usage of an account, or of one application in it, over a number of whole days.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// First day.
    pub from: Date,
    /// The day after the last one.
    pub to: Date,
    /// Currency of all amounts, as the bill names it. Anything but `USD` is shown, and nothing is computed from it.
    pub currency: String,
    /// Charges by service and usage type.
    pub lines: Vec<Line>,
    /// The same charges by the application tag and usage type; an empty name is what carries no such tag.
    pub by_app: Vec<AppLine>,
    /// Calls that were charged for this bill: 0 when it came from the cache of the day.
    pub calls: u32,
}

/// A charge of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The day.
    pub day: Date,
    /// Service, for example `Amazon Elastic Compute Cloud - Compute`.
    pub service: String,
    /// Usage type, for example `EUC1-EBS:VolumeUsage.gp2`.
    pub usage_type: String,
    /// What was charged; negative for credits and refunds.
    pub cost: UsdMicros,
    /// How much was used, in `unit`.
    pub quantity: f64,
    /// Unit of the quantity, for example `GB-Mo`.
    pub unit: String,
    /// The day's figures may still change.
    pub is_estimated: bool,
}

/// A charge of one day by application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppLine {
    /// The day.
    pub day: Date,
    /// Value of the application tag; empty for what has none.
    pub app: String,
    /// Usage type. Of which service it is, the bill does not tell along with the tag.
    pub usage_type: String,
    /// What was charged.
    pub cost: UsdMicros,
    /// How much was used, in `unit`.
    pub quantity: f64,
    /// Unit of the quantity.
    pub unit: String,
}
