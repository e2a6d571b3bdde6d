//! Wakes a run that waits for an answer: a task token of Step Functions.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sfn::Client;
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
        match self.client.send_task_success().task_token(task_token).output(output).send().await {
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
