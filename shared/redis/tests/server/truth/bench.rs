//! A cache that is broken from a seed, with what is to be found.

use super::Fact;
use crate::shop::Shop;
use domain::observed::Observed;
use domain::performance::Policy;
use domain::performance::cache::{Ends, Look, Seen, find};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Length of a window: one in place of a quarter of an hour.
const WINDOW: Duration = Duration::from_millis(400);
/// Time for something to come about.
const COMES: Duration = Duration::from_secs(20);

pub struct Bench {
    pub shop: Shop,
    pub client: MultiplexedConnection,
    pub random: fastrand::Rng,
    /// This one is broken; else it only looks so.
    pub is_broken: bool,
    opened: Option<(Look, Instant)>,
    expected: BTreeSet<Fact>,
}

impl Bench {
    /// A server with these settings, broken or not as the seed says.
    pub async fn start(seed: u64, settings: &[&str]) -> Option<Self> {
        let shop = Shop::open(settings).await?;
        let client = shop.client().await;
        let mut random = fastrand::Rng::with_seed(seed);
        let is_broken = random.bool();
        Some(Self { shop, client, random, is_broken, opened: None, expected: BTreeSet::new() })
    }

    /// This is to be found.
    pub fn expect(&mut self, rule: &str, about: &str) {
        self.expected.insert((rule.to_owned(), format!("carts/{about}")));
    }

    /// Runs a command of words.
    pub async fn run<T: FromRedisValue>(&mut self, words: &str) -> T {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>());
        command.query_async(&mut self.client).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs many commands.
    pub async fn batch(&mut self, commands: impl Iterator<Item = Cmd>) {
        crate::shop::batch(&mut self.client, commands).await;
    }

    /// A field of `INFO`.
    pub async fn info(&mut self, field: &str) -> f64 {
        let info: String = self.run("INFO all").await;
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap_or_default();
        line.trim().parse().unwrap_or_default()
    }

    /// Opens the window.
    pub async fn open(&mut self) {
        let look = self.shop.look().await.unwrap();
        assert_eq!(look.missing(), [], "everything can be read");
        self.opened = Some((look, Instant::now()));
    }

    /// Closes it: what was found, and what was to be.
    pub async fn close(mut self, of: &str) -> (BTreeSet<Fact>, BTreeSet<Fact>) {
        let (opened, since) = self.opened.take().expect("it was opened");
        tokio::time::sleep(WINDOW.saturating_sub(since.elapsed())).await;
        let closed = self.shop.look().await.unwrap();
        let ends = Ends { opened: Observed::Known(opened), closed: Observed::Known(closed) };
        let findings = find(&Seen { cache: "carts", ends: &ends, instance: None }, &policy());
        for finding in &findings {
            println!("  {of}: {} [{}] {}", finding.rule, finding.severity, finding.summary);
        }
        let found = findings.iter().map(|finding| (finding.rule.to_string(), finding.resource.to_string())).collect();
        (found, self.expected)
    }

    /// Waits until something holds.
    pub async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut(&mut Self) -> bool) {
        let begun = Instant::now();
        while !holds(self).await {
            assert!(begun.elapsed() < COMES, "{what} does not come about");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Bounds of a window of moments and of a server of megabytes; the others are the defaults.
fn policy() -> Policy {
    Policy { cache_warm_s: 0, cache_waste_bytes_min: 25_165_824.0, ..Policy::default() }
}
