//! An orders shop with a skewed history, made from a seed, and its traffic.

use async_trait::async_trait;
use config::{Database, Tls};
use engine::ports::{Clock, Credentials, PortResult, Secrets};
use jiff::Timestamp;
use std::collections::BTreeMap;
use testkit::postgres::{OWNER, PostgresServer, READER, SHOP};
use tokio_postgres::Client;

/// Orders of the shop.
pub const ORDERS: u32 = 60_000;

/// A few customers order most; most orders are done; a small table is read whole; one index serves the closing of the month.
const SEED: &str = "SELECT setseed(0.15); \
    CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, country text NOT NULL, name text); \
    INSERT INTO customers SELECT n, 'c' || n || '@example.com', (ARRAY['de','fr','it','pl'])[1 + n % 4], repeat('x', 20) \
      FROM generate_series(1, 6000) n; \
    CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, created_at timestamptz NOT NULL, \
      total numeric NOT NULL, note text); \
    INSERT INTO orders SELECT n, 1 + floor(6000 * random() ^ 3)::int, \
      CASE WHEN random() < 0.97 THEN 'done' WHEN random() < 0.5 THEN 'open' ELSE 'failed' END, \
      timestamptz '2026-01-01' + n * interval '5 minutes', (random() * 100)::numeric(10, 2), repeat('n', 60) \
      FROM generate_series(1, 60000) n; \
    CREATE TABLE settings (key text, value text); \
    INSERT INTO settings SELECT 'k' || n, 'v' FROM generate_series(1, 50) n; \
    CREATE INDEX orders_closing ON orders (created_at); \
    CREATE INDEX customers_email ON customers (email); \
    CREATE INDEX customers_email_country ON customers (email, country); \
    VACUUM ANALYZE";

/// A server with the shop in it.
pub struct Shop {
    pub server: PostgresServer,
    pub owner: Client,
    pub databases: BTreeMap<String, Database>,
}

impl Shop {
    pub async fn open(name: &str) -> Self {
        Self::with(name, &[]).await
    }

    pub async fn with(name: &str, settings: &[&str]) -> Self {
        let server = PostgresServer::start(name, settings);
        let owner = server.database("shop").await;
        for statement in SEED.split("; ") {
            owner.batch_execute(statement).await.unwrap();
        }
        Self::of(server, owner)
    }

    /// A server with whatever else in the database `shop`.
    pub fn of(server: PostgresServer, owner: Client) -> Self {
        let database = Database {
            host: "127.0.0.1".to_owned(),
            port: server.port(),
            database: "shop".to_owned(),
            read_secret: "maintainer/read/shop".to_owned(),
            change_secret: Some("maintainer/change/shop".to_owned()),
            tls: Tls::Off,
            ca_pem: None,
            instance: None,
            has_replica: false,
        };
        Self { server, owner, databases: BTreeMap::from([("orders".to_owned(), database)]) }
    }

    /// A session of the application's own user.
    pub async fn client(&self) -> Client {
        self.server.session(SHOP, "shop").await
    }

    /// Rounds of what the application does.
    pub async fn traffic(&self, rounds: i32) {
        let client = self.client().await;
        for round in 0..rounds {
            let customer = 1 + round * 37 % 5_000;
            client
                .query(
                    "SELECT id, total FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20",
                    &[&customer],
                )
                .await
                .unwrap();
            client.query("SELECT value FROM settings WHERE key = $1", &[&"k7"]).await.unwrap();
            client
                .query("SELECT name FROM customers WHERE email = $1", &[&format!("c{customer}@example.com")])
                .await
                .unwrap();
            client.execute("UPDATE orders SET note = $1 WHERE id = $2", &[&"seen", &(1 + round)]).await.unwrap();
        }
    }

    /// Names of all indexes that are not valid.
    pub async fn invalid(&self) -> Vec<String> {
        let rows = self
            .owner
            .query("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid OR NOT indisready", &[])
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Whether there is an index of this name.
    pub async fn has_index(&self, name: &str) -> bool {
        self.owner.query_opt("SELECT 1 FROM pg_class WHERE relname = $1", &[&name]).await.unwrap().is_some()
    }
}

/// The secrets of the tests; `wrong` for a password that is not the user's.
pub struct Users {
    pub wrong: bool,
}

#[async_trait]
impl Secrets for Users {
    async fn read(&self, name: &str) -> PortResult<Credentials> {
        let (user, password) = if name.starts_with("maintainer/read/") { READER } else { OWNER };
        let password = if self.wrong { "not the password" } else { password };
        Ok(Credentials { username: user.to_owned(), password: password.to_owned() })
    }
}

pub const USERS: Users = Users { wrong: false };

/// The time of the machine: the server's own counters go by it.
pub struct Now;

#[async_trait]
impl Clock for Now {
    #[allow(clippy::disallowed_methods, reason = "it stands for the adapter that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn wait(&self, seconds: u32) {
        tokio::time::sleep(std::time::Duration::from_secs(u64::from(seconds))).await;
    }
}
