//! The health cycle, its steps in the order of the state machine, on a small shop in memory: what the world looks like
//! afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on must fail loudly")]

extern crate maintainer_health as health;

mod arbitration;
mod canary;
mod consent;
mod earlier;
mod endings;
mod faults;
mod flapping;
mod healing;
mod machine;
mod moved;
mod reading;
mod residue;
mod restraint;
mod rollback;
mod shop;
mod steps;
mod sweep;
