//! The player: plays a scenario in a local cloud, tells the story while it happens, and says at the end whether
//! everything that was expected holds.
//!
//! It watches from outside, by the records and artifacts that the maintainer leaves in the cloud, and judges by the
//! state of the world. It never helps the maintainer.

mod check;
mod kill;
mod namesake;
mod person;
mod play;
mod records;
mod save;
mod stack;
mod story;
mod watch;
mod world;

pub use check::Finding as Check;
pub use play::{PlayError, Verdict, play};
pub use records::{JournalEntry, JournalState, Records, Told};
pub use stack::{Outputs, Stack, StackError};
pub use story::Story;
