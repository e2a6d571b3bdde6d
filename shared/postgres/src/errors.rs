//! What the server or the network says, in the words of ports. Secrets are in none of them.

use engine::ports::PortError;
use std::error::Error;
use tokio_postgres::error::SqlState;

/// Translates a failed call. `operation` says what was tried, on which database.
pub(crate) fn port_error(operation: &str, error: &tokio_postgres::Error) -> PortError {
    let operation = operation.to_owned();
    let Some(refused) = error.as_db_error() else {
        // Whether it arrived is not known: the connection broke, or was never made.
        let cause = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
        return PortError::Unknown { operation, why: cause };
    };
    let said = domain::text::line(refused.message());
    match *refused.code() {
        SqlState::INSUFFICIENT_PRIVILEGE => {
            PortError::Denied { operation, permission: format!("what is lacking ({said})") }
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            PortError::Denied { operation, permission: format!("the login: correct the secret ({said})") }
        }
        SqlState::TOO_MANY_CONNECTIONS => PortError::Throttled { operation },
        // The server ends a session on its own account: a restart, a fail-over, an administrator.
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW => {
            PortError::Unknown { operation, why: said }
        }
        _ => PortError::Rejected { operation, why: format!("{said} ({})", refused.code().code()) },
    }
}

/// True when the server itself has answered with a refusal: whatever was tried has ended.
pub(crate) fn has_ended(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|refused| {
        !matches!(*refused.code(), SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW)
    })
}
