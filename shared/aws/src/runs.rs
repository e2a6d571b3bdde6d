//! The newest executions of state machines.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_sfn::Client;
use domain::ids::ExecutionId;
use engine::ports::{PortResult, Runs as Port};

/// IAM actions on the state machines.
pub const PERMISSIONS: &[&str] = &["states:ListExecutions"];

/// See [`engine::ports::Runs`].
#[derive(Clone, Debug)]
pub struct Runs {
    client: Lazy<Client>,
    state_machine_arns: Vec<String>,
}

impl Runs {
    /// Executions of these state machines.
    pub fn new(clients: &Clients, state_machine_arns: Vec<String>) -> Self {
        Self { client: clients.sfn(), state_machine_arns }
    }

    /// Of one machine, each with its start, in seconds since 1970.
    async fn of(&self, arn: &str, most: u32) -> PortResult<Vec<(i64, String)>> {
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let output = self.client.list_executions().state_machine_arn(arn).max_results(most).send().await;
        let output = output.map_err(|error| port_error("states:ListExecutions", arn, &error))?;
        Ok(output.executions.into_iter().map(|execution| (execution.start_date.secs(), execution.name)).collect())
    }
}

#[async_trait]
impl Port for Runs {
    async fn newest(&self, most: u32) -> PortResult<Vec<ExecutionId>> {
        let of_each = self.state_machine_arns.iter().map(|arn| self.of(arn, most));
        let mut all = futures::future::try_join_all(of_each).await?.concat();
        all.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        all.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(all.into_iter().map(|(_, name)| ExecutionId::new(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service};

    fn service() -> Service {
        Service::new(|_, body| {
            let text = String::from_utf8_lossy(body).into_owned();
            let execution = |name: &str, at: u32| {
                format!(
                    r#"{{"executionArn": "arn:{name}", "stateMachineArn": "arn", "name": "{name}", "status": "SUCCEEDED", "startDate": {at}}}"#
                )
            };
            let executions = if text.contains("stateMachine:m-health") {
                [execution("health-2", 300), execution("health-1", 100)].join(",")
            } else if text.contains("stateMachine:m-cost") {
                execution("cost-1", 200)
            } else {
                return Answer(400, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec());
            };
            Answer(200, format!(r#"{{"executions": [{executions}]}}"#).into_bytes())
        })
    }

    async fn newest(machines: &[&str], most: u32) -> PortResult<Vec<String>> {
        let arn = |of: &&str| format!("arn:aws:states:us-east-1:111122223333:stateMachine:m-{of}");
        let runs = Runs::new(&service().clients(), machines.iter().map(arn).collect());
        Ok(runs.newest(most).await?.iter().map(ToString::to_string).collect())
    }

    #[tokio::test]
    async fn runs_of_all_machines_come_newest_first() {
        assert_eq!(newest(&["health", "cost"], 9).await.unwrap(), ["health-2", "cost-1", "health-1"]);
        assert_eq!(newest(&["health", "cost"], 2).await.unwrap(), ["health-2", "cost-1"]);
        assert!(newest(&[], 9).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn fault_a_machine_that_may_not_be_asked_is_an_error_and_no_shorter_list() {
        assert!(newest(&["health", "rollback"], 9).await.is_err());
    }
}
