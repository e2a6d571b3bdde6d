//! The adapter against a real Redis: what it reads, what it says when it may not, and how true the rules are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that can't go on must fail loudly"
)]

mod door;
mod looking;
mod shop;
mod truth;
