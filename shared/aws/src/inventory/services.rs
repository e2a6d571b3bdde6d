//! ECS services: their tasks, deployments, the bounds that their owner has set.

use super::{Candidate, Found, gathered, scaling, tasks};
use crate::errors::port_error;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{
    DeploymentRolloutState, DeploymentStrategy, LaunchType, SchedulingStrategy, Service as EcsService, ServiceField,
};
use domain::ids::ResourceId;
use domain::observed::{Missing, Observed};
use domain::resource::{Live, Resource, Service};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Services that one DescribeServices call takes.
pub(crate) const SERVICES_PER_CALL: usize = 10;
const ACTION: &str = "ecs:DescribeServices";

/// Services of all clusters, ten to a call.
pub(super) async fn discover(
    client: &Client,
    scaling: &aws_sdk_applicationautoscaling::Client,
    candidates: &[Candidate],
) -> Found {
    let mut by_cluster: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    let mut found = Found::default();
    for candidate in candidates {
        match candidate.name.split_once('/') {
            Some((cluster, _)) => by_cluster.entry(cluster).or_default().push(candidate),
            // The old ARN format does not name the cluster.
            None => found.missing.push(Missing::Failed(format!("{} does not name its cluster", candidate.id))),
        }
    }
    let calls = by_cluster
        .iter()
        .flat_map(|(cluster, services)| services.chunks(SERVICES_PER_CALL).map(|some| describe(client, cluster, some)))
        .collect();
    let names: Vec<String> = by_cluster
        .iter()
        .flat_map(|(cluster, services)| services.iter().map(move |one| format!("{cluster}/{}", short(&one.name))))
        .collect();
    let (described, bounds) = futures::join!(gathered(calls), scaling::bounds(scaling, &names));
    let mut found = described.into_iter().fold(found, Found::merge);
    for resource in &mut found.resources {
        if let Live::EcsService(service) = &mut resource.live {
            scaling::note(service, &resource.name, &bounds);
        }
    }
    tasks::note(client, &mut found.resources).await;
    found
}

async fn describe(client: &Client, cluster: &str, candidates: &[&Candidate]) -> Found {
    let names = candidates.iter().map(|candidate| short(&candidate.name).to_owned()).collect();
    let output = client.describe_services().cluster(cluster).set_services(Some(names)).send().await;
    let services = match output {
        Ok(output) => output.services.unwrap_or_default(),
        Err(error) => return Found::failed(&port_error(ACTION, cluster, &error)),
    };
    let mut found = Found::default();
    for candidate in candidates {
        let name = short(&candidate.name);
        match services.iter().find(|service| service.service_name() == Some(name) && is_there(service)) {
            Some(service) => {
                found.resources.push(candidate.with(name, Live::EcsService(live(cluster, service))));
            }
            None => found.missing.push(Missing::Gone),
        }
    }
    found
}

/// One service as it is now, with its tags.
pub(crate) async fn read(
    client: &Client,
    scaling: &aws_sdk_applicationautoscaling::Client,
    cluster: &str,
    name: &str,
    id: &ResourceId,
) -> PortResult<Resource> {
    let request = client.describe_services().cluster(cluster).services(name).include(ServiceField::Tags);
    let names = [format!("{cluster}/{name}")];
    let (output, bounds, tasks) =
        futures::join!(request.send(), scaling::bounds(scaling, &names), tasks::of(client, cluster, name));
    let output = output.map_err(|error| port_error(ACTION, name, &error))?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: format!("{cluster}/{name}") };
    let service = output.services.unwrap_or_default().into_iter().find(is_there).ok_or_else(gone)?;
    let tags = service.tags().iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default())));
    let tags = tags.collect();
    let mut live = live(cluster, &service);
    scaling::note(&mut live, name, &bounds);
    live.tasks = tasks;
    Ok(Resource { id: id.clone(), name: name.to_owned(), tags, live: Live::EcsService(live) })
}

/// A service that was deleted is described as `INACTIVE` for a while.
pub(crate) fn is_there(service: &EcsService) -> bool {
    service.status() != Some("INACTIVE")
}

fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What is known of a service by its description alone: neither its bounds nor its tasks.
pub(crate) fn live(cluster: &str, service: &EcsService) -> Service {
    let deployments = service.deployments();
    let rolling =
        deployments.iter().any(|deployment| deployment.rollout_state == Some(DeploymentRolloutState::InProgress));
    let newest = deployments.iter().filter_map(|deployment| deployment.created_at).map(|at| at.secs()).max();
    let (min_healthy_pct, max_pct) = deployment_bounds(service);
    Service {
        cluster: cluster.to_owned(),
        desired: count(service.desired_count),
        running: count(service.running_count),
        deployment_in_progress: deployments.len() > 1 || rolling,
        last_deployment_at: newest.and_then(|at| Timestamp::from_second(at).ok()),
        bounds: None,
        bounds_missing: None,
        min_healthy_pct,
        max_pct,
        fargate_task: is_on_fargate(service).then(|| service.task_definition.clone()).flatten(),
        tasks: Observed::Missing(Missing::NoData),
    }
}

/// A service names a launch type or, newer, capacity providers.
fn is_on_fargate(service: &EcsService) -> bool {
    let mut providers = service.capacity_provider_strategy().iter().map(|item| item.capacity_provider.as_str());
    service.launch_type() == Some(&LaunchType::Fargate) || providers.any(|name| name.starts_with("FARGATE"))
}

/// What a deployment of the service leaves running and may run, in per cent of the wanted tasks. Every other way than the
/// rolling one brings a whole second set of tasks up before the first one goes.
fn deployment_bounds(service: &EcsService) -> (u32, u32) {
    // The defaults of the API Reference, DeploymentConfiguration.
    let (min, max) = match service.scheduling_strategy() {
        Some(SchedulingStrategy::Daemon) => (0, 100),
        _ => (100, 200),
    };
    let Some(set) = service.deployment_configuration() else { return (min, max) };
    if set.strategy().is_some_and(|strategy| *strategy != DeploymentStrategy::Rolling) {
        return (100, 200);
    }
    let pct = |set: Option<i32>, default| set.and_then(|set| u32::try_from(set).ok()).unwrap_or(default);
    (pct(set.minimum_healthy_percent(), min), pct(set.maximum_percent(), max))
}

fn count(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ecs::types::DeploymentConfiguration;

    fn service() -> aws_sdk_ecs::types::builders::ServiceBuilder {
        EcsService::builder().desired_count(2).running_count(2)
    }

    #[test]
    fn what_a_deployment_takes_away_is_read_or_the_default_of_the_service() {
        let bounds = |of: EcsService| deployment_bounds(&of);
        assert_eq!(bounds(service().build()), (100, 200));
        assert_eq!(bounds(service().scheduling_strategy(SchedulingStrategy::Daemon).build()), (0, 100));
        let set = DeploymentConfiguration::builder().minimum_healthy_percent(0).maximum_percent(100);
        assert_eq!(bounds(service().deployment_configuration(set.clone().build()).build()), (0, 100));
        let half = DeploymentConfiguration::builder().minimum_healthy_percent(50).build();
        assert_eq!(bounds(service().deployment_configuration(half).build()), (50, 200));
        let blue_green = set.strategy(DeploymentStrategy::BlueGreen).build();
        assert_eq!(bounds(service().deployment_configuration(blue_green).build()), (100, 200));
    }
}
