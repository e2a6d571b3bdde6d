//! Plays the state machines of `infra/statemachines` over the fakes of `testkit`, as Step Functions would, and lets every call of every
//! state go wrong.
//!
//! A cycle's tests bring their shop ([`Shop`]): what is measured there, and the steps that only this cycle has. The steps that all cycles
//! share are in [`shared`]. Linked into tests only.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that can't go on must fail loudly"
)]

#[cfg(test)]
mod fan_out;
mod machine;
mod people;
mod shared;
mod sweep;

pub use machine::{Ended, Machine, Stop};
pub use people::{PAGE, Reply};
pub use shared::{parsed, step, written};
pub use sweep::{About, Plot, sweep};

use config::{Config, ResolvedApp};
use engine::step::StepError;
use serde_json::Value;
use std::sync::Arc;
use testkit::{Process, World};

/// An application that a cycle looks after in a test.
pub trait Shop: Sized {
    /// Its world.
    fn world(&self) -> &Arc<World>;

    /// What is configured.
    fn config(&self) -> &Config;

    /// Brings what is measured up to date with what was done.
    fn catch_up(&self) {}

    /// The same shop in a world of its own, as it is now, under this configuration.
    fn fork(&self, config: Config) -> Self;

    /// A step that only this cycle has, as its binary runs it. Everything that it calls goes through the process.
    fn step(
        &self,
        process: &Process,
        app: &ResolvedApp,
        function: &str,
        payload: Value,
    ) -> impl Future<Output = Result<Value, StepError>>;
}
