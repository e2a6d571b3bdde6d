//! The steps of the health cycle: monitor, analyze, optimize, validate, iterate.
//!
//! Each step is a function over ports, so that it runs against fakes in tests and against AWS in its binary. Decisions
//! are made in `domain`, changes in `engine`; a step only carries values from one to the other and keeps the record.

pub mod analyze;
pub mod earlier;
pub mod iterate;
pub mod monitor;
pub mod residue;
pub mod validate;

pub use steps::{act as optimize, observe, records};
