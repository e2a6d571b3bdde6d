//! Tells people (an SNS topic) and other agents (EventBridge, source `maintainer`).
//!
//! Both are always tried: a broken event bus must not keep a message from a person, nor the other way round.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use engine::ports::{Message, Notifier as Port, PortError, PortResult};

/// IAM actions: the first on the topic, the second on the bus.
pub const PERMISSIONS: &[&str] = &["events:PutEvents", "sns:Publish"];

/// `source` of every event.
pub const EVENT_SOURCE: &str = "maintainer";
/// Longest subject that SNS takes, in characters.
const SUBJECT_MAX: usize = 100;
/// Longest text that is sent, in bytes: SNS takes 256 KiB with everything around it.
const TEXT_MAX_BYTES: usize = 200 * 1024;

/// See [`engine::ports::Notifier`].
#[derive(Clone, Debug)]
pub struct Notifier {
    sns: Lazy<aws_sdk_sns::Client>,
    events: Lazy<aws_sdk_eventbridge::Client>,
    topic_arn: String,
    bus: Option<String>,
}

impl Notifier {
    /// Messages go to this topic and to this event bus, by default the account's own.
    pub fn new(clients: &Clients, topic_arn: impl Into<String>, bus: Option<String>) -> Self {
        Self { sns: clients.sns(), events: clients.eventbridge(), topic_arn: topic_arn.into(), bus }
    }

    async fn publish(&self, message: &Message) -> PortResult<()> {
        self.sns
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(subject(&message.subject))
            .message(shortened(&message.text))
            .send()
            .await
            .map(|_| ())
            .map_err(|error| port_error("sns:Publish", &self.topic_arn, &error))
    }

    async fn put_event(&self, message: &Message) -> PortResult<()> {
        let action = "events:PutEvents";
        let entry = PutEventsRequestEntry::builder()
            .source(EVENT_SOURCE)
            .detail_type(&message.kind)
            .detail(message.detail.to_string())
            .set_event_bus_name(self.bus.clone())
            .build();
        let output = self
            .events
            .put_events()
            .entries(entry)
            .send()
            .await
            .map_err(|error| port_error(action, &message.kind, &error))?;
        if output.failed_entry_count() == 0 {
            return Ok(());
        }
        // The call succeeds even when the event was refused.
        let entry = output.entries().iter().find(|entry| entry.error_code().is_some());
        let code = entry.and_then(|entry| entry.error_code()).unwrap_or("no code");
        let why = entry.and_then(|entry| entry.error_message()).unwrap_or("no message");
        let operation = format!("{action} on {}", message.kind);
        Err(match code {
            "ThrottlingException" => PortError::Throttled { operation },
            "InternalFailure" => PortError::Unknown { operation, why: why.to_owned() },
            _ => PortError::Rejected { operation, why: format!("{code}: {why}") },
        })
    }
}

#[async_trait]
impl Port for Notifier {
    async fn notify(&self, message: &Message) -> PortResult<()> {
        let (people, agents) = futures::join!(self.publish(message), self.put_event(message));
        people.and(agents)
    }
}

/// SNS refuses a message whose subject is empty, longer than 100 characters, or has control or non-ASCII characters.
fn subject(text: &str) -> String {
    let printable = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else if c.is_whitespace() {
            ' '
        } else {
            '?'
        }
    };
    let subject: String = text.chars().map(printable).take(SUBJECT_MAX).collect();
    if subject.trim().is_empty() { "Infrastructure maintainer".to_owned() } else { subject.trim_start().to_owned() }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(TEXT_MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_always_one_that_sns_takes() {
        for text in ["", "\n", "shop: memory \u{2265} 85 %\r\nBcc: x", &"a".repeat(500)] {
            let subject = subject(text);
            assert!((1..=SUBJECT_MAX).contains(&subject.len()), "{subject}");
            assert!(subject.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{subject}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let text = "\u{20ac}".repeat(TEXT_MAX_BYTES);
        let cut = shortened(&text);
        assert!(cut.len() <= TEXT_MAX_BYTES && cut.len() > TEXT_MAX_BYTES - 3);
    }
}
