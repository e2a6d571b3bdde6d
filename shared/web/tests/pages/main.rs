//! The adapter against a real server: what it sees, how true the rules are about it, and what it does when things go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a test that can't go on must fail loudly"
)]

mod faults;
mod looking;
mod made;
mod server;
mod truth;
