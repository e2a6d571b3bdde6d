//! Starts runs: one Step Functions execution per name.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sfn::Client;
use engine::ports::{PortResult, Starter as Port};

/// IAM actions on the state machine.
pub const PERMISSIONS: &[&str] = &["states:StartExecution"];

/// See [`engine::ports::Starter`].
#[derive(Clone, Debug)]
pub struct Starter {
    client: Lazy<Client>,
    state_machine_arn: String,
}

impl Starter {
    /// Starts executions of this state machine.
    pub fn new(clients: &Clients, state_machine_arn: impl Into<String>) -> Self {
        Self { client: clients.sfn(), state_machine_arn: state_machine_arn.into() }
    }
}

#[async_trait]
impl Port for Starter {
    /// While an execution of this name and input is under way, Step Functions answers a repetition with success: `true`
    /// then means "it runs", and there is still only one.
    async fn start(&self, name: &str, input: &str) -> PortResult<bool> {
        let request = self.client.start_execution().state_machine_arn(&self.state_machine_arn).name(name).input(input);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_already_exists()) => {
                Ok(false)
            }
            Err(error) => Err(port_error("states:StartExecution", name, &error)),
        }
    }
}
