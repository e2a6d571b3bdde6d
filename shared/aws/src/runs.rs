//! The newest executions of a state machine.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sfn::Client;
use domain::ids::ExecutionId;
use engine::ports::{PortResult, Runs as Port};

/// IAM actions on the state machine.
pub const PERMISSIONS: &[&str] = &["states:ListExecutions"];

/// See [`engine::ports::Runs`].
#[derive(Clone, Debug)]
pub struct Runs {
    client: Lazy<Client>,
    state_machine_arn: String,
}

impl Runs {
    /// Executions of this state machine.
    pub fn new(clients: &Clients, state_machine_arn: impl Into<String>) -> Self {
        Self { client: clients.sfn(), state_machine_arn: state_machine_arn.into() }
    }
}

#[async_trait]
impl Port for Runs {
    async fn newest(&self, most: u32) -> PortResult<Vec<ExecutionId>> {
        let output = self
            .client
            .list_executions()
            .state_machine_arn(&self.state_machine_arn)
            .max_results(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| port_error("states:ListExecutions", &self.state_machine_arn, &error))?;
        Ok(output.executions.into_iter().map(|execution| ExecutionId::new(execution.name)).collect())
    }
}
