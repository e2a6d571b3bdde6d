//! The performance cycle on a small shop: its state machine, its real steps, a world in memory. What a real server does is
//! `shared/postgres/tests` and `shared/redis/tests`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on must fail loudly"
)]

mod cache;
mod canaries;
mod faults;
mod improving;
mod machine;
mod pages;
mod server;
mod serving;
mod shop;
