//! Caches under care.

use super::PortResult;
use async_trait::async_trait;
use domain::performance::cache::Look;

/// Looks at caches (Redis, Valkey), by their names in the configuration. Reads only, under limits of time, of answers and of keys of its own.
#[async_trait]
pub trait Caches: Send + Sync {
    /// What the server says of itself now, with some of its keys. A part that can't be read is missing with its reason.
    ///
    /// # Errors
    /// When nothing can be read: it can't be reached, lets nobody in, is still loading, or is no Redis.
    async fn look(&self, cache: &str) -> PortResult<Look>;
}
