//! What examines the product: a studio of simulated applications in a local cloud, scenarios that make them sick, and a
//! player that tells the story and checks the end.
//!
//! Talks to a local cloud on this machine only. Nothing of it is deployed.

pub mod clock;
pub mod cloud;
mod commands;
pub mod local;
pub mod model;
pub mod permissions;
pub mod player;
pub mod promises;
pub mod redis;
pub mod rehearsal;
pub mod replay;
pub mod savings;
pub mod scenario;
pub mod studio;
