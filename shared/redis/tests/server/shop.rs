//! A cache of a shop on a server of its own, with the user that the documentation asks for.

use async_trait::async_trait;
use config::{Cache, Tls};
use domain::performance::cache::Look;
use engine::ports::{Caches as _, Clock, Credentials, PortResult, Secrets};
use jiff::Timestamp;
use maintainer_redis::Caches;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::redis::RedisServer;

/// The user that only reads.
pub const READER: (&str, &str) = ("maintainer", "reader-password-of-the-tests");

/// What the documentation tells people to run, without its password.
pub fn documented() -> Vec<String> {
    let page = include_str!("../../../../docs/performance.md");
    let line =
        page.lines().find(|line| line.starts_with("ACL SETUSER maintainer on >")).expect("the line is documented");
    line.split_whitespace()
        .map(|word| if word.starts_with('>') { format!(">{}", READER.1) } else { word.to_owned() })
        .collect()
}

/// A cache.
pub struct Shop {
    pub server: RedisServer,
    pub caches: BTreeMap<String, Cache>,
}

impl Shop {
    /// A server with these settings and the user; `None` where Redis is not installed.
    pub async fn open(settings: &[&str]) -> Option<Self> {
        let server = RedisServer::start(settings)?;
        let cache = Cache {
            host: "127.0.0.1".to_owned(),
            port: server.port(),
            read_secret: Some("maintainer/read/carts".to_owned()),
            tls: Tls::Off,
            ca_pem: None,
            instance: None,
        };
        let shop = Self { server, caches: BTreeMap::from([("carts".to_owned(), cache)]) };
        shop.admit().await;
        Some(shop)
    }

    /// Makes the user.
    pub async fn admit(&self) {
        let words = documented();
        let mut command = redis::cmd(&words[0]);
        command.arg(&words[1..]);
        self.run::<()>(&command).await;
    }

    /// A connection of the application.
    pub async fn client(&self) -> MultiplexedConnection {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.server.port())).unwrap();
        // Some of what it does takes long, on purpose.
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(20)));
        client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
    }

    /// Runs a command as the application.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> T {
        command.query_async(&mut self.client().await).await.unwrap()
    }

    /// One look at it.
    pub async fn look(&self) -> PortResult<Look> {
        self.look_as(&USERS).await
    }

    /// One look at it with these secrets.
    pub async fn look_as(&self, users: &Users) -> PortResult<Look> {
        Caches::new(&self.caches, users, &Now).look("carts").await
    }

    /// The cache in the configuration.
    pub fn cache(&mut self) -> &mut Cache {
        self.caches.get_mut("carts").unwrap()
    }
}

/// The secret of the tests, with this password.
pub struct Users(pub &'static str);

pub const USERS: Users = Users(READER.1);

#[async_trait]
impl Secrets for Users {
    async fn read(&self, _: &str) -> PortResult<Credentials> {
        Ok(Credentials { username: READER.0.to_owned(), password: self.0.to_owned() })
    }
}

/// The time of the machine: the server's own counters go by it.
pub struct Now;

#[async_trait]
impl Clock for Now {
    #[allow(clippy::disallowed_methods, reason = "it stands for the adapter that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, seconds: u32) {
        tokio::time::sleep(Duration::from_secs(u64::from(seconds))).await;
    }
}

/// `SET` of a value of so many bytes, for so many seconds.
pub fn set(name: &str, bytes: usize, ttl_s: Option<u64>) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(name).arg("x".repeat(bytes));
    if let Some(ttl_s) = ttl_s {
        command.arg("EX").arg(ttl_s);
    }
    command
}

/// Runs many commands in batches.
pub async fn batch(client: &mut MultiplexedConnection, commands: impl Iterator<Item = Cmd>) {
    let mut pipe = redis::pipe();
    for command in commands {
        pipe.add_command(command).ignore();
        if pipe.len() >= 1_000 {
            pipe.query_async::<()>(client).await.unwrap();
            pipe.clear();
        }
    }
    if !pipe.is_empty() {
        pipe.query_async::<()>(client).await.unwrap();
    }
}
