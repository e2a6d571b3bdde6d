//! The studio: applications that live in the local cloud. Each virtual minute it reads their real configuration, lives
//! through the minute in the model, and publishes what AWS would publish.
//!
//! What the maintainer changes therefore has real consequences. The studio never looks at the maintainer and never
//! repairs anything. Laws: `docs/studio.md`.

mod alarms;
pub mod cache;
mod error;
mod life;
mod page;
mod planted;
pub mod postgres;
mod publish;
mod read;
mod setup;

pub use alarms::{AlarmPlan, alarm_plans};
pub use error::StudioError;
pub use life::{Life, Minute};
pub use setup::{Resources, names_of};
