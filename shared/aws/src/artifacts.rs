//! Artifacts in S3: snapshots, analyses, memories of detectors, reports. JSON in, the same bytes out.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use engine::ports::{Artifacts as Port, PortError, PortResult};

/// IAM actions. Without `s3:ListBucket` S3 says "denied" instead of "not there".
pub const PERMISSIONS: &[&str] = &["s3:GetObject", "s3:ListBucket", "s3:PutObject"];

/// See [`engine::ports::Artifacts`].
#[derive(Clone, Debug)]
pub struct Artifacts {
    client: Lazy<Client>,
    bucket: String,
}

impl Artifacts {
    /// The artifacts in this bucket.
    pub fn new(clients: &Clients, bucket: impl Into<String>) -> Self {
        Self { client: clients.s3(), bucket: bucket.into() }
    }
}

#[async_trait]
impl Port for Artifacts {
    async fn put(&self, key: &str, body: Vec<u8>) -> PortResult<()> {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type("application/json")
            .body(ByteStream::from(body))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error("s3:PutObject", key, &error))
    }

    async fn get(&self, key: &str) -> PortResult<Option<Vec<u8>>> {
        let action = "s3:GetObject";
        let output = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(output) => output,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(port_error(action, key, &error)),
        };
        read_body(output.body, action, key).await.map(Some)
    }
}

/// The whole body of an object.
pub(crate) async fn read_body(body: ByteStream, action: &str, key: &str) -> PortResult<Vec<u8>> {
    body.collect().await.map(|bytes| bytes.into_bytes().to_vec()).map_err(|_| PortError::Unknown {
        operation: format!("{action} on {key}"),
        why: "the body broke off".to_owned(),
    })
}
