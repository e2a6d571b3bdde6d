//! What went wrong, in one sentence with what to do, and in the words of ports.

use domain::observed::Missing;
use engine::ports::PortError;
use thiserror::Error;

/// Why an address did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Failure {
    #[error("the name {0} is not known: correct it, or its DNS")]
    Unresolved(String),
    #[error(
        "{0} is a machine that this page may not make us ask: only those of the internet, and those where the page itself is"
    )]
    Forbidden(String),
    #[error("{0} does not take connections: start its server, or let this network in ({1})")]
    Refused(String, String),
    #[error("the certificate of {0} is not trusted: renew it, or send the whole chain ({1})")]
    Certificate(String, String),
    #[error("no answer within {0} s: look at the server's log for what it waits for")]
    TimedOut(u64),
    #[error(
        "the connection broke before the answer was whole: look at the server's log, and at time-outs of proxies before it ({0})"
    )]
    Broken(String),
    #[error("it is larger than the {0} bytes that are read")]
    TooLarge(usize),
    #[error("more than {0} redirects, or one that leads back: correct the rule that redirects")]
    Redirects(usize),
    #[error("a redirect that leads nowhere: its Location is no address of the web")]
    Location,
    #[error("no address of the web")]
    Address,
}

impl Failure {
    /// Why a file that the page loads is missing.
    pub(crate) fn missing(&self) -> Missing {
        Missing::Failed(self.to_string())
    }

    /// Why the page itself is missing.
    pub(crate) fn port_error(&self, operation: String) -> PortError {
        let why = self.to_string();
        match self {
            // It may be otherwise in a moment.
            Self::Unresolved(_) | Self::Refused(..) | Self::TimedOut(_) | Self::Broken(_) => {
                PortError::Unknown { operation, why }
            }
            _ => PortError::Rejected { operation, why },
        }
    }
}

/// Why a page that was answered with this status can't be looked at.
pub(crate) fn of_status(operation: String, status: u16) -> PortError {
    match status {
        401 | 403 => PortError::Denied {
            operation,
            permission: format!("reading it without a login ({status}), or name another page under pages"),
        },
        404 | 410 => {
            PortError::Gone { operation, what: format!("the page ({status}): correct its address under pages, it") }
        }
        429 => PortError::Throttled { operation },
        500.. => PortError::Unknown {
            operation,
            why: format!("the server answers with the error {status}: look at its log"),
        },
        _ => PortError::Rejected {
            operation,
            why: format!("the server answers with {status}: correct the address under pages"),
        },
    }
}

/// A message of a library, as one short line: it may hold text from outside.
pub(crate) fn line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source.filter(|_| text.len() < 200) {
        text = format!("{text}: {error}");
        source = error.source();
    }
    domain::text::line(&text)
}
