//! Tasks of an ECS service: which there are and since when they run.

use super::CALLS_AT_ONCE;
use crate::errors::port_error;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DesiredStatus, Task as EcsTask};
use domain::observed::{Missing, Observed};
use domain::resource::{Live, Resource, Task};
use engine::ports::{PortError, PortResult};
use futures::StreamExt;
use jiff::Timestamp;

const LIST: &str = "ecs:ListTasks";
const DESCRIBE: &str = "ecs:DescribeTasks";
/// Tasks that one DescribeTasks call takes, and that a page of ListTasks holds.
const TASKS_PER_CALL: usize = 100;
/// Tasks of a service that are read; of a larger one they are not known.
const TASKS_MAX: usize = 1_000;

/// Reads the tasks of these services, several at a time. A service whose tasks can't be read keeps the reason.
pub(super) async fn note(client: &Client, resources: &mut [Resource]) {
    let of_services = resources.iter_mut().filter_map(|resource| match &mut resource.live {
        Live::EcsService(service) => Some((resource.name.as_str(), service)),
        _ => None,
    });
    futures::stream::iter(of_services)
        .for_each_concurrent(CALLS_AT_ONCE, |(name, service)| async move {
            service.tasks = of(client, &service.cluster, name).await;
        })
        .await;
}

/// The tasks of one service, those that are being stopped left out.
pub(super) async fn of(client: &Client, cluster: &str, service: &str) -> Observed<Vec<Task>> {
    match read(client, cluster, service).await {
        Ok(Some(tasks)) => Observed::Known(tasks),
        Ok(None) => Observed::Missing(Missing::Partial),
        Err(error) => Observed::Missing(PortError::missing(&error)),
    }
}

/// `None` where there are more tasks than are read.
async fn read(client: &Client, cluster: &str, service: &str) -> PortResult<Option<Vec<Task>>> {
    let mut pages = client
        .list_tasks()
        .cluster(cluster)
        .service_name(service)
        .desired_status(DesiredStatus::Running)
        .into_paginator()
        .items()
        .send();
    let mut arns = Vec::new();
    while let Some(arn) = pages.next().await {
        arns.push(arn.map_err(|error| port_error(LIST, service, &error))?);
        if arns.len() > TASKS_MAX {
            return Ok(None);
        }
    }
    let mut tasks = Vec::with_capacity(arns.len());
    for some in arns.chunks(TASKS_PER_CALL) {
        let request = client.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
        let output = request.send().await.map_err(|error| port_error(DESCRIBE, service, &error))?;
        // One that has ended since it was listed is among the failures, or shows that it is to stop.
        tasks.extend(output.tasks.unwrap_or_default().iter().filter_map(task));
    }
    tasks.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Some(tasks))
}

fn task(task: &EcsTask) -> Option<Task> {
    if task.desired_status() != Some("RUNNING") {
        return None;
    }
    let id = task.task_arn()?.rsplit('/').next()?.to_owned();
    let runs = task.last_status() == Some("RUNNING");
    let started_at = task.started_at.filter(|_| runs).and_then(|at| Timestamp::from_second(at.secs()).ok());
    Some(Task { id, started_at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service as Scripted};
    use serde_json::{Value, json};

    fn described(id: &str, desired: &str, last: &str) -> Value {
        json!({"taskArn": format!("arn:aws:ecs:us-east-1:1:task/shop/{id}"), "desiredStatus": desired,
            "lastStatus": last, "startedAt": 1_767_225_600.5})
    }

    fn arns(range: std::ops::Range<usize>) -> Vec<String> {
        range.map(|number| format!("arn:aws:ecs:us-east-1:1:task/shop/t-{number}")).collect()
    }

    fn known(tasks: &Observed<Vec<Task>>) -> &Vec<Task> {
        tasks.known().expect("the tasks")
    }

    #[tokio::test]
    async fn every_page_is_read_and_what_stops_is_left_out() {
        let scripted = Scripted::new(|number, body| {
            let asked: Value = serde_json::from_slice(body).unwrap();
            let answer = match number {
                0 => {
                    assert_eq!((&asked["serviceName"], &asked["desiredStatus"]), (&"worker".into(), &"RUNNING".into()));
                    json!({"taskArns": arns(0..2), "nextToken": "more"})
                }
                1 => json!({"taskArns": arns(2..3)}),
                _ => json!({"tasks": [described("t-2", "STOPPED", "RUNNING"), described("t-1", "RUNNING", "PENDING"),
                    described("t-0", "RUNNING", "RUNNING")], "failures": []}),
            };
            Answer(200, answer.to_string().into_bytes())
        });
        let tasks = of(&scripted.clients().ecs(), "shop", "worker").await;
        let seen: Vec<(&str, bool)> = known(&tasks).iter().map(|task| (task.id.as_str(), task.is_running())).collect();
        assert_eq!(seen, [("t-0", true), ("t-1", false)]);
        assert_eq!(known(&tasks)[0].started_at, Timestamp::from_second(1_767_225_600).ok());
    }

    #[tokio::test]
    async fn without_tasks_nothing_is_described() {
        let scripted = Scripted::new(|_, _| Answer(200, json!({"taskArns": []}).to_string().into_bytes()));
        assert!(known(&of(&scripted.clients().ecs(), "shop", "worker").await).is_empty());
        assert_eq!(scripted.requests(), 1);
    }

    #[tokio::test]
    async fn fault_tasks_that_could_not_be_read_are_missing_and_never_none() {
        let throttled = Scripted::new(|_, _| Answer(429, Vec::new()));
        let tasks = of(&throttled.clients().ecs(), "shop", "worker").await;
        assert_eq!(tasks, Observed::Missing(Missing::Throttled));
        let endless = Scripted::new(|number, _| {
            let page = json!({"taskArns": arns(0..100), "nextToken": format!("page {number}")});
            Answer(200, page.to_string().into_bytes())
        });
        assert_eq!(of(&endless.clients().ecs(), "shop", "worker").await, Observed::Missing(Missing::Partial));
    }
}
