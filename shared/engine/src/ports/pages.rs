//! Web pages under care.

use super::PortResult;
use async_trait::async_trait;
use domain::performance::pages::PageLook;

/// Looks at web pages as a browser loads them, without running what they hold. Reads only (`GET`), without cookies, under limits of time
/// and size of its own, and reaches no machine that the page itself is not on the same side of.
#[async_trait]
pub trait Pages: Send + Sync {
    /// One look at a page and at what it loads.
    ///
    /// # Errors
    /// When the page itself can't be had, or is no HTML. What it loads is missing in the look with its reason.
    async fn fetch(&self, url: &str) -> PortResult<PageLook>;
}
