//! The cost cycle on a small shop: its state machine, its real steps, a world in memory that goes on for weeks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on must fail loudly"
)]

mod bill;
mod faults;
mod machine;
mod off_hours;
mod saving;
mod shop;
mod shown;
mod survey;
mod telling;
