//! What is needed of the machine: names, connections, and how much time has passed.

use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, lookup_host};

/// The network as a machine sees it.
#[async_trait]
pub trait Network: Send + Sync {
    /// Addresses of a host.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
    /// Connects to exactly this address.
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream>;
    /// Time since some moment.
    fn passed(&self) -> Duration;
}

/// The network of this machine.
#[derive(Clone, Copy, Debug)]
pub struct System {
    started: Instant,
}

impl Default for System {
    fn default() -> Self {
        Self { started: Instant::now() }
    }
}

#[async_trait]
impl Network for System {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    fn passed(&self) -> Duration {
        self.started.elapsed()
    }
}
