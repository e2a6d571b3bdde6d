//! CloudWatch dimensions of each kind of resource. A resource of another kind has none, so nothing is read for it.

use crate::resource::{Database, Live, Resource};
use crate::signal::Target;
use std::borrow::Cow;

/// `TargetGroup` and `LoadBalancer`. A group without a load balancer has no metrics.
pub(super) fn target_group(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::TargetGroup { target_group, load_balancer } if !load_balancer.is_empty() => {
            Target::whole(vec![("TargetGroup", target_group.clone()), ("LoadBalancer", load_balancer.clone())])
        }
        _ => Vec::new(),
    }
}

/// `LoadBalancer`.
pub(super) fn load_balancer(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::LoadBalancer { load_balancer } => Target::whole(vec![("LoadBalancer", load_balancer.clone())]),
        _ => Vec::new(),
    }
}

/// `AutoScalingGroupName`.
pub(super) fn fleet(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::AutoScalingGroup(_) => by_name(resource, "AutoScalingGroupName"),
        _ => Vec::new(),
    }
}

/// `InstanceId` of each instance of a group.
pub(super) fn instances(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::AutoScalingGroup(fleet) => {
            fleet.instances.iter().map(|instance| member("InstanceId", &instance.id)).collect()
        }
        _ => Vec::new(),
    }
}

/// `ClusterName` and `ServiceName`.
pub(super) fn service(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::EcsService(service) => {
            Target::whole(vec![("ClusterName", service.cluster.clone()), ("ServiceName", resource.name.clone())])
        }
        _ => Vec::new(),
    }
}

/// `FunctionName`.
pub(super) fn function(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Function => by_name(resource, "FunctionName"),
        _ => Vec::new(),
    }
}

/// `ApiName` of a REST API, `ApiId` of an HTTP API.
pub(super) fn api(resource: &Resource) -> Vec<Target> {
    let mut targets = rest_api(resource);
    targets.extend(http_api(resource));
    targets
}

/// `ApiName` of a REST API; nothing for others.
pub(super) fn rest_api(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Api { dimension } if is_rest(resource) => Target::whole(vec![("ApiName", dimension.clone())]),
        _ => Vec::new(),
    }
}

/// `ApiId` of an HTTP API; nothing for others.
pub(super) fn http_api(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Api { dimension } if !is_rest(resource) => Target::whole(vec![("ApiId", dimension.clone())]),
        _ => Vec::new(),
    }
}

/// `DBInstanceIdentifier`.
pub(super) fn database(resource: &Resource) -> Vec<Target> {
    database_where(resource, |_| true)
}

/// `DBInstanceIdentifier` where the storage has a size.
pub(super) fn database_with_storage(resource: &Resource) -> Vec<Target> {
    database_where(resource, |database| database.storage_bytes.is_some())
}

/// `DBInstanceIdentifier` of an Aurora instance.
pub(super) fn database_aurora(resource: &Resource) -> Vec<Target> {
    database_where(resource, is_aurora)
}

/// `DBInstanceIdentifier` of an instance that is not Aurora.
pub(super) fn database_not_aurora(resource: &Resource) -> Vec<Target> {
    database_where(resource, |database| !is_aurora(database))
}

/// `CacheClusterId` of every node.
pub(super) fn cache(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Cache(cache) => match cache.nodes.as_slice() {
            [node] => Target::whole(vec![("CacheClusterId", node.clone())]),
            nodes => nodes.iter().map(|node| member("CacheClusterId", node)).collect(),
        },
        _ => Vec::new(),
    }
}

/// `CacheClusterId` of every node of Redis or Valkey.
pub(super) fn cache_redis(resource: &Resource) -> Vec<Target> {
    if is_memcached(resource) { Vec::new() } else { cache(resource) }
}

/// `CacheClusterId` of Memcached.
pub(super) fn cache_memcached(resource: &Resource) -> Vec<Target> {
    if is_memcached(resource) { cache(resource) } else { Vec::new() }
}

/// `QueueName`.
pub(super) fn queue(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Queue => by_name(resource, "QueueName"),
        _ => Vec::new(),
    }
}

/// `TableName`.
pub(super) fn table(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Table => by_name(resource, "TableName"),
        _ => Vec::new(),
    }
}

/// The dimensions that the configuration names.
pub(super) fn custom(resource: &Resource) -> Vec<Target> {
    match &resource.live {
        Live::Custom(metric) => vec![Target {
            member: None,
            dimensions: metric
                .dimensions
                .iter()
                .map(|(name, value)| (Cow::Owned(name.clone()), value.clone()))
                .collect(),
        }],
        _ => Vec::new(),
    }
}

fn by_name(resource: &Resource, dimension: &'static str) -> Vec<Target> {
    Target::whole(vec![(dimension, resource.name.clone())])
}

fn member(dimension: &'static str, id: &str) -> Target {
    Target { member: Some(id.to_owned()), dimensions: vec![(Cow::Borrowed(dimension), id.to_owned())] }
}

fn database_where(resource: &Resource, takes: fn(&Database) -> bool) -> Vec<Target> {
    match &resource.live {
        Live::Database(database) if takes(database) => by_name(resource, "DBInstanceIdentifier"),
        _ => Vec::new(),
    }
}

fn is_aurora(database: &Database) -> bool {
    database.engine.starts_with("aurora")
}

fn is_memcached(resource: &Resource) -> bool {
    matches!(&resource.live, Live::Cache(cache) if cache.engine == "memcached")
}

/// The ARN of a REST API reads `…::/restapis/<id>`, that of an HTTP API `…::/apis/<id>`.
fn is_rest(resource: &Resource) -> bool {
    resource.id.as_str().contains("/restapis/")
}
