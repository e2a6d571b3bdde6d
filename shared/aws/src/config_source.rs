//! Where `maintainer.yaml` lies: one object in a versioned, encrypted bucket.

use crate::artifacts::read_body;
use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_s3::Client;
use engine::ports::{ConfigFetch, ConfigSource as Port, PortResult};

/// IAM actions. Without `s3:ListBucket` S3 says "denied" instead of "not there".
pub const PERMISSIONS: &[&str] = &["s3:GetObject", "s3:ListBucket"];

/// Status of an answer without a body: the caller has this version already.
const NOT_MODIFIED: u16 = 304;

/// See [`engine::ports::ConfigSource`].
#[derive(Clone, Debug)]
pub struct ConfigSource {
    client: Lazy<Client>,
    bucket: String,
    key: String,
}

impl ConfigSource {
    /// The file under this key.
    pub fn new(clients: &Clients, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { client: clients.s3(), bucket: bucket.into(), key: key.into() }
    }
}

#[async_trait]
impl Port for ConfigSource {
    async fn fetch(&self, known: Option<&str>) -> PortResult<ConfigFetch> {
        let action = "s3:GetObject";
        // What came without a version is never taken for unchanged.
        let known = known.filter(|etag| !etag.is_empty());
        let request = self.client.get_object().bucket(&self.bucket).key(&self.key);
        let output = match request.set_if_none_match(known.map(str::to_owned)).send().await {
            Ok(output) => output,
            Err(error) => {
                if error.raw_response().is_some_and(|raw| raw.status().as_u16() == NOT_MODIFIED) {
                    return Ok(ConfigFetch::Unchanged);
                }
                if error.as_service_error().is_some_and(|error| error.is_no_such_key()) {
                    return Ok(ConfigFetch::Absent);
                }
                return Err(port_error(action, &self.key, &error));
            }
        };
        let etag = output.e_tag.unwrap_or_default();
        // A store that does not know If-None-Match sends the file again.
        if known == Some(etag.as_str()) {
            return Ok(ConfigFetch::Unchanged);
        }
        let bytes = read_body(output.body, action, &self.key).await?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => ConfigFetch::File { text, etag },
            Err(error) => ConfigFetch::NotText { at: error.utf8_error().valid_up_to() },
        })
    }
}

#[cfg(test)]
mod tests;
