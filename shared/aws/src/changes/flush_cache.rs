//! Empties a Redis or Valkey cache through its own protocol: `FLUSHALL ASYNC` on every primary.

use domain::resource::Cache;
use engine::ports::{PortError, PortResult};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, RedisError, Value};
use std::collections::BTreeSet;
use std::time::Duration;

/// IAM actions: to read where the cache is and how it is tagged. Emptying it needs the network, no IAM action.
pub const PERMISSIONS: &[&str] =
    &["elasticache:DescribeCacheClusters", "elasticache:DescribeReplicationGroups", "elasticache:ListTagsForResource"];

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Primaries of one cluster: the limit of ElastiCache.
const PRIMARIES_MAX: usize = 500;

pub(crate) async fn flush(name: &str, cache: &Cache) -> PortResult<()> {
    let operation = format!("FLUSHALL on {name}");
    if cache.engine == "memcached" {
        let why =
            "memcached is not cleared: its protocol clears nodes one by one, without a way to check it".to_owned();
        return Err(PortError::Rejected { operation, why });
    }
    if cache.host.is_empty() {
        return Err(PortError::Rejected { operation, why: "the cache has no endpoint yet".to_owned() });
    }
    let mut connection = connect(&cache.host, cache.port, cache.tls, &operation).await?;
    let primaries = primaries(&mut connection).await;
    if primaries.is_empty() {
        return flush_one(&mut connection, &operation).await;
    }
    for (host, port) in primaries {
        // Another shard may have been cleared already, so from here on nothing can be said to have happened not at all.
        let unknown = |error: PortError| PortError::Unknown { operation: operation.clone(), why: error.to_string() };
        let mut connection = connect(&host, port, cache.tls, &operation).await.map_err(unknown)?;
        flush_one(&mut connection, &operation).await.map_err(unknown)?;
    }
    Ok(())
}

async fn connect(host: &str, port: u16, tls: bool, operation: &str) -> PortResult<MultiplexedConnection> {
    let scheme = if tls { "rediss" } else { "redis" };
    let failed = |error: &RedisError| port_error(operation, error);
    let client = redis::Client::open(format!("{scheme}://{host}:{port}")).map_err(|error| failed(&error))?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| match failed(&error) {
        // Nothing was sent yet, so nothing can have happened.
        PortError::Unknown { operation, why } => {
            PortError::Rejected { operation, why: format!("can't connect to {host}:{port}: {why}") }
        }
        other => other,
    })
}

/// `ASYNC` frees the memory in the background: the cache answers at once.
async fn flush_one(connection: &mut MultiplexedConnection, operation: &str) -> PortResult<()> {
    redis::cmd("FLUSHALL")
        .arg("ASYNC")
        .query_async::<()>(connection)
        .await
        .map_err(|error| port_error(operation, &error))
}

/// Primaries of a sharded cache; none where sharding is off.
async fn primaries(connection: &mut MultiplexedConnection) -> BTreeSet<(String, u16)> {
    let slots = redis::cmd("CLUSTER").arg("SLOTS").query_async::<Value>(connection).await;
    slots.map(|slots| primaries_of(&slots)).unwrap_or_default()
}

/// `CLUSTER SLOTS` is a list of `[first, last, [host, port, …] of the primary, … of the replicas]`.
fn primaries_of(slots: &Value) -> BTreeSet<(String, u16)> {
    let Value::Array(slots) = slots else { return BTreeSet::new() };
    slots.iter().take(PRIMARIES_MAX).filter_map(primary_of).collect()
}

fn primary_of(slot: &Value) -> Option<(String, u16)> {
    let Value::Array(slot) = slot else { return None };
    let Value::Array(primary) = slot.get(2)? else { return None };
    let (Value::BulkString(host), Value::Int(port)) = (primary.first()?, primary.get(1)?) else { return None };
    let host = String::from_utf8(host.clone()).ok().filter(|host| !host.is_empty())?;
    Some((host, u16::try_from(*port).ok()?))
}

fn port_error(operation: &str, error: &RedisError) -> PortError {
    let operation = operation.to_owned();
    let code = error.code().unwrap_or_default();
    match code {
        "NOAUTH" | "NOPERM" | "WRONGPASS" => {
            return PortError::Denied {
                operation,
                permission: format!("a cache user without a password that may FLUSHALL (the cache said {code})"),
            };
        }
        "READONLY" => return PortError::Rejected { operation, why: "this is a replica, not the primary".to_owned() },
        _ => {}
    }
    if error.is_timeout() || error.is_io_error() || error.is_connection_dropped() {
        let why = if error.is_timeout() { "timed out" } else { "the connection failed" };
        return PortError::Unknown { operation, why: why.to_owned() };
    }
    if error.kind() == ErrorKind::AuthenticationFailed {
        return PortError::Denied { operation, permission: "a cache user without a password".to_owned() };
    }
    PortError::Rejected { operation, why: format!("the cache refused it: {}", error.category()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    #[test]
    fn the_primary_of_every_shard_is_named_once() {
        let node = |host: &str, port| Value::Array(vec![text(host), Value::Int(port), text("id")]);
        let slot = |first, last, primary: &Value| {
            Value::Array(vec![Value::Int(first), Value::Int(last), primary.clone(), node("replica", 6379)])
        };
        let (a, b) = (node("a", 6379), node("b", 6380));
        let slots = Value::Array(vec![slot(0, 10, &a), slot(11, 20, &b), slot(21, 30, &a)]);
        assert_eq!(primaries_of(&slots), BTreeSet::from([("a".to_owned(), 6379), ("b".to_owned(), 6380)]));
    }

    #[test]
    fn a_cache_without_shards_has_no_list() {
        assert!(primaries_of(&Value::Nil).is_empty());
        assert!(primaries_of(&Value::Array(Vec::new())).is_empty());
    }

    #[tokio::test]
    async fn memcached_and_a_cache_without_endpoint_are_refused_in_one_sentence() {
        let mut cache =
            Cache { engine: "memcached".to_owned(), host: "h".to_owned(), port: 11211, tls: false, nodes: Vec::new() };
        assert!(matches!(flush("c", &cache).await, Err(PortError::Rejected { why, .. }) if why.contains("memcached")));
        cache.engine = "redis".to_owned();
        cache.host.clear();
        assert!(matches!(flush("c", &cache).await, Err(PortError::Rejected { why, .. }) if why.contains("endpoint")));
    }
}
