use super::super::bottlenecks::Bottleneck;
use super::super::plan::tests::bottleneck_on as bottleneck;
use super::super::plan::{Indexed, Past, Planning, plan};
use super::super::rules::fixture::{catalog, lookup};
use super::*;
use crate::ids::ExecutionId;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The catalog with a table of which so many of a million rows have changed.
fn changed(modified: f64) -> Catalog {
    let mut catalog = catalog();
    let table = catalog.tables.iter_mut().find(|table| table.name == "orders").unwrap();
    (table.rows, table.modified_since_analyze) = (1e6, modified);
    catalog
}

fn found(catalog: &Catalog, work: &[Work]) -> Vec<Stale> {
    let total = work.iter().map(|work| work.used.total_ms()).sum();
    stale("orders", catalog, work, total, &Policy::default())
}

#[test]
fn a_table_is_analyzed_where_a_fifth_has_changed_and_what_reads_it_is_slow_or_heavy() {
    let slow = lookup("customer_id", 50.0, 150.0);
    assert!(found(&changed(200_000.0), std::slice::from_ref(&slow)).is_empty(), "a fifth is borne");
    let one = &found(&changed(200_001.0), std::slice::from_ref(&slow))[0];
    assert_eq!(
        (one.table.as_str(), one.readers.as_slice(), one.before_ms),
        ("orders", [slow.used.id].as_slice(), 150.0)
    );
    let heavy = lookup("customer_id", 100_000.0, 2.0);
    assert_eq!(found(&changed(5e5), std::slice::from_ref(&heavy)).len(), 1, "all the time of the database");
}

#[test]
fn what_is_neither_slow_nor_heavy_what_is_rare_and_what_only_adds_rows_asks_for_nothing() {
    let quick = Work { used: Used { id: 2, ..lookup("id", 100.0, 2.0).used }, ..lookup("id", 100.0, 2.0) };
    let elsewhere = {
        let mut other = lookup("id", 100_000.0, 5.0);
        other.shape.scopes[0].relations[0].name = "items".to_owned();
        other
    };
    assert!(found(&changed(9e5), &[quick, elsewhere]).is_empty());
    assert!(found(&changed(9e5), &[lookup("customer_id", 19.0, 900.0)]).is_empty(), "asked nineteen times");
    let mut adds = lookup("customer_id", 5_000.0, 400.0);
    adds.shape.verb = Verb::Insert;
    assert!(found(&changed(9e5), &[adds]).is_empty());
    let mut parted = changed(9e5);
    parted.tables.iter_mut().for_each(|table| table.is_partitioned = true);
    assert!(found(&parted, &[lookup("customer_id", 50.0, 150.0)]).is_empty());
}

fn planned(bottlenecks: &[Bottleneck], stale: &[Stale], past: &[Past], now_s: i64) -> Indexed {
    plan(&Planning {
        bottlenecks,
        stale,
        touching: &BTreeMap::new(),
        rooms: &BTreeMap::new(),
        past,
        policy: &Policy::default(),
        run: (&ExecutionId::from("performance-2"), 1),
        now: Timestamp::from_second(now_s).unwrap(),
    })
}

#[test]
fn regression_a_table_that_may_not_be_analyzed_holds_up_no_index_but_its_own() {
    let stale = found(&changed(4e5), &[lookup("customer_id", 50.0, 150.0)]);
    let done = |indexed: &Indexed| -> Vec<String> {
        indexed.plan.changes.iter().map(|change| change.action.to_string()).collect()
    };
    let (own, other) = (bottleneck("orders", &["a"], 9.0), bottleneck("items", &["b"], 5.0));
    let indexed = planned(&[own.clone(), other], &stale, &[], 100);
    assert!(matches!(done(&indexed).as_slice(), [one] if one.contains("public.items")), "{:?}", done(&indexed));
    let indexed = planned(std::slice::from_ref(&own), &stale, &[], 100);
    assert_eq!(done(&indexed), ["analyze public.orders in orders"]);
    let told =
        indexed.plan.findings.iter().any(|finding| finding.summary.contains("new statistics of the table first"));
    assert!(told, "{:?}", indexed.plan.findings);
    let analyzed = Past {
        made_in: (ExecutionId::from("performance-1"), 1),
        resource: stale[0].resource_id(),
        verdict: None,
        at: Timestamp::UNIX_EPOCH,
    };
    let indexed = planned(&[own], &stale, &[analyzed], 100);
    assert!(matches!(done(&indexed).as_slice(), [one] if one.contains("public.orders")), "once a day is enough");
}

#[test]
fn it_is_planned_before_any_index_once_a_day_and_says_what_it_expects() {
    let stale = found(&changed(4e5), &[lookup("customer_id", 50.0, 150.0)]);
    let planned = |past: &[Past], now_s: i64| planned(&[], &stale, past, now_s);
    let first = planned(&[], 100);
    let change = &first.plan.changes[0];
    assert_eq!(change.action.to_string(), "analyze public.orders in orders");
    assert_eq!((change.expected.before, change.expected.after), (150.0, 120.0));
    assert_eq!(first.targets[0].readers, stale[0].readers);
    assert!(change.reason.starts_with("400000 of 1000000 rows (40 %) have changed"), "{}", change.reason);
    let past = Past {
        made_in: (ExecutionId::from("performance-1"), 1),
        resource: stale[0].resource_id(),
        verdict: None,
        at: Timestamp::UNIX_EPOCH,
    };
    let again = planned(std::slice::from_ref(&past), 86_399);
    assert!(again.plan.changes.is_empty() && again.plan.findings[0].summary.contains("look sooner"), "{again:?}");
    assert_eq!(planned(&[past], 86_401).plan.changes.len(), 1);
}
