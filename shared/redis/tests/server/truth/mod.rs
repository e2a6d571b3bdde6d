//! How true the rules are: caches that are broken in known ways, beside ones that only look so, on real servers. What is found is compared
//! with what was broken. Swapping is not among it: no test can make a system swap, so that rule has unit tests alone.

mod ailments;
mod bench;
mod memory;

use std::collections::{BTreeMap, BTreeSet};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;
/// What must have been broken at least once.
const RULES: [&str; 12] = [
    "cache_big_keys",
    "cache_connections",
    "cache_evictions",
    "cache_fragmentation",
    "cache_hot_keys",
    "cache_keys_without_ttl",
    "cache_low_hit_rate",
    "cache_memory_near_limit",
    "cache_persistence",
    "cache_replica_lag",
    "cache_slow_commands",
    "cache_stampede",
];

/// Rule and resource of a finding.
type Fact = (String, String);
/// What was found, and what was to be.
type Outcome = (BTreeSet<Fact>, BTreeSet<Fact>);

/// All caches of a seed, four at a time. Each has numbers of its own.
async fn examined(seed: u64) -> Option<Vec<(&'static str, Outcome)>> {
    let of = |number: u64| seed * 100 + number;
    let mut all = Vec::new();
    let (one, two, three, four) = tokio::join!(
        ailments::lookups(of(0)),
        memory::evictions(of(1)),
        memory::limits(of(2)),
        ailments::copies(of(11))
    );
    all.extend([("lookups", one?), ("evictions", two?), ("limits", three?), ("copies", four?)]);
    let (one, two, three, four) = tokio::join!(
        memory::fragments(of(3)),
        memory::sizes(of(5)),
        memory::lives(of(7)),
        ailments::connections(of(9))
    );
    all.extend([("fragments", one?), ("sizes", two?), ("lives", three?), ("connections", four?)]);
    let (one, two, three, four) =
        tokio::join!(ailments::slowness(of(4)), ailments::heat(of(6)), ailments::ends(of(8)), ailments::disks(of(10)));
    all.extend([("slowness", one?), ("heat", two?), ("ends", three?), ("disks", four?)]);
    Some(all)
}

#[tokio::test]
async fn what_is_broken_is_found_and_what_only_looks_so_is_not() {
    #[allow(clippy::disallowed_methods, reason = "a seed that failed is replayed by setting it")]
    let replayed = std::env::var("MAINTAINER_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = replayed.map_or(SEEDS.collect(), |seed| vec![seed]);
    let mut tally: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let (mut wrong, mut sound) = (Vec::new(), 0);
    for seed in seeds {
        let Some(all) = examined(seed).await else { return };
        for (name, (found, expected)) in all {
            sound += usize::from(expected.is_empty());
            for fact in found.union(&expected) {
                let at = match (found.contains(fact), expected.contains(fact)) {
                    (true, true) => 0,
                    (true, false) => 1,
                    _ => 2,
                };
                tally.entry(fact.0.clone()).or_default()[at] += 1;
                if at > 0 {
                    let what = ["", "not broken, but found", "broken, but not found"][at];
                    wrong.push(format!("seed {seed}, {name}: {what} {fact:?}"));
                }
            }
        }
    }
    println!("{:<26}{:>8}{:>11}{:>8}", "rule", "broken", "precision", "recall");
    for (rule, [right, false_ones, missed]) in &tally {
        let share = |of: usize| if right + of == 0 { 0.0 } else { *right as f64 / (right + of) as f64 };
        println!("{rule:<26}{:>8}{:>11.2}{:>8.2}", right + missed, share(*false_ones), share(*missed));
    }
    println!("{sound} caches only looked so");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let never: Vec<_> = RULES.iter().filter(|rule| !tally.contains_key(**rule)).collect();
    assert!(replayed.is_some() || never.is_empty(), "never broken: {never:?}");
}
