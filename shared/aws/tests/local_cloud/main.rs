//! The adapters against a running local cloud: what they write is read back from the services themselves.
//!
//! Runs when `MAINTAINER_LOCAL_ENDPOINT` names one (`http://127.0.0.1:4566`), else each test says that it is skipped.
//! `MAINTAINER_CLOCK` is that of the cloud, where it runs on a virtual clock. Every test makes its own resources.

#![allow(clippy::disallowed_methods, reason = "a test reads its own environment")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

extern crate maintainer_aws as aws;

mod actuator;
mod bill;
mod caches;
mod claims;
mod disks;
mod estates;
mod inventory;
mod off_hours;
mod records;
mod savings;
mod stores;
mod telemetry;

use aws::{Clients, SystemClock};
use aws_credential_types::Credentials;
use aws_types::sdk_config::SdkConfig;
use engine::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicU32, Ordering};

/// A local cloud and a name that no other test has used.
struct Cloud {
    config: SdkConfig,
    clients: Clients,
    clock: SystemClock,
    name: String,
}

impl Cloud {
    /// The cloud of the environment; `None`, with a sentence, when there is none.
    async fn connect(test: &str) -> Option<Self> {
        static NAMES: AtomicU32 = AtomicU32::new(0);
        let Ok(endpoint) = std::env::var("MAINTAINER_LOCAL_ENDPOINT") else {
            println!("skipped: {test} needs MAINTAINER_LOCAL_ENDPOINT, the address of a local cloud");
            return None;
        };
        let clock = SystemClock::new(std::env::var("MAINTAINER_CLOCK").ok().as_deref(), Some(&endpoint)).unwrap();
        let credentials = Credentials::new("test", "test", None, None, "test");
        let clients = Clients::load_from(aws::environment::at("us-east-1", credentials).endpoint_url(&endpoint));
        let config = clients.config().clone();
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}-{}-{number}", Timestamp::now().as_millisecond(), std::process::id());
        Some(Self { config, clients, clock, name })
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A moment some seconds later.
fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap()
}
