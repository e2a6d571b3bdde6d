//! Opens a connection: encrypted with the certificate checked, unless the server is on this machine and the configuration says so.

use crate::errors::port_error;
use config::{Database, Tls};
use engine::ports::{Credentials, PortError, PortResult};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// By which a server's administrator knows our sessions.
pub const APPLICATION_NAME: &str = "infrastructure-maintainer";
/// Seconds for a connection to be made.
const CONNECT_S: u64 = 10;

/// A session. Dropping it ends it.
pub(crate) struct Session {
    pub(crate) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a session for a user.
pub(crate) async fn connect(name: &str, database: &Database, user: &Credentials) -> PortResult<Session> {
    let operation = format!("connect to {name}");
    let mut config = Config::new();
    config
        .host(&database.host)
        .port(database.port)
        .dbname(&database.database)
        .user(&user.username)
        .password(&user.password)
        .application_name(APPLICATION_NAME)
        .connect_timeout(Duration::from_secs(CONNECT_S))
        .keepalives_idle(Duration::from_secs(30));
    let (client, task) = match database.tls {
        Tls::Off => {
            let (client, connection) = config.connect(NoTls).await.map_err(|error| port_error(&operation, &error))?;
            (client, tokio::spawn(run(connection)))
        }
        Tls::Verify => {
            config.ssl_mode(tokio_postgres::config::SslMode::Require);
            let tls = MakeRustlsConnect::new(trust::client(&operation, database.ca_pem.as_deref())?);
            let (client, connection) = config.connect(tls).await.map_err(|error| refused(&operation, &error))?;
            (client, tokio::spawn(run(connection)))
        }
    };
    Ok(Session { client, task })
}

async fn run(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    // Its end shows in the calls that wait for it.
    let _ = connection.await;
}

/// A certificate that is not trusted is no trouble of the moment.
fn refused(operation: &str, error: &tokio_postgres::Error) -> PortError {
    match port_error(operation, error) {
        PortError::Unknown { operation, why } if why.contains("certificate") => trust::untrusted(operation, &why),
        other => other,
    }
}
