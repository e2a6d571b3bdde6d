//! The rehearsal: a whole run of the cycle on the model of an application, in milliseconds, without a cloud.
//!
//! The decisions are the product's own (`analyze`, `plan`, the guards, `verify`, `iterate`); the application is the studio's
//! model; only what lies between them (calls, journal, state machine) is left out. It says whether the rules and the laws
//! fit together, for thousands of seeds; whether the product works is said by the end-to-end test.

mod cycle;
mod stage;
mod store;

#[cfg(test)]
mod labels;
#[cfg(test)]
mod right_size;
#[cfg(test)]
mod tests;

pub use cycle::{End, Made, Rehearsal, rehearse};
pub use stage::Stage;
pub use store::Store;
