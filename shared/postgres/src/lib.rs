//! The adapter to Postgres, 13 and later: what its databases do, what its planner would make of an index, and the three statements that
//! change something. Decides nothing.
//!
//! A connection lives for one call. Those that read can't write (`default_transaction_read_only`), wait for no lock longer than a moment and
//! give up soon; text that comes from a database is parsed or prepared as one statement, never joined into another. The three statements that
//! write are made in [`ddl`] from names and choices, and from nothing else.

mod actuator;
mod connect;
pub mod ddl;
mod errors;
pub mod names;
mod plan;
mod read;
mod vitals;

pub use actuator::Actuator;
pub use read::Databases;
