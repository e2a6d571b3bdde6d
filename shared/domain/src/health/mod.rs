//! The health cycle's decisions: what a snapshot means, what to do, whether it helped, and when to stop.
//!
//! [`analyze`] → [`plan()`] → (the changes are made elsewhere) → [`verify()`] → [`iterate()`]. All pure: time comes in
//! with the snapshots, and the same input gives the same bytes out. Design notes: `docs/health-score.md`,
//! `docs/health-rules.md`, `docs/verdict.md`.

mod analysis;
mod anomalies;
mod derived;
mod iterate;
pub mod links;
mod off;
mod onset;
mod plan;
pub mod policy;
pub mod rules;
mod score;
mod trends;
mod verify;
pub mod view;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;

pub use analysis::{Analysis, Decided, analyze};
pub use anomalies::{AnomalySeen, Memory, SERIES_MAX};
pub use derived::{Derived, TABLE as DERIVED};
pub use iterate::{Next, iterate};
pub use off::switched_off;
pub use plan::{Tried, plan};
pub use policy::Policy;
pub use rules::next_step;
pub use score::{Scores, SignalScore, on_scale, score};
pub use trends::{Direction, TrendSeen};
pub use verify::{Ask, DAYS_AGO, Minutes, is_due, verify, verify_without_before};
