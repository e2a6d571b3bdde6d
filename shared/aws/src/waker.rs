//! Wakes a run that waits for an answer: a task token of Step Functions.
//!
//! A token is used up by the call that wakes the run. Sent again behind the back of the caller after a lost answer, the call
//! would find it gone and say so, as if the run had ended; so only what was throttled is sent again here.

use crate::changes::throttled::{OnlyTheThrottled, patient};
use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sfn::{Client, config};
use engine::ports::{PortError, PortResult, Waker as Port};

/// IAM actions; they take no resource but the state machine.
pub const PERMISSIONS: &[&str] = &["states:SendTaskSuccess"];

/// See [`engine::ports::Waker`].
#[derive(Clone, Debug)]
pub struct Waker {
    client: Lazy<Client>,
}

impl Waker {
    /// Wakes runs of this account and Region.
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.sfn() }
    }
}

#[async_trait]
impl Port for Waker {
    async fn wake(&self, task_token: &str, output: &str) -> PortResult<()> {
        let action = "states:SendTaskSuccess";
        let repeats = patient(self.client.config().retry_config());
        let sent = self
            .client
            .send_task_success()
            .task_token(task_token)
            .output(output)
            .customize()
            .config_override(config::Config::builder().retry_config(repeats).retry_classifier(OnlyTheThrottled))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(|error| {
                    error.is_task_timed_out() || error.is_task_does_not_exist() || error.is_invalid_token()
                }) =>
            {
                // The token is a key: it is not named.
                Err(PortError::Gone { operation: action.to_owned(), what: "the run that waited".to_owned() })
            }
            Err(error) => Err(port_error(action, "the run that waits", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service};

    #[tokio::test]
    async fn regression_a_lost_answer_is_unknown_and_the_token_is_sent_once() {
        for status in [0, 500, 503] {
            let service = Service::new(move |_, _| Answer(status, Vec::new()));
            let woken = Waker::new(&service.clients()).wake("token", "{}").await;
            assert!(matches!(woken, Err(PortError::Unknown { .. })), "{woken:?}");
            assert_eq!(service.requests(), 1, "status {status}");
        }
    }
}
