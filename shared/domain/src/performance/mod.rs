//! The performance cycle: what a database does, which of it is slow for want of an index, what an index has brought.

mod advisor;
mod bottlenecks;
pub mod cache;
mod candidates;
pub mod catalog;
pub mod index;
mod iterate;
pub mod pages;
mod plan;
mod policy;
mod profile;
mod rules;
pub mod shape;
mod stale;
pub mod statistics;
mod verify;
pub mod vitals;
pub mod wording;

pub use advisor::{Advised, Advisor, Budget, Helped, Priced, Question, Weighs, Work};
pub use bottlenecks::{Bottleneck, bottlenecks, matrix};
pub use candidates::{ROWS_MIN, candidates};
pub use iterate::{Next, iterate};
pub use plan::{Indexed, Past, Planning, Room, SIGNAL, Target, Touching, plan};
pub use policy::Policy;
pub use profile::{Counter, Sample, Used, Window, window};
pub use rules::{Seen, find};
pub use stale::{RULE as STALE_RULE, Stale, stale};
pub use verify::{Measured, verify, without_measurement};
