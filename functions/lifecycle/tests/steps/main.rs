//! The steps that all cycles share, against a world in memory: what the world looks like afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on must fail loudly")]

extern crate maintainer_lifecycle as lifecycle;

mod answering;
mod beginning;
mod dispatching;
mod escalating;
mod finishing;
mod hostile;
mod late;
mod places;
mod resolving;
mod shop;
mod silence;
mod storms;
mod wire;
