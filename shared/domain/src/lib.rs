//! The rules of the infrastructure maintainer: what is measured, what it means, what to do, and whether it helped.
//!
//! Everything here is a function of its arguments. There is no I/O, no clock, no randomness and no environment:
//! time comes in as a value, so the same input gives the same bytes out.

pub mod approval;
pub mod arbitration;
pub mod change;
pub mod changes;
pub mod cost;
pub mod execution;
pub mod finding;
pub mod guard;
pub mod health;
pub mod ids;
pub mod mode;
pub mod objective;
pub mod observed;
pub mod outcome;
pub mod performance;
pub mod place;
pub mod plan;
pub mod price;
pub mod reading;
pub mod resource;
pub mod rollout;
pub mod series;
pub mod settle;
pub mod signal;
pub mod signals;
pub mod snapshot;
pub mod text;
pub mod watch;
