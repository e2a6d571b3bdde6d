//! Emptying a real Redis through the actuator.

use crate::Cloud;
use crate::actuator::{apply, change, unread};
use aws::Actuator;
use domain::change::Action;
use domain::resource::{Cache, Live};
use engine::ports::{PortError, PortResult};
use redis::aio::MultiplexedConnection;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Polls before a Redis is taken for one that does not start.
const POLLS_MAX: u32 = 100;

/// A Redis of this test's own, ended with it.
struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    /// Starts one; `None`, with a sentence, where it is not installed.
    async fn start() -> Option<Self> {
        let port = free_port();
        // The same program as redis-server, from a package that starts no service.
        let mut command = Command::new("redis-check-rdb");
        command.arg0("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            println!("skipped: Redis is not installed");
            return None;
        };
        let redis = Self { process, port };
        for _ in 0..POLLS_MAX {
            if redis.connection().await.is_some() {
                return Some(redis);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("Redis on port {port} does not answer");
    }

    async fn connection(&self) -> Option<MultiplexedConnection> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        client.get_multiplexed_async_connection().await.ok()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either failure.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn flush(cloud: &Cloud, port: u16, tls: bool) -> PortResult<()> {
    let nodes = vec!["c".to_owned()];
    let live = Live::Cache(Cache { engine: "redis".to_owned(), host: "127.0.0.1".to_owned(), port, tls, nodes });
    let change = change(Action::FlushCache { cache: "c".to_owned() }, &unread("cache/c", "c", live.clone()));
    apply(cloud, &Actuator::new(&cloud.clients), &change, &live).await
}

#[tokio::test]
async fn a_cache_is_emptied_through_its_own_protocol() {
    let Some(cloud) = Cloud::connect("cache").await else { return };
    let Some(redis) = Redis::start().await else { return };
    let mut connection = redis.connection().await.unwrap();
    redis::cmd("SET").arg("poison").arg("1").query_async::<()>(&mut connection).await.unwrap();
    flush(&cloud, redis.port, false).await.unwrap();
    let keys: u32 = redis::cmd("DBSIZE").query_async(&mut connection).await.unwrap();
    assert_eq!(keys, 0);
}

#[tokio::test]
async fn a_cache_with_a_password_says_what_is_lacking() {
    let Some(cloud) = Cloud::connect("cache with password").await else { return };
    let Some(redis) = Redis::start().await else { return };
    let mut connection = redis.connection().await.unwrap();
    redis::cmd("SET").arg("k").arg("1").query_async::<()>(&mut connection).await.unwrap();
    redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("p").query_async::<()>(&mut connection).await.unwrap();
    let answer = flush(&cloud, redis.port, false).await;
    assert!(
        matches!(&answer, Err(PortError::Denied { permission, .. }) if permission.contains("password")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn fault_a_cache_that_can_not_be_reached_was_certainly_not_emptied() {
    let Some(cloud) = Cloud::connect("unreachable cache").await else { return };
    let answer = flush(&cloud, free_port(), false).await;
    assert!(matches!(answer, Err(PortError::Rejected { .. })), "{answer:?}");
    let Some(redis) = Redis::start().await else { return };
    let answer = flush(&cloud, redis.port, true).await;
    assert!(matches!(answer, Err(PortError::Rejected { .. })), "TLS with a cache that speaks none: {answer:?}");
}
