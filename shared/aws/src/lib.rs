//! AWS as the engine's ports: one adapter per service, each of which translates SDK types into domain types and back.
//!
//! An adapter decides nothing. It makes the calls that a port asks for, follows every page, and gives back values,
//! [`Missing`](domain::observed::Missing) reasons and [`PortError`](engine::ports::PortError)s. Each is made from the
//! clients that it uses and no others, so that a function links no more than it calls.
//!
//! Beside the code that makes the calls stands a `PERMISSIONS` list with the IAM actions they need; [`permissions`]
//! gathers them by adapter, and a contract test compares them with the roles of the template.

pub mod actuator;
pub mod approvals;
pub mod arn;
pub mod artifacts;
pub mod billing;
pub mod calendars;
mod chances;
pub mod changes;
pub mod circuit;
pub mod clients;
pub mod clock;
pub mod config_source;
pub mod cost_actuator;
pub mod dead_letters;
mod decimal;
pub mod environment;
pub mod episodes;
pub mod errors;
pub mod estates;
pub mod executions;
pub mod inventory;
pub mod items;
pub mod journal;
pub mod leases;
pub mod liveness;
pub mod notifier;
pub mod permissions;
pub mod places;
pub mod prices;
pub mod runs;
pub mod savings_book;
#[cfg(test)]
mod scripted;
pub mod secrets;
pub mod signing_key;
pub mod start;
pub mod starter;
pub mod switch;
pub mod telemetry;
pub mod unit_prices;
pub mod waker;
pub mod watch;

pub use actuator::Actuator;
pub use approvals::Approvals;
pub use artifacts::Artifacts;
pub use billing::Billing;
pub use calendars::Calendars;
pub use circuit::Circuit;
pub use clients::Clients;
pub use clock::SystemClock;
pub use config_source::ConfigSource;
pub use cost_actuator::CostActuator;
pub use dead_letters::DeadLetters;
pub use episodes::Episodes;
pub use estates::Estates;
pub use executions::Executions;
pub use inventory::Inventory;
pub use journal::Journal;
pub use leases::Leases;
pub use liveness::Liveness;
pub use notifier::Notifier;
pub use places::Places;
pub use prices::Prices;
pub use runs::Runs;
pub use savings_book::SavingsBook;
pub use secrets::Secrets;
pub use signing_key::SigningKey;
pub use starter::Starter;
pub use switch::Switch;
pub use telemetry::Telemetry;
pub use unit_prices::UnitPrices;
pub use waker::Waker;
pub use watch::Watch;
