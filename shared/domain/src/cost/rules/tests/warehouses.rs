//! Warehouses that nobody asks.

use super::{claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{Live, Warehouse};

const RULE: &str = "idle_warehouse";

fn warehouse(change: impl Fn(&mut Warehouse)) -> Item {
    let mut live = Warehouse {
        node_type: "ra3.xlplus".to_owned(),
        nodes: 2,
        is_available: true,
        is_multi_az: false,
        is_shared: false,
    };
    change(&mut live);
    item("cluster/facts", Live::Warehouse(live))
}

/// Connections in each hour, and no query that completed.
fn asked(it: &Item, connections: f64) -> Vec<Usage> {
    vec![history(it, Quantity::Connections, move |_| Some(connections)), history(it, Quantity::Queries, |_| None)]
}

fn is_idle(it: &Item, usage: Vec<Usage>) -> bool {
    claims(RULE, vec![it.clone()], usage)
}

#[test]
fn a_warehouse_is_idle_without_a_connection_and_a_query_in_any_hour_of_a_whole_history() {
    let it = warehouse(|_| ());
    assert!(is_idle(&it, asked(&it, 0.0)) && !is_idle(&it, asked(&it, 1.0)));
    let with = |connections: Usage, queries: Usage| is_idle(&it, vec![connections, queries]);
    let none = || history(&it, Quantity::Connections, |_| Some(0.0));
    let once = |quantity, value: f64| history(&it, quantity, move |hour| Some(if hour == 100 { value } else { 0.0 }));
    assert!(!with(once(Quantity::Connections, 1.0), history(&it, Quantity::Queries, |_| None)), "one connection");
    assert!(with(none(), once(Quantity::Queries, 0.0)) && !with(none(), once(Quantity::Queries, 0.01)), "one query");
    assert!(!with(none(), unread(&it, Quantity::Queries)), "not read is not unused");
    assert!(!with(unread(&it, Quantity::Connections), history(&it, Quantity::Queries, |_| None)));
    assert!(!is_idle(&it, vec![none()]), "queries were not asked for");
    for (hours, is_found) in [(14 * 24, true), (14 * 24 - 1, false), (0, false)] {
        let young = history(&it, Quantity::Connections, move |hour| (hour >= 720 - hours).then_some(0.0));
        assert_eq!(with(young, history(&it, Quantity::Queries, |_| None)), is_found, "{hours} hours");
    }
    let paused = history(&it, Quantity::Connections, |hour| (hour % 24 > 8).then_some(0.0));
    assert!(!with(paused, history(&it, Quantity::Queries, |_| None)), "paused each night");
}

#[test]
fn warehouses_that_others_read_or_that_wait_are_not_idle() {
    type Change = fn(&mut Warehouse);
    let cases: [Change; 3] = [|of| of.is_available = false, |of| of.is_multi_az = true, |of| of.is_shared = true];
    for change in cases {
        let it = warehouse(change);
        assert!(!is_idle(&it, asked(&it, 0.0)), "{it:?}");
    }
    for (key, value) in [("role", "standby"), ("maintainer:protected", "true")] {
        let it = tagged(warehouse(|_| ()), key, value);
        assert!(!is_idle(&it, asked(&it, 0.0)), "{key}");
    }
}

#[test]
fn an_idle_warehouse_is_paused_before_it_is_deleted_and_saves_its_nodes() {
    let it = warehouse(|_| ());
    let usage = asked(&it, 0.0);
    let one = found(vec![it], usage).remove(0);
    // 2 nodes x 1.20 USD x 730 h.
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(1_752_000_000))));
    let Remedy::Advice { what } = &one.remedy else { panic!("{one:?}") };
    let place = |text: &str| what.find(text).unwrap_or_else(|| panic!("{text} in {what}"));
    assert!(place("pause-cluster") < place("resume-cluster") && place("resume-cluster") < place("delete-cluster"));
    assert!(what.contains("--final-cluster-snapshot-identifier 'facts-final'"), "{what}");
    let unknown = warehouse(|of| of.node_type = "dc9.large".to_owned());
    let usage = asked(&unknown, 0.0);
    assert!(found(vec![unknown], usage).remove(0).saving.is_missing(), "without a price no amount");
}
