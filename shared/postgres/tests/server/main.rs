//! The adapter against a real Postgres: what it reads, what it prices, and what is left of a build whatever happens to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that can't go on must fail loudly"
)]

mod advising;
mod analyzing;
mod building;
mod door;
mod looking;
mod reading;
mod shop;
mod truth;
