//! The steps that all cycles share: dispatch, resolve, begin, escalate, finish.
//!
//! Each step is a function over ports, so that it runs against fakes in tests and against AWS in its binary.

pub mod alarm;
pub mod begin;
pub mod dispatch;
pub mod escalate;
pub mod finish;
pub mod names;
pub mod resolve;
pub mod story;
