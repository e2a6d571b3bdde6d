//! ECS services, as the inventory reads them but for their tasks, and what is bought of those on Fargate. The tagging API
//! knows only what has ever had a tag, so for the rest of an account every cluster is asked for its services.

use super::whose::Whose;
use super::{Account, by_arn, item};
use crate::arn;
use crate::errors::port_error;
use crate::inventory::services::{SERVICES_PER_CALL, is_there, live};
use crate::inventory::{Tags, gathered, scaling};
use aws_sdk_applicationautoscaling::Client as Scaling;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{CpuArchitecture, DeploymentControllerType, LaunchType, OsFamily, Service, TaskDefinition};
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::Terms;
use domain::cost::estate::Item;
use domain::cost::terms::TaskTerms;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

const TYPES: &[&str] = &["ecs:service"];
const KIND: ResourceKind = ResourceKind::EcsService;
/// Largest page of ListClusters and ListServices.
const PAGE: i32 = 100;
const DESCRIBE: &str = "ecs:DescribeServices";
const DEFINITION: &str = "ecs:DescribeTaskDefinition";

pub(super) async fn survey(
    client: &Client,
    scaling: &Scaling,
    tagging: &Tagging,
    whose: Whose<'_>,
    account: &Account,
) -> PortResult<Vec<Item>> {
    let (arns, tags) = match whose {
        Whose::Rest => (list(client).await?, by_arn::tags(tagging, whose, TYPES, &[]).await?),
        Whose::App(_) => {
            let listed: Vec<String> = whose.listed(KIND).iter().map(|name| account.service(name)).collect();
            let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
            (listed.into_iter().chain(tags.keys().cloned()).collect(), tags)
        }
    };
    let names: BTreeSet<String> = arns.iter().filter_map(|arn| Some(arn::named(arn)?.name)).collect();
    let mut by_cluster: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    // The old format of ARNs does not name the cluster.
    for (cluster, name) in names.iter().filter_map(|name| name.split_once('/')) {
        by_cluster.entry(cluster).or_default().push(name.to_owned());
    }
    let chunks = by_cluster.iter().flat_map(|(cluster, names)| {
        names.chunks(SERVICES_PER_CALL).map(|some| describe(client, cluster, some.to_vec()))
    });
    let described: Vec<(String, Service)> =
        gathered(chunks.collect()).await.into_iter().collect::<PortResult<Vec<_>>>()?.concat();
    // By cluster and name, which is how they are listed.
    let found: BTreeMap<String, &Service> = described
        .iter()
        .map(|(cluster, service)| (format!("{cluster}/{}", service.service_name().unwrap_or_default()), service))
        .collect();
    let items = described.iter().map(|(cluster, service)| of(cluster, service, &tags));
    let mut meant = whose.only(items.collect());
    let names: Vec<String> = meant.iter().map(|item| item.resource.name.clone()).collect();
    let bounds = scaling::bounds(scaling, &names).await?;
    let definitions = definitions(client, names.iter().filter_map(|name| found.get(name).copied())).await?;
    for item in &mut meant {
        let Some(service) = found.get(&item.resource.name) else { continue };
        item.terms = definition(service).and_then(|arn| terms(service, definitions.get(arn)?)).map(Terms::Task);
        if let Live::EcsService(live) = &mut item.resource.live {
            live.bounds = bounds.get(&item.resource.name).copied();
        }
        service.service_name().unwrap_or_default().clone_into(&mut item.resource.name);
    }
    Ok(meant)
}

/// The ARNs of all services of the account.
async fn list(client: &Client) -> PortResult<Vec<String>> {
    let calls = clusters(client).await?.into_iter().map(|cluster| list_of(client, cluster)).collect();
    Ok(gathered(calls).await.into_iter().collect::<PortResult<Vec<_>>>()?.concat())
}

/// The ARNs of all clusters of the account.
pub(super) async fn clusters(client: &Client) -> PortResult<Vec<String>> {
    let mut pages = client.list_clusters().max_results(PAGE).into_paginator().items().send();
    let mut clusters = Vec::new();
    while let Some(cluster) = pages.next().await {
        clusters.push(cluster.map_err(|error| port_error("ecs:ListClusters", "", &error))?);
    }
    Ok(clusters)
}

async fn list_of(client: &Client, cluster: String) -> PortResult<Vec<String>> {
    let mut pages = client.list_services().cluster(&cluster).max_results(PAGE).into_paginator().items().send();
    let mut arns = Vec::new();
    while let Some(arn) = pages.next().await {
        match arn.map_err(|error| port_error("ecs:ListServices", &cluster, &error)) {
            Ok(arn) => arns.push(arn),
            // The cluster went in the meantime, with its services.
            Err(PortError::Gone { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(arns)
}

/// These services of a cluster, each with its name; what is gone is left out.
async fn describe(client: &Client, cluster: &str, names: Vec<String>) -> PortResult<Vec<(String, Service)>> {
    let output = client.describe_services().cluster(cluster).set_services(Some(names)).send().await;
    let services = match output.map_err(|error| port_error(DESCRIBE, cluster, &error)) {
        Ok(output) => output.services.unwrap_or_default(),
        Err(PortError::Gone { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(services.into_iter().filter(is_there).map(|service| (cluster.to_owned(), service)).collect())
}

fn of(cluster: &str, service: &Service, tags: &BTreeMap<String, Tags>) -> Item {
    let arn = service.service_arn().unwrap_or_default();
    let name = format!("{cluster}/{}", service.service_name().unwrap_or_default());
    let tags = tags.get(arn).cloned().unwrap_or_default();
    let created_at = service.created_at().and_then(|at| Timestamp::from_second(at.secs()).ok());
    item(Resource { id: ResourceId::new(arn), name, tags, live: Live::EcsService(live(cluster, service)) }, created_at)
}

/// The ARN of the definition of a service that is on Fargate alone and deployed by ECS itself.
fn definition(service: &Service) -> Option<&str> {
    let controller = service.deployment_controller().map(|controller| controller.r#type());
    let providers = service.capacity_provider_strategy();
    let is_on_fargate = match providers {
        [] => service.launch_type() == Some(&LaunchType::Fargate),
        some => some.iter().all(|provider| provider.capacity_provider().starts_with("FARGATE")),
    };
    let is_ours = controller.is_none_or(|kind| *kind == DeploymentControllerType::Ecs);
    service.task_definition().filter(|_| is_on_fargate && is_ours)
}

/// The definitions of these services by ARN, each read once.
async fn definitions<'a>(
    client: &Client,
    services: impl Iterator<Item = &'a Service>,
) -> PortResult<BTreeMap<String, TaskDefinition>> {
    let arns: BTreeSet<&str> = services.filter_map(definition).collect();
    let read = |arn: &'a str| async move {
        let output = client.describe_task_definition().task_definition(arn).send().await;
        let output = output.map_err(|error| port_error(DEFINITION, arn, &error))?;
        Ok(output.task_definition.map(|found| (arn.to_owned(), found)))
    };
    let read = gathered(arns.into_iter().map(read).collect()).await;
    Ok(read.into_iter().collect::<PortResult<Vec<_>>>()?.into_iter().flatten().collect())
}

fn terms(service: &Service, definition: &TaskDefinition) -> Option<TaskTerms> {
    let number = |value: i32| u32::try_from(value).unwrap_or(0);
    let size = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
    let platform = definition.runtime_platform();
    let containers = definition.container_definitions();
    let mib = |reserved: Option<i32>, limit: Option<i32>| number(reserved.or(limit).unwrap_or(0));
    let arn = definition.task_definition_arn()?;
    Some(TaskTerms {
        definition: arn.rsplit('/').next().unwrap_or(arn).to_owned(),
        cpu_units: size(definition.cpu())?,
        memory_mib: size(definition.memory())?,
        containers_units: containers.iter().map(|container| number(container.cpu())).sum(),
        containers_mib: containers.iter().map(|of| mib(of.memory_reservation(), of.memory())).sum(),
        is_arm: platform.and_then(|of| of.cpu_architecture()) == Some(&CpuArchitecture::Arm64),
        is_linux: platform.and_then(|of| of.operating_system_family()).is_none_or(|of| *of == OsFamily::Linux),
        is_on_demand: service.capacity_provider_strategy().iter().all(|of| of.capacity_provider() == "FARGATE"),
    })
}
