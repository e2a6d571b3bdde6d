//! What the steps of several cycles do alike: see an application, change it, and keep the record of the run.
//!
//! Functions over ports, without AWS. Decisions are made in `domain`, the order of steps around a change in `engine`; here values are
//! carried from one to the other. Each cycle has binaries of its own for them, with permissions of its own.

pub mod act;
pub mod observe;
pub mod records;
mod validation;

pub use validation::Validation;
