//! What is paid for: the bill, the estate, and unit prices. Reads only.

use super::PortResult;
use async_trait::async_trait;
use config::Selector;
use domain::cost::bill::Bill;
use domain::cost::estate::Item;
use domain::cost::prices::{PriceBook, Sold};
use domain::observed::Missing;
use domain::resource::ResourceKind;
use jiff::civil::Date;

/// The bill. Every call is charged by AWS, so it is asked at most once a day.
#[async_trait]
pub trait Billing: Send + Sync {
    /// Charges of whole days from `from` until the day before `to`, by usage type and by application tag; every page read.
    /// [`Bill::calls`] says how many calls were charged.
    async fn read(&self, from: Date, to: Date) -> PortResult<Bill>;
}

/// Finds what is paid for.
#[async_trait]
pub trait Estates: Send + Sync {
    /// All items of a scope with their live state; kinds that could not be read are named with the reason. Every page read.
    async fn survey(&self, scope: &Scope) -> PortResult<Surveyed>;
}

/// Whose estate.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    /// What belongs to one application.
    App(Selector),
    /// What carries the tag of no application.
    Rest,
}

/// What a survey found and what it could not look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surveyed {
    /// Items, `unused_since` left open: that is for the maintainer's memory.
    pub items: Vec<Item>,
    /// Kinds that could not be read.
    pub unread: Vec<(ResourceKind, Missing)>,
}

/// Unit prices of AWS's price list, for the place of the application.
#[async_trait]
pub trait UnitPrices: Send + Sync {
    /// The list price of each; one that can't be read is missing with its reason.
    async fn list(&self, sold: &[Sold]) -> PriceBook;
    /// The prefix of the place's usage types on the bill: `EUC1-`, or nothing for US East (N. Virginia).
    fn usage_type_prefix(&self) -> String;
}
