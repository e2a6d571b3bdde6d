//! Opens a connection: encrypted with the certificate checked, unless the server is on this machine and the configuration says so.

use crate::bounded::Bounded;
use crate::errors::{not_reached, port_error, refused_tls};
use config::{Cache, Tls};
use engine::ports::{Credentials, PortError, PortResult};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisConnectionInfo, RedisResult, Value};
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// By which a server's administrator knows our connections, and we our own commands.
pub(crate) const CLIENT_NAME: &str = "infrastructure-maintainer";
/// Time for a connection to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for an answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(5);
/// Bytes that are read in one look: a thousand keys are a few hundred kilobytes.
const BYTES_MAX: usize = 16 * 1_048_576;

/// A connection. Dropping it ends it.
pub(crate) struct Session {
    connection: MultiplexedConnection,
    task: JoinHandle<()>,
    /// Commands that were sent.
    pub(crate) commands: f64,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Session {
    /// The answer to a command.
    pub(crate) async fn ask(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.commands += 1.0;
        command.query_async(&mut self.connection).await
    }

    /// The answers to several, in their order; a refusal of one is an answer of its own.
    pub(crate) async fn ask_all(&mut self, commands: &Pipeline) -> RedisResult<Vec<Value>> {
        self.commands += commands.len() as f64;
        self.connection.send_packed_commands(commands, 0, commands.len()).await
    }
}

/// Opens a connection for a user, or without one where the cache asks for none.
pub(crate) async fn connect(name: &str, cache: &Cache, user: Option<&Credentials>) -> PortResult<Session> {
    let operation = format!("connect to {name}");
    let late = || PortError::Unknown {
        operation: operation.clone(),
        why: format!("nobody answered within {} s: check the address and the security groups", CONNECT.as_secs()),
    };
    let opened = tokio::time::timeout(CONNECT, open(&operation, cache, user)).await;
    opened.unwrap_or_else(|_| Err(late()))
}

async fn open(operation: &str, cache: &Cache, user: Option<&Credentials>) -> PortResult<Session> {
    let stream = TcpStream::connect((cache.host.as_str(), cache.port)).await;
    let stream = stream.map_err(|error| not_reached(operation, &error))?;
    match cache.tls {
        Tls::Off => login(operation, stream, user).await,
        Tls::Verify => {
            let config = trust::client(operation, cache.ca_pem.as_deref())?;
            let host = ServerName::try_from(cache.host.clone()).map_err(|error| PortError::Rejected {
                operation: operation.to_owned(),
                why: format!("the host is no name that a certificate can have ({error})"),
            })?;
            let stream = TlsConnector::from(Arc::new(config)).connect(host, stream).await;
            login(operation, stream.map_err(|error| refused_tls(operation, &error))?, user).await
        }
    }
}

async fn login<S>(operation: &str, stream: S, user: Option<&Credentials>) -> PortResult<Session>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut as_whom = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(user) = user {
        as_whom = as_whom.set_username(&user.username).set_password(&user.password);
    }
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER));
    let made = MultiplexedConnection::new_with_config(&as_whom, Bounded::new(stream, BYTES_MAX), config).await;
    let (connection, driver) = made.map_err(|error| port_error(operation, "", &error))?;
    let mut session = Session { connection, task: tokio::spawn(driver), commands: 0.0 };
    // Who may not name itself is let in without a name.
    let _named = session.ask(redis::cmd("CLIENT").arg("SETNAME").arg(CLIENT_NAME)).await;
    Ok(session)
}
