//! The steps that all cycles share: dispatch, resolve, begin, ask, answer, escalate, finish; the page that answers; and what a
//! person orders beside the cycles: rollback, explain.
//!
//! Each step is a function over ports, so that it runs against fakes in tests and against AWS in its binary.

pub mod alarm;
pub mod answer;
pub mod ask;
pub mod begin;
mod care;
pub mod dispatch;
pub mod escalate;
pub mod explain;
pub mod finish;
pub mod link;
pub mod names;
pub mod page;
pub mod resolve;
pub mod rollback;
pub mod silence;
pub mod story;
pub mod succession;
pub mod words;
