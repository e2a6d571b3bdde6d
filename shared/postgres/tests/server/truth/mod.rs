//! How true the rules are: databases that are broken in known ways, between things that only look so, on a real server. What is found is
//! compared with what was broken.

mod ailments;
mod bench;

use crate::shop::{Now, USERS};
use bench::Bench;
use domain::observed::Observed;
use domain::performance::vitals::Vitals;
use domain::performance::{Policy, Sample, Seen, Work, find, window};
use engine::ports::Databases as _;
use maintainer_postgres::Databases;
use std::collections::{BTreeMap, BTreeSet};

/// Seeds: of the first everything is broken that can be together, of the second the numbers of transactions run out.
const SEEDS: [u64; 4] = [1, 2, 3, 4];
/// What the tests can make on a server in seconds; a name of a rule that is not among them has unit tests only.
const RULES: [&str; 20] = [
    "autovacuum_lag",
    "autovacuum_off",
    "blocked_sessions",
    "checkpoints_requested",
    "connections_near_limit",
    "correlated_subquery",
    "deadlocks",
    "idle_in_transaction",
    "invalid_index",
    "long_transaction",
    "low_cache_hit",
    "many_small_lookups",
    "redundant_index",
    "sequence_overflow",
    "stale_statistics",
    "stuck_slot",
    "temp_files",
    "unbounded_result",
    "unused_index",
    "wide_select",
];

/// Rule and resource of a finding.
type Fact = (String, String);

/// Bounds of a window of seconds in place of one of minutes; the others are the defaults.
fn policy() -> Policy {
    Policy {
        idle_in_transaction_s: 1,
        long_transaction_s: 1,
        blocked_s: 1,
        slot_bytes_max: 8_388_608.0,
        temp_bytes_hour_max: 1e9,
        lookups_per_s_max: 20.0,
        heavy_query_pct: 0.1,
        slow_query_ms: 1.0,
        star_bytes_hour_max: 1e9,
        ..Policy::default()
    }
}

/// What the adapter sees and the rules make of it, and what was broken.
async fn examined(seed: u64) -> (BTreeSet<Fact>, BTreeSet<Fact>) {
    let mut bench = Bench::open(seed).await;
    ailments::before(&mut bench).await;
    let configured = bench.shop.databases.clone();
    let databases = Databases::new(&configured, &USERS, &Now);
    let first = databases.sample("orders", false).await.unwrap();
    let opened = databases.look("orders").await.unwrap();
    assert_eq!(opened.missing(), [], "everything can be read");
    ailments::meanwhile(&mut bench).await;
    bench.wait().await;
    let closed = databases.look("orders").await.unwrap();
    let second: Sample = databases.sample("orders", true).await.unwrap();
    let catalog = databases.catalog("orders").await.unwrap();
    let window = window(&first, &second);
    let window = window.known().unwrap();
    let work = window.statements.iter().filter_map(|used| {
        let shape = sql::shape(&used.text).ok()?;
        Some(Work { used: used.clone(), shape })
    });
    let work: Vec<Work> = work.collect();
    let vitals = Vitals { opened: Observed::Known(opened), closed: Observed::Known(closed) };
    let seen = Seen {
        database: "orders",
        catalog: &catalog,
        work: &work,
        window_s: window.seconds,
        vitals: &vitals,
        counted_days: Some(90.0),
        has_replica: false,
    };
    let findings = find(&seen, &policy());
    for finding in &findings {
        println!("  seed {seed}: {} [{}] {}", finding.rule, finding.severity, finding.summary);
    }
    let found = findings.iter().map(|finding| (finding.rule.to_string(), finding.resource.to_string())).collect();
    (found, bench.expected())
}

#[tokio::test]
async fn what_is_broken_is_found_and_what_only_looks_so_is_not() {
    #[allow(clippy::disallowed_methods, reason = "a seed that failed is replayed by setting it")]
    let replayed = std::env::var("MAINTAINER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = replayed.map_or(SEEDS.to_vec(), |seed| vec![seed]);
    let mut tally: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for seed in &seeds {
        let (found, expected) = examined(*seed).await;
        for fact in found.union(&expected) {
            let at = match (found.contains(fact), expected.contains(fact)) {
                (true, true) => 0,
                (true, false) => 1,
                _ => 2,
            };
            tally.entry(fact.0.clone()).or_default()[at] += 1;
            if at > 0 {
                wrong.push(format!(
                    "seed {seed}: {} {fact:?}",
                    ["", "not broken, but found", "broken, but not found"][at]
                ));
            }
        }
    }
    println!("{:<24}{:>8}{:>11}{:>8}", "rule", "broken", "precision", "recall");
    for (rule, [right, false_ones, missed]) in &tally {
        let share = |of: usize| if right + of == 0 { 0.0 } else { *right as f64 / (right + of) as f64 };
        println!("{rule:<24}{:>8}{:>11.2}{:>8.2}", right + missed, share(*false_ones), share(*missed));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let all = RULES.iter().chain(&["wraparound"]);
    let never: Vec<_> = all.filter(|rule| !tally.contains_key(**rule)).collect();
    assert!(replayed.is_some() || never.is_empty(), "never broken: {never:?}");
}
