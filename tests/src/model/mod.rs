//! The model of the application under care: what it would do under its load in the configuration that really stands.
//!
//! Pure: the world as read from the cloud goes in, one minute of measurements comes out. Deterministic from a seed. It
//! never calls anything and knows nothing of the maintainer. Laws and worked examples: `docs/studio.md`.

mod app;
mod database;
mod effects;
mod latency;
mod metrics;
mod params;
mod queue;
mod web;
mod world;

#[cfg(test)]
mod remedies;

pub use app::{App, Sample};
pub use database::{Database, DatabaseLoad};
pub use effects::{Effects, Event, FirstChange, Happening, Metrics, at as effects_at, first_change};
pub use latency::{Part, Quantiles, mixture};
pub use metrics::{Datum, Names, Value, data};
pub use params::{CacheParams, DatabaseParams, Params, WebParams, WorkerParams};
pub use queue::{Queue, QueueMinute};
pub use web::{Server, ServerMinute, serve};
pub use world::{CacheSeen, InstanceSeen, ServiceSeen, World};
