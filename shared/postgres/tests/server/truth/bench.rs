//! A server that is broken from a seed, with what is to be found.

use super::Fact;
use crate::shop::Shop;
use postgres_protocol::escape::escape_identifier;
use std::collections::BTreeSet;
use testkit::postgres::{PostgresServer, SHOP};
use tokio_postgres::Client;

/// Sessions that the server takes, without those that are reserved.
pub const LIMIT: i64 = 37;
/// Endings of names that a careless statement would trip over.
const HOSTILE: [&str; 6] = ["", " x", "\"; DROP TABLE x; --", "é表", "'$1\\", "\u{202e}x"];

pub struct Bench {
    pub shop: Shop,
    pub random: fastrand::Rng,
    /// Numbers of transactions run out: vacuum comes by itself then, so that nothing else of it can be broken.
    pub wraps: bool,
    pub breaks: Breaks,
    /// Sessions that are kept open.
    pub kept: Vec<Client>,
    expected: BTreeSet<Fact>,
    named: usize,
    /// What must hold before the second look.
    conditions: Vec<String>,
}

/// What is broken in the window.
#[derive(Clone, Copy, Debug)]
pub struct Breaks {
    pub all: bool,
    pub cache: bool,
    pub memory: bool,
    pub log: bool,
    pub lookups: bool,
    pub deadlock: bool,
}

impl Bench {
    pub async fn open(seed: u64) -> Self {
        let settings = [
            "max_connections=40",
            "autovacuum_naptime=1h",
            "checkpoint_timeout=1h",
            "track_io_timing=off",
            "max_prepared_transactions=5",
            "shared_buffers=16MB",
            "max_wal_size=32MB",
            "min_wal_size=32MB",
            "autovacuum_freeze_max_age=100000",
        ];
        let server = PostgresServer::start(&format!("truth-{seed}"), &settings);
        let owner = server.database("shop").await;
        let mut random = fastrand::Rng::with_seed(seed);
        let all = seed == 1;
        let breaks = Breaks {
            all,
            cache: all || random.bool(),
            memory: all || random.bool(),
            log: all || random.bool(),
            lookups: all || random.bool(),
            deadlock: all || random.bool(),
        };
        let wraps = !all && seed.is_multiple_of(2);
        let (shop, expected) = (Shop::of(server, owner), BTreeSet::new());
        Self { shop, random, wraps, breaks, kept: Vec::new(), expected, named: 0, conditions: Vec::new() }
    }

    /// Whether the next thing is broken.
    pub fn is_broken(&mut self) -> bool {
        self.breaks.all || self.random.bool()
    }

    /// A name of its own, plain and quoted.
    pub fn name(&mut self, base: &str) -> (String, String) {
        self.named += 1;
        let name = format!("{base}{}{}", self.named, HOSTILE[self.random.usize(0..HOSTILE.len())]);
        let quoted = escape_identifier(&name);
        (name, quoted)
    }

    /// This is to be found.
    pub fn expect(&mut self, rule: &str, about: &str) {
        self.expected.insert((rule.to_owned(), format!("orders/{about}")));
    }

    pub fn expected(&self) -> BTreeSet<Fact> {
        self.expected.clone()
    }

    /// Runs statements as the owner, and has them counted at once.
    pub async fn run(&self, text: &str) {
        self.shop.owner.batch_execute(text).await.unwrap_or_else(|error| panic!("{error:?}: {text}"));
        self.shop.owner.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    }

    /// A session of the application under a name.
    pub async fn session(&self, application: &str) -> Client {
        let client = self.shop.server.session(SHOP, "shop").await;
        client.batch_execute(&format!("SET application_name = '{application}'")).await.unwrap();
        client
    }

    /// Before the second look this must hold: an expression of SQL.
    pub fn until(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    /// Waits for all that must hold.
    pub async fn wait(&self) {
        for condition in &self.conditions {
            while !self.holds(condition).await {
                tokio::task::yield_now().await;
            }
        }
    }

    pub async fn holds(&self, condition: &str) -> bool {
        let row = self.shop.owner.query_one(&format!("SELECT {condition}"), &[]).await.unwrap();
        row.get::<_, Option<bool>>(0).unwrap_or(false)
    }
}
