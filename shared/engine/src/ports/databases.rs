//! Databases under care, and the secrets by which they let us in.

use super::PortResult;
use async_trait::async_trait;
use domain::performance::catalog::Catalog;
use domain::performance::vitals::Look;
use domain::performance::{Priced, Question, Sample};
use std::fmt;

/// Looks into Postgres databases, by their names in the configuration. Reads only, under limits of time of its own.
#[async_trait]
pub trait Databases: Send + Sync {
    /// Counters of statements now; with their texts where wanted.
    async fn sample(&self, database: &str, with_texts: bool) -> PortResult<Sample>;
    /// Tables, columns and indexes.
    async fn catalog(&self, database: &str) -> PortResult<Catalog>;
    /// What the server says of itself: sessions, locks, vacuum, numbers that run out, memory, settings. A part that can't be read is missing
    /// with its reason.
    async fn look(&self, database: &str) -> PortResult<Look>;
    /// What the planner would make of each statement with hypothetical indexes, in their order; `None` for one that it can't price.
    async fn price(&self, database: &str, questions: &[Question]) -> PortResult<Vec<Option<Priced>>>;
}

/// Reads secrets. They are handed to whoever opens a connection and go nowhere else.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// User and password in the secret of this name.
    async fn read(&self, name: &str) -> PortResult<Credentials>;
}

/// A user with a password. Its text form shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub username: String,
    /// Password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
