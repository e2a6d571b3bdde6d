//! Reads the real configuration of an application from the cloud, each minute anew.

use super::StudioError;
use super::cache::visit;
use super::setup::Resources;
use crate::cloud::Cloud;
use crate::model::{CacheParams, InstanceSeen, ServiceSeen, World};
use std::collections::BTreeMap;

/// Age of the instances that were there at the start, in minutes: ten days.
const FIRST_AGE_MIN: f64 = 14_400.0;

/// Remembers since when each instance and each task has been seen at work.
#[derive(Debug, Default)]
pub struct Eyes {
    since_min: BTreeMap<String, f64>,
}

impl Eyes {
    /// The application as it stands at this minute.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn look(
        &mut self,
        cloud: &Cloud,
        resources: &Resources,
        cache: &CacheParams,
        minute: f64,
    ) -> Result<World, StudioError> {
        let (group, service, tasks) =
            futures::join!(self.group(cloud, resources), service(cloud, resources), tasks(cloud, resources));
        let (desired, seen) = group?;
        let ages_min = tasks?.iter().map(|id| self.age(id, minute)).collect();
        let service = ServiceSeen { ages_min, ..service? };
        let instances = seen
            .into_iter()
            .map(|(id, in_service)| {
                let age_min = if in_service { self.age(&id, minute) } else { 0.0 };
                InstanceSeen { id, age_min, in_service }
            })
            .collect();
        Ok(World { instances, desired, service, cache: visit(resources.cache_port, cache), query_ms: None })
    }

    /// Instances and tasks seen for the first time before minute 0 are as old as the application.
    fn age(&mut self, id: &str, minute: f64) -> f64 {
        let since = *self.since_min.entry(id.to_owned()).or_insert(if minute <= 0.0 { -FIRST_AGE_MIN } else { minute });
        minute - since
    }

    async fn group(&self, cloud: &Cloud, resources: &Resources) -> Result<(u32, Vec<(String, bool)>), StudioError> {
        let operation = "DescribeAutoScalingGroups";
        let name = &resources.names.group;
        let answer = cloud
            .autoscaling()
            .describe_auto_scaling_groups()
            .auto_scaling_group_names(name)
            .send()
            .await
            .map_err(StudioError::call(operation, name))?;
        let group = answer
            .auto_scaling_groups()
            .first()
            .ok_or_else(|| StudioError::incomplete(operation, name, "the group"))?;
        let instances = group
            .instances()
            .iter()
            .filter_map(|instance| {
                let state = instance.lifecycle_state().map_or("", |state| state.as_str());
                Some((instance.instance_id()?.to_owned(), state == "InService"))
            })
            .collect();
        Ok((whole(group.desired_capacity()), instances))
    }
}

async fn service(cloud: &Cloud, resources: &Resources) -> Result<ServiceSeen, StudioError> {
    let operation = "DescribeServices";
    let names = &resources.names;
    let answer = cloud
        .ecs()
        .describe_services()
        .cluster(&names.cluster)
        .services(&names.service)
        .send()
        .await
        .map_err(StudioError::call(operation, &names.service))?;
    let service =
        answer.services().first().ok_or_else(|| StudioError::incomplete(operation, &names.service, "the service"))?;
    Ok(ServiceSeen {
        desired: whole(Some(service.desired_count())),
        running: whole(Some(service.running_count())),
        ages_min: Vec::new(),
    })
}

/// Ids of the tasks that run.
async fn tasks(cloud: &Cloud, resources: &Resources) -> Result<Vec<String>, StudioError> {
    let names = &resources.names;
    let ecs = cloud.ecs();
    let listed = ecs
        .list_tasks()
        .cluster(&names.cluster)
        .service_name(&names.service)
        .send()
        .await
        .map_err(StudioError::call("ListTasks", &names.service))?;
    if listed.task_arns().is_empty() {
        return Ok(Vec::new());
    }
    let described = ecs
        .describe_tasks()
        .cluster(&names.cluster)
        .set_tasks(Some(listed.task_arns().to_vec()))
        .send()
        .await
        .map_err(StudioError::call("DescribeTasks", &names.service))?;
    let running = described.tasks().iter().filter(|task| task.last_status() == Some("RUNNING"));
    Ok(running.filter_map(|task| task.task_arn().map(str::to_owned)).collect())
}

fn whole(count: Option<i32>) -> u32 {
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0)
}
