//! What a cache (Redis, Valkey) says of itself at both ends of a window, and what people are told about it. Nothing of a cache is changed by
//! itself.
//!
//! Names of keys may hold personal data: what is kept of them is their [`patterns`].

mod look;
mod pattern;
mod rules;
mod window;

pub use look::{Command, Copy, Info, Key, Keyspace, Look, Own, Sampled, Slow, SlowLog};
pub use pattern::patterns;
pub use rules::{Seen, find};
pub use window::{Did, Ends, Lookups};
