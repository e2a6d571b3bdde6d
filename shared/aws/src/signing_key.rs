//! The key of signed links, a secret of Secrets Manager. Read once per cold start; never logged, never recorded.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use engine::ports::{PortError, PortResult, SigningKey as Port};
use std::fmt;
use std::sync::OnceLock;

/// IAM actions on the secret.
pub const PERMISSIONS: &[&str] = &["secretsmanager:GetSecretValue"];
/// Shortest key that is taken, in bytes: the output of the hash.
const KEY_BYTES_MIN: usize = 32;

/// See [`engine::ports::SigningKey`].
pub struct SigningKey {
    client: Lazy<Client>,
    secret: String,
    read: OnceLock<Vec<u8>>,
}

impl SigningKey {
    /// The key in this secret.
    pub fn new(clients: &Clients, secret: impl Into<String>) -> Self {
        Self { client: clients.secretsmanager(), secret: secret.into(), read: OnceLock::new() }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("secret", &self.secret).finish_non_exhaustive()
    }
}

#[async_trait]
impl Port for SigningKey {
    async fn read(&self) -> PortResult<Vec<u8>> {
        if let Some(key) = self.read.get() {
            return Ok(key.clone());
        }
        let action = "secretsmanager:GetSecretValue";
        let output = self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await
            .map_err(|error| port_error(action, &self.secret, &error))?;
        let key = output.secret_string.unwrap_or_default().into_bytes();
        if key.len() < KEY_BYTES_MIN {
            return Err(PortError::Rejected {
                operation: format!("{action} on {}", self.secret),
                why: format!("the key has {} bytes, at least {KEY_BYTES_MIN} are needed", key.len()),
            });
        }
        Ok(self.read.get_or_init(|| key).clone())
    }
}
