//! The cost cycle's decisions: what an application costs, what of that is waste, in which order it is saved, and whether
//! anybody suffered from it.
//!
//! [`rules::find`] → [`plan()`] → (the changes are made elsewhere) → [`watch()`] → [`iterate()`]. All pure: time comes in with
//! the estate and the snapshots. Money is in millionths of a US dollar, as integers. Design note: `docs/cost.md`.

pub mod bill;
pub mod bill_analysis;
pub mod estate;
mod iterate;
pub mod matrix;
pub mod money;
pub mod on_demand;
pub mod opportunity;
mod plan;
pub mod policy;
pub mod prices;
mod response;
pub mod rest;
pub mod rules;
pub mod savings;
pub mod terms;
pub mod usage;
mod watch;

#[cfg(test)]
mod fixture;

pub use bill::Bill;
pub use estate::{Estate, Item};
pub use iterate::{Next, iterate};
pub use opportunity::{Decided, Opportunity, Remedy, Saving};
pub use plan::{Past, WASTE, plan};
pub use policy::Policy;
pub use prices::PriceBook;
pub use prices::wanted as wanted_prices;
pub use response::{ResponseTime, response_times, tell as tell_response_times};
pub use terms::Terms;
pub use watch::{request_signals, watch, watch_without_before};
