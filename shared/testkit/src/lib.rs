//! A small world in memory that stands in for AWS in tests: stateful fakes of every port, a clock that tests move, builders,
//! and a decorator that injects faults into every call.
//!
//! Fakes hold state and conditions like the services they stand for; a test looks at the world afterwards, never at calls.
//! Linked into tests only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on must fail loudly"
)]

pub mod asl;
pub mod build;
pub mod check;
pub mod clock;
pub mod fault;
mod log;
pub mod postgres;
mod proof;
pub mod redis;
pub mod schedule;
pub mod waste;
pub mod world;

pub use clock::TestClock;
pub use fault::{Call, Fault, Process};
pub use log::logged;
pub use proof::Proof;
pub use schedule::{End, interleave, run_to_end};
pub use world::{Landing, World, Write};
