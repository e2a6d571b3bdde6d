//! The bill: what AWS has charged, day by day, as Cost Explorer tells it.

use super::money::UsdMicros;
use crate::observed::{Missing, Observed};
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
    /// Hours of instances that were paid on demand: covered neither by a reservation nor by a Savings Plan. None where that was
    /// not asked for.
    #[serde(default)]
    pub on_demand: Option<Vec<OnDemandLine>>,
    /// What a Compute Savings Plan would cover; known and none where AWS advises none, missing with its reason where it does not say.
    #[serde(default = "not_asked")]
    pub plan: Observed<Option<PlanOffer>>,
    /// Calls that were charged for this bill: 0 when it came from the cache of the day.
    pub calls: u32,
}

/// Of what was read before it was asked for.
pub(super) fn not_asked() -> Observed<Option<PlanOffer>> {
    Observed::Missing(Missing::NotPublished("a Savings Plan".to_owned()))
}

/// A Compute Savings Plan for one year with nothing upfront, as AWS has computed it from every hour of the last 60 days: what was
/// paid on demand in that time for what such a plan covers (EC2 of any family and Region, Fargate, Lambda), and what would have been
/// paid with the plan. Amounts of an hour are at the prices on demand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanOffer {
    /// Least that was paid on demand in any hour.
    pub least_hour: UsdMicros,
    /// Mean of all hours.
    pub mean_hour: UsdMicros,
    /// What AWS would commit an hour, at the prices of the plan.
    pub commitment_hour: UsdMicros,
    /// What a dollar on demand costs under the plan: 0.72 for 28 % less.
    pub rate: f64,
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

/// What was charged on demand on one day for one kind of instance: record type `Usage`. What a reservation covers is
/// `DiscountedUsage`, what a Savings Plan covers `SavingsPlanCoveredUsage`; fees, credits and refunds have types of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnDemandLine {
    /// The day.
    pub day: Date,
    /// Usage type, for example `EUC1-BoxUsage:m5.large`.
    pub usage_type: String,
    /// Operation, which tells operating systems and engines apart: `RunInstances` is Linux, `CreateDBInstance:0014` PostgreSQL.
    pub operation: String,
    /// What was charged.
    pub cost: UsdMicros,
    /// How much was used, in hours.
    pub hours: f64,
}
