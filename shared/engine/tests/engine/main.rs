//! The writing side of the engine against a world in memory: what the world looks like afterwards, never which calls were made.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on must fail loudly, and a simulation says what it did"
)]

extern crate maintainer_engine as engine;

mod acting;
mod arbitrating;
mod common;
mod counting;
mod faults;
mod overtaking;
mod settling;
mod sharing;
mod simulation;
mod skewing;
mod undoing;
