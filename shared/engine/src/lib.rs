//! Carries decisions out: leases, the journal, the order of steps around a change, settling and undoing.
//!
//! Everything that touches the outside goes through [`ports`]; nothing in here knows AWS. Decisions are made in
//! `domain`; this crate never weighs one thing against another.

pub mod act;
pub mod documents;
pub mod facts;
pub mod lease;
pub mod ports;
mod restraints;
pub mod run;
pub mod runtime;
pub mod settings;
pub mod settle;
pub mod step;
pub mod undo;
pub mod verdict;
