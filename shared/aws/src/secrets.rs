//! Users of databases, as secrets of Secrets Manager: JSON with `username` and `password`, the form that RDS uses. Read for each connection, so
//! that one that was rotated is taken at once; never logged, never recorded.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use engine::ports::{Credentials, PortError, PortResult, Secrets as Port};
use serde::Deserialize;

/// IAM actions on the secrets.
pub const PERMISSIONS: &[&str] = &["secretsmanager:GetSecretValue"];

/// See [`engine::ports::Secrets`].
#[derive(Clone, Debug)]
pub struct Secrets {
    client: Lazy<Client>,
}

impl Secrets {
    /// Secrets of the account and Region of these clients.
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.secretsmanager() }
    }
}

#[derive(Deserialize)]
struct User {
    username: String,
    password: String,
}

#[async_trait]
impl Port for Secrets {
    async fn read(&self, name: &str) -> PortResult<Credentials> {
        let action = "secretsmanager:GetSecretValue";
        let output = self.client.get_secret_value().secret_id(name).send().await;
        let text = output.map_err(|error| port_error(action, name, &error))?.secret_string.unwrap_or_default();
        // What is wrong with it is not said: that would quote it.
        let user: User = serde_json::from_str(&text).map_err(|_| PortError::Rejected {
            operation: format!("{action} on {name}"),
            why: "it must be JSON with \"username\" and \"password\"".to_owned(),
        })?;
        Ok(Credentials { username: user.username, password: user.password })
    }
}
