//! Why the studio could not go on: the call, its subject, and what the cloud said.

use aws_sdk_cloudwatch::error::DisplayErrorContext;
use thiserror::Error;

/// A failure of the studio.
#[derive(Debug, Error)]
pub enum StudioError {
    /// A call to the local cloud failed.
    #[error("{operation} of {subject} failed: {why}")]
    Call {
        /// AWS operation.
        operation: &'static str,
        /// What it was about.
        subject: String,
        /// What the cloud said.
        why: String,
    },
    /// The cloud's answer lacks something.
    #[error("{operation} of {subject} answered without {what}")]
    Incomplete {
        /// AWS operation.
        operation: &'static str,
        /// What it was about.
        subject: String,
        /// What is lacking.
        what: &'static str,
    },
    /// A resource did not come up in time.
    #[error("{subject} did not come up within {seconds} s of real time")]
    TooSlow {
        /// The resource.
        subject: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The database.
    #[error("Postgres: {0}")]
    Postgres(#[from] tokio_postgres::Error),
    /// Its page.
    #[error("the page can't be served: {0}")]
    Page(std::io::Error),
    /// The cache.
    #[error(transparent)]
    Cache(#[from] crate::redis::RedisError),
}

impl StudioError {
    /// A mapper for the error of one call.
    pub fn call<E: std::error::Error>(operation: &'static str, subject: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::Call { operation, subject: subject.to_owned(), why: DisplayErrorContext(&error).to_string() }
    }

    /// An answer that lacks something.
    pub fn incomplete(operation: &'static str, subject: &str, what: &'static str) -> Self {
        Self::Incomplete { operation, subject: subject.to_owned(), what }
    }
}
