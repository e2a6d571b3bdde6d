//! The adapter to web pages: one look at a page and at what it loads, as a browser fetches it, without running anything. Decides nothing about
//! what it sees.
//!
//! It reads (`GET`), sends neither cookies nor credentials and keeps none. What a page names is text from outside: only `http` and `https` are
//! asked for, and only machines on the same side as the page itself ([`zone`]), by the address to which the connection is then made. Sizes,
//! times, redirects and numbers of files have limits ([`Limits`]); so has what a coding may grow to.

mod address;
mod blanks;
mod body;
mod charset;
mod client;
mod coding;
mod css;
mod errors;
mod files;
mod html;
mod limits;
mod load;
mod network;
mod picture;
mod select;
mod srcset;
mod tags;
mod tls;
pub mod zone;

pub use limits::Limits;
pub use network::{Network, System};
pub use tls::Roots;

use async_trait::async_trait;
use domain::performance::pages::PageLook;
use engine::ports::{Pages, PortResult};
use rustls::ClientConfig;
use std::sync::Arc;

/// See [`engine::ports::Pages`].
pub struct Web<N> {
    network: N,
    limits: Limits,
    tls: Arc<ClientConfig>,
}

impl Web<System> {
    /// Looks at pages over the network of this machine, trusting the authorities that it trusts.
    ///
    /// # Errors
    /// When the library of TLS has none of its own versions; never in practice.
    pub fn new() -> PortResult<Self> {
        Self::over(System::default(), Limits::default(), &Roots::System)
    }
}

impl<N: Network> Web<N> {
    /// Looks at pages over another network, within other limits, trusting other authorities.
    ///
    /// # Errors
    /// When an authority can't be read.
    pub fn over(network: N, limits: Limits, roots: &Roots) -> PortResult<Self> {
        Ok(Self { network, limits, tls: Arc::new(tls::config(roots)?) })
    }
}

#[async_trait]
impl<N: Network> Pages for Web<N> {
    async fn fetch(&self, url: &str) -> PortResult<PageLook> {
        load::load(&self.network, &self.limits, Arc::clone(&self.tls), url).await
    }
}
