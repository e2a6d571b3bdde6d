//! ECS services: wanted and running tasks, deployments.

use super::{Candidate, Found, gathered};
use crate::errors::port_error;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{DeploymentRolloutState, Service as EcsService, ServiceField};
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::{Live, Resource, Service};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Services that one DescribeServices call takes.
const SERVICES_PER_CALL: usize = 10;
const ACTION: &str = "ecs:DescribeServices";

/// Services of all clusters, ten to a call.
pub(super) async fn discover(client: &Client, candidates: &[Candidate]) -> Found {
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
    gathered(calls).await.into_iter().fold(found, Found::merge)
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
            Some(service) => found.resources.push(candidate.with(name, live(cluster, service))),
            None => found.missing.push(Missing::Gone),
        }
    }
    found
}

/// One service as it is now, with its tags.
pub(crate) async fn read(client: &Client, cluster: &str, name: &str, id: &ResourceId) -> PortResult<Resource> {
    let request = client.describe_services().cluster(cluster).services(name).include(ServiceField::Tags);
    let output = request.send().await.map_err(|error| port_error(ACTION, name, &error))?;
    let gone = || PortError::Gone { operation: format!("{ACTION} on {name}"), what: format!("{cluster}/{name}") };
    let service = output.services.unwrap_or_default().into_iter().find(is_there).ok_or_else(gone)?;
    let tags = service.tags().iter().filter_map(|tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default())));
    let tags = tags.collect();
    Ok(Resource { id: id.clone(), name: name.to_owned(), tags, live: live(cluster, &service) })
}

/// A service that was deleted is described as `INACTIVE` for a while.
fn is_there(service: &EcsService) -> bool {
    service.status() != Some("INACTIVE")
}

fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn live(cluster: &str, service: &EcsService) -> Live {
    let deployments = service.deployments();
    let rolling =
        deployments.iter().any(|deployment| deployment.rollout_state == Some(DeploymentRolloutState::InProgress));
    let newest = deployments.iter().filter_map(|deployment| deployment.created_at).map(|at| at.secs()).max();
    Live::EcsService(Service {
        cluster: cluster.to_owned(),
        desired: count(service.desired_count),
        running: count(service.running_count),
        deployment_in_progress: deployments.len() > 1 || rolling,
        last_deployment_at: newest.and_then(|at| Timestamp::from_second(at).ok()),
        bounds: None,
    })
}

fn count(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}
