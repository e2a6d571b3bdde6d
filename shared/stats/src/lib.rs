//! Statistics of metric series: robust, deterministic, without I/O, clock or randomness.
//!
//! Decides nothing about health or changes. It only says how unusual a value is, whether a series moves, and how
//! sure a difference is; the rules elsewhere decide what that means.

pub mod anomaly;
pub mod compare;
mod normal;
pub mod robust;
pub mod trend;
