//! The steps of the cost cycle: analyze, identify, implement, monitor, iterate.
//!
//! Each step is a function over ports, so that it runs against fakes in tests and against AWS in its binary. Decisions are made in
//! `domain::cost`, changes in `engine` by `steps::act`; a step only carries values from one to the other and keeps the record.

pub mod analyze;
mod bill;
pub mod bill_alert;
pub mod digest;
pub mod history;
pub mod identify;
pub mod iterate;
mod memory;
pub mod monitor;
mod savings;
pub mod survey;
mod traffic;
