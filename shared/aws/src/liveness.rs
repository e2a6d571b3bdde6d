//! How executions of Step Functions stand.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::ExecutionStatus;
use engine::ports::{Life, Liveness as Port, PortResult};

/// IAM actions on executions.
pub const PERMISSIONS: &[&str] = &["states:DescribeExecution"];

/// See [`engine::ports::Liveness`].
#[derive(Clone, Debug)]
pub struct Liveness {
    client: Lazy<Client>,
}

impl Liveness {
    /// Asks Step Functions.
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.sfn() }
    }
}

#[async_trait]
impl Port for Liveness {
    async fn life(&self, execution_arn: &str) -> PortResult<Life> {
        match self.client.describe_execution().execution_arn(execution_arn).send().await {
            Ok(output) => Ok(life(&output.status)),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_execution_does_not_exist()) => {
                Ok(Life::Forgotten)
            }
            Err(error) => Err(port_error("states:DescribeExecution", execution_arn, &error)),
        }
    }
}

fn life(status: &ExecutionStatus) -> Life {
    match status {
        ExecutionStatus::Succeeded => Life::Succeeded,
        ExecutionStatus::Failed => Life::Failed,
        ExecutionStatus::TimedOut => Life::TimedOut,
        ExecutionStatus::Aborted => Life::Stopped,
        // Also what Step Functions may invent later: taken for dead only when it is known to be.
        _ => Life::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_be_over_is_dead() {
        let words = ["RUNNING", "PENDING_REDRIVE", "SOMETHING_NEW", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"];
        let dead = words.map(|word| life(&ExecutionStatus::from(word)).is_over());
        assert_eq!(dead, [false, false, false, true, true, true, true]);
    }
}
