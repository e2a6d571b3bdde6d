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
/// Time for each step of making a connection.
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
    let operation = &format!("connect to {name}");
    let stream = TcpStream::connect((cache.host.as_str(), cache.port));
    let stream = within(operation, "nobody answered", "check the address, subnets and security groups", stream).await?;
    let stream = stream.map_err(|error| not_reached(operation, &error))?;
    let hangs = "it was reached and did not answer";
    match cache.tls {
        Tls::Off => within(operation, hangs, "it hangs, or expects TLS", login(operation, stream, user)).await?,
        Tls::Verify => {
            let config = trust::client(operation, cache.ca_pem.as_deref())?;
            let host = ServerName::try_from(cache.host.clone()).map_err(|error| PortError::Rejected {
                operation: operation.clone(),
                why: format!("the host is no name that a certificate can have ({error})"),
            })?;
            let stream = TlsConnector::from(Arc::new(config)).connect(host, stream);
            let next = "it hangs, or the port speaks no TLS: see encryption in transit";
            let stream = within(operation, hangs, next, stream).await?;
            let stream = stream.map_err(|error| refused_tls(operation, &error))?;
            within(operation, hangs, "see whether it is overloaded", login(operation, stream, user)).await?
        }
    }
}

/// What comes in time.
async fn within<T>(operation: &str, what: &str, next: &str, work: impl Future<Output = T>) -> PortResult<T> {
    tokio::time::timeout(CONNECT, work).await.map_err(|_| PortError::Unknown {
        operation: operation.to_owned(),
        why: format!("{what} within {} s: {next}", CONNECT.as_secs()),
    })
}

async fn login<S>(operation: &str, stream: S, user: Option<&Credentials>) -> PortResult<Session>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER));
    // The library would log in by itself, and lose what the server says to that.
    let as_nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
    let made = MultiplexedConnection::new_with_config(&as_nobody, Bounded::new(stream, BYTES_MAX), config).await;
    let failed = |error| port_error(operation, "+client|setname", &error);
    let (connection, driver) = made.map_err(failed)?;
    let mut session = Session { connection, task: tokio::spawn(driver), commands: 0.0 };
    if let Some(user) = user {
        session.ask(redis::cmd("AUTH").arg(&user.username).arg(&user.password)).await.map_err(failed)?;
    }
    // Who may not name itself is let in without a name.
    let _named = session.ask(redis::cmd("CLIENT").arg("SETNAME").arg(CLIENT_NAME)).await;
    Ok(session)
}
