//! ElastiCache: replication groups, and clusters that belong to none.

use super::{Candidate, Found, gathered};
use crate::errors::port_error;
use aws_sdk_elasticache::Client;
use aws_sdk_elasticache::types::{CacheCluster, Endpoint, ReplicationGroup};
use domain::ids::ResourceId;
use domain::resource::{Cache, Live, Resource};
use engine::ports::{PortError, PortResult};

const GROUPS: &str = "elasticache:DescribeReplicationGroups";
const CLUSTERS: &str = "elasticache:DescribeCacheClusters";
const TAGS: &str = "elasticache:ListTagsForResource";

/// What was read of one cache.
struct Read {
    cache: Cache,
    /// The replication group that a cluster belongs to.
    member_of: Option<String>,
}

/// Caches, one call each: the service takes one name to a call.
pub(super) async fn discover(client: &Client, candidates: &[Candidate]) -> Found {
    let calls = candidates.iter().map(|candidate| describe(client, candidate.id.as_str(), &candidate.name)).collect();
    let reads = gathered(calls).await;
    // AWS copies the tags of a group to its clusters: a cluster whose group is there would be counted twice.
    let groups: Vec<&str> = candidates
        .iter()
        .filter(|candidate| is_group(candidate.id.as_str()))
        .map(|candidate| candidate.name.as_str())
        .collect();
    let mut found = Found::default();
    for (candidate, read) in candidates.iter().zip(reads) {
        match read {
            Ok(read) if read.member_of.as_deref().is_some_and(|group| groups.contains(&group)) => {}
            Ok(read) => found.resources.push(candidate.with(candidate.name.clone(), Live::Cache(read.cache))),
            Err(error) => found = found.merge(Found::failed(&error)),
        }
    }
    found
}

/// One cache as it is now, with its tags.
pub(crate) async fn read(client: &Client, name: &str, id: &ResourceId) -> PortResult<Resource> {
    let cache = describe(client, id.as_str(), name).await?.cache;
    let output = client.list_tags_for_resource().resource_name(id.as_str()).send().await;
    let tags = output.map_err(|error| port_error(TAGS, name, &error))?.tag_list.unwrap_or_default();
    let tags = tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect();
    Ok(Resource { id: id.clone(), name: name.to_owned(), tags, live: Live::Cache(cache) })
}

fn is_group(id: &str) -> bool {
    id.contains(":replicationgroup:")
}

/// A `kind/name` does not say which of the two it is: the group is tried first.
async fn describe(client: &Client, id: &str, name: &str) -> PortResult<Read> {
    if id.contains(":cluster:") {
        return cluster(client, name).await;
    }
    match group(client, name).await {
        Err(PortError::Gone { .. }) if !is_group(id) => cluster(client, name).await,
        answer => answer,
    }
}

async fn group(client: &Client, name: &str) -> PortResult<Read> {
    let output = client.describe_replication_groups().replication_group_id(name).send().await;
    let groups = output.map_err(|error| port_error(GROUPS, name, &error))?.replication_groups.unwrap_or_default();
    let group = groups.into_iter().next().ok_or_else(|| gone(GROUPS, name))?;
    Ok(Read { cache: of_group(group), member_of: None })
}

async fn cluster(client: &Client, name: &str) -> PortResult<Read> {
    let request = client.describe_cache_clusters().cache_cluster_id(name).show_cache_node_info(true);
    let clusters =
        request.send().await.map_err(|error| port_error(CLUSTERS, name, &error))?.cache_clusters.unwrap_or_default();
    let cluster = clusters.into_iter().next().ok_or_else(|| gone(CLUSTERS, name))?;
    let member_of = cluster.replication_group_id.clone();
    Ok(Read { cache: of_cluster(name, cluster), member_of })
}

fn of_group(group: ReplicationGroup) -> Cache {
    let primary = group.node_groups().iter().find_map(|shard| shard.primary_endpoint().cloned());
    let (host, port) = address(group.configuration_endpoint.as_ref().or(primary.as_ref()));
    let mut nodes = group.member_clusters.unwrap_or_default();
    nodes.sort_unstable();
    Cache {
        // Groups exist for Redis and Valkey only; older answers do not say which.
        engine: group.engine.unwrap_or_else(|| "redis".to_owned()),
        host,
        port,
        tls: group.transit_encryption_enabled.unwrap_or(false),
        nodes,
    }
}

/// The live state of a cluster.
pub(crate) fn of_cluster(name: &str, cluster: CacheCluster) -> Cache {
    let node = cluster.cache_nodes().iter().find_map(|node| node.endpoint().cloned());
    let (host, port) = address(cluster.configuration_endpoint.as_ref().or(node.as_ref()));
    Cache {
        engine: cluster.engine.unwrap_or_default(),
        host,
        port,
        tls: cluster.transit_encryption_enabled.unwrap_or(false),
        nodes: vec![name.to_owned()],
    }
}

/// A cache that is being created has no endpoint yet: an empty host, which nothing connects to.
fn address(endpoint: Option<&Endpoint>) -> (String, u16) {
    let host = endpoint.and_then(Endpoint::address).unwrap_or_default().to_owned();
    let port = endpoint.and_then(Endpoint::port).and_then(|port| u16::try_from(port).ok()).unwrap_or(6379);
    (host, port)
}

fn gone(action: &str, name: &str) -> PortError {
    PortError::Gone { operation: format!("{action} on {name}"), what: name.to_owned() }
}
