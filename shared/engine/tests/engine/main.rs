//! The writing side of the engine against a world in memory: what the world looks like afterwards, never which calls were made.

extern crate maintainer_engine as engine;

mod acting;
mod common;
mod faults;
mod settling;
mod simulation;
mod undoing;
