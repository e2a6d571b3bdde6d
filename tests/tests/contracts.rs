//! Contracts between what is written in different languages: state machines, template, events and documents against Rust.
//!
//! Reads files of the repository and calls nothing. Where a table stands in a test, another test compares it with the
//! source, so that it can't drift.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on must fail loudly")]

#[path = "contracts/adapters.rs"]
mod adapters;
#[path = "contracts/boundary.rs"]
mod boundary;
#[path = "contracts/dashboard.rs"]
mod dashboard;
#[path = "contracts/documents.rs"]
mod documents;
#[path = "contracts/environment.rs"]
mod environment;
#[path = "contracts/events.rs"]
mod events;
#[path = "contracts/graph.rs"]
mod graph;
#[path = "contracts/machine.rs"]
mod machine;
#[path = "contracts/machines.rs"]
mod machines;
#[path = "contracts/member.rs"]
mod member;
#[path = "contracts/promises.rs"]
mod promises;
#[path = "contracts/recovery.rs"]
mod recovery;
#[path = "contracts/repository.rs"]
mod repository;
#[path = "contracts/roles.rs"]
mod roles;
#[path = "contracts/settings.rs"]
mod settings;
#[path = "contracts/stack.rs"]
mod stack;
#[path = "contracts/template.rs"]
mod template;
#[path = "contracts/texts.rs"]
mod texts;
#[path = "contracts/wiring.rs"]
mod wiring;
#[path = "contracts/yaml.rs"]
mod yaml;
