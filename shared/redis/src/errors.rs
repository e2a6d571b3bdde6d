//! What the server or the network says, in the words of ports, with the next step. Secrets are in none of them.

use crate::bounded::TOO_MUCH;
use domain::text::line;
use engine::ports::PortError;
use redis::{ErrorKind, RedisError};
use std::io;

/// Translates a failed call. `operation` says what was tried, `needs` the rule of an ACL that permits it.
pub(crate) fn port_error(operation: &str, needs: &str, error: &RedisError) -> PortError {
    let operation = operation.to_owned();
    // Some servers repeat the arguments of a command that they do not know: those of a login are the password.
    let said =
        || line(error.detail().unwrap_or_else(|| error.category()).split(", with args").next().unwrap_or_default());
    let denied = |permission: String| PortError::Denied { operation: operation.clone(), permission };
    let unknown = |why: &str| PortError::Unknown { operation: operation.clone(), why: why.to_owned() };
    let rejected = |why: String| PortError::Rejected { operation: operation.clone(), why };
    let text = error.to_string();
    if text.contains("max number of clients") {
        return PortError::Throttled { operation };
    }
    if text.contains("without any password configured") {
        return rejected("it asks for no password: take read_secret out of the configuration, or set one".to_owned());
    }
    if text.contains("protected mode") {
        let why = "it lets in only its own machine (protected-mode): give it a user with a password, and bind it";
        return rejected(why.to_owned());
    }
    match error.code() {
        Some("NOAUTH") => return denied("a login: name a secret with username and password in read_secret".to_owned()),
        Some("WRONGPASS") => return denied("the login: correct the secret, or enable its user".to_owned()),
        Some("NOPERM") => {
            return denied(format!("what is lacking to the user that reads: ACL SETUSER <user> {needs}"));
        }
        Some("LOADING") => return unknown(LOADING),
        Some("BUSY") => return unknown("a script runs and nothing else; look again when it has ended"),
        Some(code) => return rejected(format!("the cache said {}: {}", line(code), said())),
        None => {}
    }
    if text.contains(TOO_MUCH) {
        return rejected(format!("{TOO_MUCH}: its keys have very long names"));
    }
    if error.is_timeout() {
        return unknown("no answer within 5 s: it is busy with one command, see SLOWLOG GET, or it hangs");
    }
    match error.kind() {
        ErrorKind::Parse => {
            rejected("what answers there is no Redis, or it expects TLS: check host, port and tls".to_owned())
        }
        _ if error.is_io_error() || error.is_connection_dropped() => unknown(
            "the connection was cut: it restarts, has no connection left for us (maxclients), or expects TLS where tls is off",
        ),
        _ => rejected(format!("the cache refused it: {}", said())),
    }
}

/// What is said while a server reads its data from disk.
pub(crate) const LOADING: &str = "it is still loading its data; look again in some minutes";

/// Nobody was reached.
pub(crate) fn not_reached(operation: &str, error: &io::Error) -> PortError {
    let next = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there: check host and port, and whether it runs",
        _ => "check host, subnets and security groups",
    };
    PortError::Unknown { operation: operation.to_owned(), why: format!("{next} ({})", line(&error.to_string())) }
}

/// The server was reached and no encrypted connection came about.
pub(crate) fn refused_tls(operation: &str, error: &io::Error) -> PortError {
    let said = line(&error.to_string());
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => trust::untrusted(operation.to_owned(), &said),
        Some(rustls::Error::InvalidMessage(_)) => {
            let why = "what answers there speaks no TLS: switch on encryption in transit, or check the port".to_owned();
            PortError::Rejected { operation: operation.to_owned(), why }
        }
        Some(_) => {
            PortError::Rejected { operation: operation.to_owned(), why: format!("no encrypted connection ({said})") }
        }
        None => PortError::Unknown {
            operation: operation.to_owned(),
            why: format!("the connection was cut before it was encrypted: check that the port takes TLS ({said})"),
        },
    }
}
