//! The shop's cache, as the adapter would tell of it, and what a run makes of that.

use crate::machine::Machine;
use crate::shop::Shop;
use domain::finding::Finding;
use domain::observed::{Missing, Observed};
use domain::performance::cache::{Info, Key, Keyspace, Look, Own, Sampled, SlowLog};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use maintainer_performance::identify::Decided;
use serde_json::json;
use std::collections::BTreeMap;

/// How it fares.
#[derive(Clone, Debug)]
pub struct Caching {
    /// Lookups a second that find their key, and those that do not.
    pub lookups: (f64, f64),
    /// What it says when it is asked; nothing for an answer.
    pub refuses: Option<PortError>,
    /// It is a node of a cluster of which the settings can't be read.
    pub is_managed: bool,
}

impl Default for Caching {
    fn default() -> Self {
        Self { lookups: (1_000.0, 10.0), refuses: None, is_managed: false }
    }
}

impl Caching {
    /// A look at it.
    pub fn look(&self, at: Timestamp) -> PortResult<Look> {
        if let Some(refusal) = &self.refuses {
            return Err(refusal.clone());
        }
        let passed = at.duration_since(testkit::build::START).as_secs_f64();
        let (hits, misses) = self.lookups;
        let fields = [
            ("run_id", "a1".to_owned()),
            ("redis_mode", if self.is_managed { "cluster" } else { "standalone" }.to_owned()),
            ("uptime_in_seconds", (1e6 + passed).to_string()),
            ("keyspace_hits", (hits * passed).to_string()),
            ("keyspace_misses", (misses * passed).to_string()),
            ("used_memory", "6e8".to_owned()),
            ("maxmemory", "1e9".to_owned()),
            ("maxmemory_policy", "allkeys-lru".to_owned()),
        ];
        let info = Info {
            fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            databases: BTreeMap::from([("db0".to_owned(), Keyspace { keys: 1e5, expires: 1e5 })]),
            ..Info::default()
        };
        let key = Key {
            pattern: "cart:*".to_owned(),
            kind: "hash".to_owned(),
            bytes: 400.0,
            ttl_ms: None,
            idle_s: Some(9.0),
            frequency: None,
        };
        let sampled = Sampled { database: "db0".to_owned(), keys: vec![key; 50], is_whole: false, skipped: 0.0 };
        let settings = match self.is_managed {
            true => Observed::Missing(Missing::NotPublished("this server does not offer the command".to_owned())),
            false => Observed::Known(BTreeMap::new()),
        };
        let (slow, keys) = (Observed::Known(SlowLog::default()), Observed::Known(sampled));
        Ok(Look { at, info, settings, slow, keys, own: Own::default() })
    }
}

fn of_caches(decided: &Decided) -> Vec<&Finding> {
    decided.analysis.findings.iter().filter(|finding| finding.rule.as_str().starts_with("cache_")).collect()
}

fn run(shop: &Shop) -> (String, Decided) {
    let ended = Machine::performance(shop, "performance-1").run(json!({"app": "shop"}));
    shop.assert_sound("a run over a cache");
    (ended.state, shop.document("performance-1", 1, "analysis"))
}

#[test]
fn what_is_wrong_with_a_cache_is_told_beside_what_is_wrong_with_a_database() {
    let shop = Shop::auto();
    shop.caching.lock().unwrap().lookups = (60.0, 40.0);
    let (state, decided) = run(&shop);
    assert_eq!(state, "Improved", "the index is built all the same");
    let found = of_caches(&decided);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].rule.as_str(), found[0].resource.as_str()), ("cache_low_hit_rate", "carts/lookups"));
    assert!(found[0].summary.starts_with("60 % of 100 lookups/s find their key, 40/s go on"), "{}", found[0].summary);
}

#[test]
fn a_cache_that_does_not_answer_is_missing_with_its_reason_and_takes_nothing_else_along() {
    let shop = Shop::auto();
    let why = PortError::Denied { operation: "look".to_owned(), permission: "ACL SETUSER <user> +info".to_owned() };
    shop.caching.lock().unwrap().refuses = Some(why);
    let (state, decided) = run(&shop);
    assert_eq!(state, "Improved");
    assert!(of_caches(&decided).is_empty());
    let told = decided.analysis.unmeasured.iter().any(|what| what.contains("carts") && what.contains("ACL SETUSER"));
    assert!(told, "{:?}", decided.analysis.unmeasured);
}

#[test]
fn a_part_that_a_service_does_not_tell_is_said_and_the_rules_go_on_without() {
    let shop = Shop::auto();
    *shop.caching.lock().unwrap() = Caching { lookups: (60.0, 40.0), refuses: None, is_managed: true };
    let (_, decided) = run(&shop);
    assert_eq!(of_caches(&decided).len(), 1);
    let told = |says: &str| decided.analysis.unmeasured.iter().any(|what| what.starts_with(says));
    assert!(
        told("settings of carts") && told("of carts: other nodes of the cluster"),
        "{:?}",
        decided.analysis.unmeasured
    );
}

#[test]
fn an_application_with_nothing_but_a_cache_is_looked_at_and_nothing_is_changed() {
    let shop = Shop::with_cache_alone();
    shop.caching.lock().unwrap().lookups = (60.0, 40.0);
    let (state, decided) = run(&shop);
    assert!(shop.world.ledger().is_empty(), "nothing is changed");
    assert_eq!(of_caches(&decided).len(), 1, "{state}");
    assert!(decided.plan.changes.is_empty() && decided.bottlenecks.is_empty());
}
