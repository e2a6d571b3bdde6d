//! The deployed maintainer: where its records lie, how it is configured and started.

use super::person::curl;
use crate::cloud::{Cloud, CloudError};
use crate::scenario::Scenario;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_ssm::types::ParameterType;
use domain::execution::Cycle;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// Time between two looks at an execution that somebody waits for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks before it is given up: three minutes.
const LOOKS_MAX: u32 = 1_800;
/// How Lambda names the end of an invocation whose process has died.
const DIED: &str = "Runtime.ExitError";
/// Runs in whose histories deaths are looked for at most.
const RUNS_MAX: i32 = 100;

/// A deployed stack in a local cloud.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The cloud.
    pub cloud: Cloud,
    /// Outputs of the template.
    pub outputs: Outputs,
}

/// Outputs of the template, as the deployment prints them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outputs {
    /// The health cycle.
    pub health_state_machine_arn: String,
    /// The cost cycle.
    pub cost_state_machine_arn: String,
    /// Runs the performance cycle.
    pub performance_state_machine_arn: String,
    /// Looks through other places.
    pub survey_state_machine_arn: String,
    /// Undoes what a person names.
    pub rollback_state_machine_arn: String,
    /// Tells the story of a run.
    pub explain_state_machine_arn: String,
    /// Runs.
    pub executions_table: String,
    /// Journal of all changes.
    pub changes_table: String,
    /// Questions to people and their answers.
    pub approvals_table: String,
    /// The dashboard in the console.
    pub dashboard_url: String,
    /// Snapshots, analyses, reports.
    pub artifact_bucket: String,
    /// Holds `maintainer.yaml`.
    pub config_bucket: String,
    /// SSM parameter that stops all changes.
    pub kill_switch_parameter: String,
    /// Alarms of applications publish here.
    pub alarms_topic_arn: String,
    /// People are told here.
    pub notifications_topic_arn: String,
}

/// Why the stack can't be used.
#[derive(Debug, Error)]
pub enum StackError {
    /// The cloud.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The outputs of the deployment.
    #[error("the outputs of the deployment, {path}, can't be read: {why}; deploy first, or run `make setup`")]
    Outputs {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A call failed.
    #[error("{operation} of {subject} failed: {why}")]
    Call {
        /// AWS operation.
        operation: &'static str,
        /// What it was about.
        subject: String,
        /// What the cloud said.
        why: String,
    },
}

impl StackError {
    /// A mapper for the error of one call.
    pub fn call<E: std::error::Error>(operation: &'static str, subject: &str) -> impl FnOnce(E) -> Self {
        move |error| Self::Call { operation, subject: subject.to_owned(), why: DisplayErrorContext(&error).to_string() }
    }
}

impl Stack {
    /// A stack by the state file of its cloud and the file with its outputs.
    ///
    /// # Errors
    /// When either can't be read.
    pub fn from_files(state: &Path, outputs: &Path) -> Result<Self, StackError> {
        let cloud = Cloud::from_state_file(state)?;
        let bad = |why: String| StackError::Outputs { path: outputs.display().to_string(), why };
        let text = std::fs::read_to_string(outputs).map_err(|error| bad(error.to_string()))?;
        let outputs = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        Ok(Self { cloud, outputs })
    }

    /// Puts `maintainer.yaml` in place: one application for each of these scenarios' applications.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn configure<'a>(&self, scenarios: impl IntoIterator<Item = &'a Scenario>) -> Result<(), StackError> {
        let applications: Map<String, Value> = scenarios
            .into_iter()
            .flat_map(|scenario| &scenario.apps)
            .map(|(app, setup)| (app.clone(), setup.config.clone()))
            .collect();
        // JSON is YAML.
        self.put_config(json!({"applications": applications}).to_string()).await
    }

    /// Puts this `maintainer.yaml` in place.
    ///
    /// # Errors
    /// When the bucket refuses.
    pub async fn put_config(&self, file: String) -> Result<(), StackError> {
        let bucket = &self.outputs.config_bucket;
        let put = self.cloud.s3().put_object().bucket(bucket).key("maintainer.yaml").body(file.into_bytes().into());
        put.send().await.map(drop).map_err(StackError::call("PutObject", bucket))
    }

    /// Starts a run by hand, as in the console.
    ///
    /// # Errors
    /// When the state machine refuses.
    pub async fn start(&self, cycle: Cycle, input: &Value) -> Result<(), StackError> {
        let machine = match cycle {
            Cycle::Health => &self.outputs.health_state_machine_arn,
            Cycle::Cost => &self.outputs.cost_state_machine_arn,
            Cycle::Performance => &self.outputs.performance_state_machine_arn,
        };
        let start = self.cloud.sfn().start_execution().state_machine_arn(machine).input(input.to_string());
        start.send().await.map(drop).map_err(StackError::call("StartExecution", machine))
    }

    /// The schedule's time comes: all applications are looked at.
    ///
    /// # Errors
    /// When the cloud has no such schedule.
    pub async fn call_round(&self) -> Result<(), StackError> {
        let (_, name) = self.outputs.health_state_machine_arn.rsplit_once(':').unwrap_or_default();
        self.world("due-schedules", name).await
    }

    /// From now on nothing that the alarms of an application say arrives anywhere.
    ///
    /// # Errors
    /// When the cloud refuses.
    pub async fn lose_alarms(&self, app: &str) -> Result<(), StackError> {
        self.world("lost-alarms", &format!("{app}-")).await
    }

    /// Texts that the webhook has taken so far.
    ///
    /// # Errors
    /// When the local cloud does not answer, or the webhook was sent something that it does not take.
    pub async fn posted(&self) -> Result<Vec<String>, StackError> {
        #[derive(Deserialize)]
        struct Posted {
            taken: Vec<String>,
            refused: Vec<String>,
        }
        let (kind, name) = ("GET", "webhook");
        let address = format!("{}/_localcloud/{name}", self.cloud.state.endpoint);
        let body = asked(kind, name, vec![address]).await?;
        let posted: Posted = serde_json::from_str(&body).map_err(StackError::call(kind, name))?;
        match posted.refused.first() {
            None => Ok(posted.taken),
            Some(first) => {
                let why = format!("it was sent {} that are no text, the first is {first}", posted.refused.len());
                Err(StackError::Call { operation: kind, subject: name.to_owned(), why })
            }
        }
    }

    /// Asks the local cloud for what no call of AWS can express.
    async fn world(&self, kind: &'static str, name: &str) -> Result<(), StackError> {
        let address = format!("{}/_localcloud/{kind}/{name}", self.cloud.state.endpoint);
        asked(kind, name, vec!["--request".to_owned(), "PUT".to_owned(), address]).await.map(drop)
    }

    /// Orders a rollback of a run by hand; gives the ARN of the execution that carries it out.
    ///
    /// # Errors
    /// When Step Functions refuses.
    pub async fn roll_back(&self, execution: &str) -> Result<String, StackError> {
        let machine = &self.outputs.rollback_state_machine_arn;
        let input = json!({"execution_id": execution, "remark": "ordered by the scenario"});
        let start = self.cloud.sfn().start_execution().state_machine_arn(machine).input(input.to_string());
        let started = start.send().await.map_err(StackError::call("StartExecution", machine))?;
        Ok(started.execution_arn)
    }

    /// Error and cause of an execution that has failed.
    ///
    /// # Errors
    /// When Step Functions refuses.
    pub async fn refusal(&self, execution_arn: &str) -> Result<Option<(String, String)>, StackError> {
        let describe = self.cloud.sfn().describe_execution().execution_arn(execution_arn);
        let seen = describe.send().await.map_err(StackError::call("DescribeExecution", execution_arn))?;
        let failed = *seen.status() == ExecutionStatus::Failed;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Ok(failed.then(|| (text(seen.error()), text(seen.cause()))))
    }

    /// The story of a run as text: starts `explain` and waits for its end.
    ///
    /// # Errors
    /// When Step Functions refuses, or the execution does not succeed.
    pub async fn explain(&self, execution: &str) -> Result<String, StackError> {
        let output =
            self.outcome(&self.outputs.explain_state_machine_arn, &json!({ "execution_id": execution })).await?;
        Ok(output["text"].as_str().unwrap_or_default().to_owned())
    }

    /// The output of an execution of this machine with this input, which is started and waited for.
    ///
    /// # Errors
    /// When Step Functions refuses, or the execution does not succeed.
    pub async fn outcome(&self, machine: &str, input: &Value) -> Result<Value, StackError> {
        let start = self.cloud.sfn().start_execution().state_machine_arn(machine).input(input.to_string());
        let started = start.send().await.map_err(StackError::call("StartExecution", machine))?;
        let arn = started.execution_arn();
        let failed =
            |why: &str| StackError::Call { operation: "an execution", subject: arn.to_owned(), why: why.to_owned() };
        for _ in 0..LOOKS_MAX {
            let describe = self.cloud.sfn().describe_execution().execution_arn(arn);
            let seen = describe.send().await.map_err(StackError::call("DescribeExecution", arn))?;
            match seen.status() {
                ExecutionStatus::Running => tokio::time::sleep(LOOK_EVERY).await,
                ExecutionStatus::Succeeded => {
                    return serde_json::from_str(seen.output().unwrap_or_default())
                        .map_err(StackError::call("DescribeExecution", arn));
                }
                _ => return Err(failed(seen.cause().unwrap_or("no cause"))),
            }
        }
        Err(failed("it does not end"))
    }

    /// How many invocations died with their process, as the histories of the newest runs have it; of all applications, since
    /// a step serves them all.
    ///
    /// # Errors
    /// When Step Functions refuses.
    pub async fn deaths(&self) -> Result<usize, StackError> {
        let machine = &self.outputs.health_state_machine_arn;
        let newest = self.cloud.sfn().list_executions().state_machine_arn(machine).max_results(RUNS_MAX);
        let newest = newest.send().await.map_err(StackError::call("ListExecutions", machine))?;
        let mut deaths = 0;
        for run in newest.executions() {
            let history = self.cloud.sfn().get_execution_history().execution_arn(run.execution_arn());
            let mut events = history.into_paginator().items().send();
            while let Some(event) = events.next().await {
                let event = event.map_err(StackError::call("GetExecutionHistory", run.execution_arn()))?;
                let error = event.task_failed_event_details().and_then(|details| details.error());
                deaths += usize::from(error == Some(DIED));
            }
        }
        Ok(deaths)
    }

    /// Stops a run, as in the console.
    ///
    /// # Errors
    /// When Step Functions refuses.
    pub async fn stop(&self, execution_arn: &str) -> Result<(), StackError> {
        let stop = self.cloud.sfn().stop_execution().execution_arn(execution_arn);
        let stop = stop.error("StoppedByPerson").cause("a person pressed Stop in the console");
        stop.send().await.map(drop).map_err(StackError::call("StopExecution", execution_arn))
    }

    /// Turns the kill switch `on` or `off`, as a person would.
    ///
    /// # Errors
    /// When SSM refuses.
    pub async fn turn_kill_switch(&self, to: &str) -> Result<(), StackError> {
        let name = &self.outputs.kill_switch_parameter;
        let put = self.cloud.ssm().put_parameter().name(name).value(to).r#type(ParameterType::String).overwrite(true);
        put.send().await.map(drop).map_err(StackError::call("PutParameter", name))
    }

    /// A queue that gets every message to people from now on; gives its URL.
    ///
    /// # Errors
    /// When the cloud refuses.
    pub async fn listen(&self, name: &str) -> Result<String, StackError> {
        let sqs = self.cloud.sqs();
        let arn = format!("arn:aws:sqs:{}:{}:{name}", self.cloud.state.region, self.account());
        let topic = &self.outputs.notifications_topic_arn;
        // As on AWS, a topic delivers to a queue only where the queue's own policy lets it.
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }]});
        let create = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::Policy, policy.to_string());
        let made = create.send().await.map_err(StackError::call("CreateQueue", name))?;
        let url = made.queue_url().unwrap_or_default().to_owned();
        let subscribe = self.cloud.sns().subscribe().topic_arn(topic).protocol("sqs").endpoint(arn);
        subscribe.send().await.map_err(StackError::call("Subscribe", topic))?;
        Ok(url)
    }

    fn account(&self) -> &str {
        self.outputs.notifications_topic_arn.split(':').nth(4).unwrap_or("000000000000")
    }
}

/// What the local cloud answers to a request by `curl`.
async fn asked(operation: &'static str, subject: &str, arguments: Vec<String>) -> Result<String, StackError> {
    let ask = move || curl(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let why = match tokio::task::spawn_blocking(ask).await {
        Ok(Ok((200, body))) => return Ok(body),
        Ok(Ok((status, body))) => format!("status {status}: {body}"),
        Ok(Err(why)) => why,
        Err(error) => error.to_string(),
    };
    Err(StackError::Call { operation, subject: subject.to_owned(), why })
}
