//! Every test and scenario that a promise names is there.

use crate::repository;
use maintainer_tests::promises::PROMISES;
use std::collections::BTreeSet;

#[test]
fn the_promises_are_one_to_twenty_one() {
    let ids: Vec<&str> = PROMISES.iter().map(|promise| promise.id).collect();
    assert_eq!(ids, (1..=21).map(|number| format!("P{number}")).collect::<Vec<_>>());
}

#[test]
fn what_holds_a_promise_is_there() {
    let sources = ["shared", "functions", "tests"].map(|folder| repository::all_texts(folder, ".rs")).concat();
    let scenarios: BTreeSet<String> = repository::names("tests/scenarios", ".yaml").into_iter().collect();
    for promise in &PROMISES {
        for name in promise.held_by {
            let is_test = sources.contains(&format!("fn {name}("))
                || sources.contains(&format!("\"{name}\".to_owned()"))
                || sources.contains(&format!("examined(\"{name}\""));
            assert!(is_test || scenarios.contains(&format!("{name}.yaml")), "{}: there is no {name}", promise.id);
        }
        for name in promise.counts {
            let counts = ["Proof::begin(", "sweep(", "sweep(\n        "].map(|by| format!("{by}\"{name}\""));
            assert!(counts.iter().any(|by| sources.contains(by)), "{}: nobody counts {name}", promise.id);
            assert!(!promise.held_by.is_empty(), "{}", promise.id);
        }
        assert!(!promise.held_by.is_empty() || !promise.open.is_empty(), "{} is neither held nor open", promise.id);
    }
}
