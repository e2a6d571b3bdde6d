//! Dead letters in SQS: input that can't be handled, as it came, with the reason as a message attribute.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sqs::types::MessageAttributeValue;
use engine::ports::{PortError, PortResult};

/// Longest reason that is kept, in characters.
const REASON_CHARS_MAX: usize = 500;

/// IAM actions of this adapter.
pub const PERMISSIONS: &[&str] = &["sqs:SendMessage"];

/// The queue.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    client: Lazy<aws_sdk_sqs::Client>,
    queue_url: String,
}

impl DeadLetters {
    /// Parks in this queue.
    pub fn new(clients: &Clients, queue_url: impl Into<String>) -> Self {
        Self { client: clients.sqs(), queue_url: queue_url.into() }
    }
}

#[async_trait]
impl engine::ports::DeadLetters for DeadLetters {
    async fn park(&self, body: &str, why: &str) -> PortResult<()> {
        let reason: String = why.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
        let attribute =
            MessageAttributeValue::builder().data_type("String").string_value(reason).build().map_err(|error| {
                PortError::Rejected { operation: "sqs:SendMessage".to_owned(), why: error.to_string() }
            })?;
        self.client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(body)
            .message_attributes("reason", attribute)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error("sqs:SendMessage", &self.queue_url, &error))
    }
}
