//! Tables in the dearer capacity mode, or with too much capacity.

use super::{claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::terms::{TableTerms, Terms};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::Live;

const RULE: &str = "dynamodb_capacity_mode";

fn table(change: impl FnOnce(&mut TableTerms)) -> Item {
    let mut terms = TableTerms {
        is_active: true,
        is_on_demand: false,
        since: None,
        has_indexes: false,
        is_replicated: false,
        is_standard_class: true,
    };
    change(&mut terms);
    Item { terms: Some(Terms::Table(terms)), ..item("table/orders", Live::Table) }
}

fn on_demand(terms: &mut TableTerms) {
    terms.is_on_demand = true;
}

/// Units a second that are consumed each hour, of reads alone, and units that are provisioned of both.
fn usage(it: &Item, per_s: impl Fn(i64) -> f64 + Copy, provisioned: f64) -> Vec<Usage> {
    let capacity = |quantity| history(it, quantity, |_| Some(provisioned));
    let reads = history(it, Quantity::ReadUnits, |hour| Some(per_s(hour) * 3_600.0).filter(|units| *units > 0.0));
    let writes = history(it, Quantity::WriteUnits, |_| None);
    vec![reads, writes, capacity(Quantity::ReadCapacity), capacity(Quantity::WriteCapacity)]
}

#[test]
fn what_is_provisioned_and_hardly_used_costs_less_on_demand() {
    let it = table(|_| ());
    let used = usage(&it, |hour| if hour % 24 == 3 { 50.0 } else { 0.0 }, 100.0);
    let one = found(vec![it], used).remove(0);
    // Provisioned: 100 x (158.6 + 793) x 730 = 69.4668 USD, of which 25 units of each, 17.3667 USD, may be free. On demand:
    // 30 hours of 720 x 50 x 3,600 units x 730 / 720 x 0.1525 = 0.834938 USD; each week is like the other.
    let expected = Saving { low: UsdMicros(51_265_162), likely: UsdMicros(59_948_512), high: UsdMicros(68_631_862) };
    let Observed::Known(saving) = one.saving else { panic!("{one:?}") };
    for (is, expected) in [(saving.low, expected.low), (saving.likely, expected.likely), (saving.high, expected.high)] {
        assert!((is.0 - expected.0).abs() <= 5, "{saving:?}");
    }
    assert!(matches!(&one.remedy, Remedy::Advice { what } if what.contains("--billing-mode PAY_PER_REQUEST")));
    assert!(one.way_back.contains("ReadCapacityUnits=100,WriteCapacityUnits=100"), "{}", one.way_back);
}

#[test]
fn a_mode_is_changed_only_where_even_the_busiest_weeks_cost_less() {
    // 10,000 units of each cost 6,946.68 USD a month; a read a second on demand 0.40077 USD: 17,333 of them are as dear.
    let is = |per_s: fn(i64) -> f64| {
        let it = table(|_| ());
        let used = usage(&it, per_s, 10_000.0);
        claims(RULE, vec![it], used)
    };
    assert!(is(|_| 17_300.0) && !is(|_| 17_340.0));
    assert!(!is(|hour| if hour < 168 { 17_340.0 } else { 1.0 }), "one such week speaks against it");
}

#[test]
fn what_is_used_evenly_costs_less_provisioned() {
    let is = |per_s: fn(i64) -> f64| {
        let it = table(on_demand);
        let used = usage(&it, per_s, 0.0);
        claims(RULE, vec![it], used)
    };
    assert!(is(|_| 100.0));
    // Provisioned twice the peak, a unit costs 0.2316 USD a month, on demand 0.4008: a peak of 1.73 times the mean is as dear.
    assert!(is(|hour| if hour == 5 { 168.0 } else { 100.0 }));
    assert!(!is(|hour| if hour == 5 { 176.0 } else { 100.0 }));
    let it = table(on_demand);
    let one = found(vec![it.clone()], usage(&it, |_| 100.0, 0.0)).remove(0);
    // 100 x 3,600 x 730 x 0.1525 = 40.077 USD less (200 x 158.6 + 793) x 730 = 23.73449 USD.
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(16_342_510))));
}

#[test]
fn what_is_not_known_makes_no_claim() {
    let idle = |it: Item| {
        let used = usage(&it, |_| 0.0, 100.0);
        claims(RULE, vec![it], used)
    };
    assert!(idle(table(|_| ())));
    type Change = fn(&mut TableTerms);
    let cases: [Change; 4] = [
        |of| of.is_active = false,
        |of| of.has_indexes = true,
        |of| of.is_replicated = true,
        |of| of.is_standard_class = false,
    ];
    assert!(cases.into_iter().all(|change| !idle(table(change))));
    assert!(!idle(Item { created_at: Some(days_ago(13)), ..table(|_| ()) }));
    assert!(!idle(tagged(table(|_| ()), "role", "standby")));
    for (days, is_found) in [(14, true), (13, false)] {
        let it = table(|of| (of.is_on_demand, of.since) = (true, Some(days_ago(days))));
        let used = usage(&it, |_| 100.0, 0.0);
        assert_eq!(claims(RULE, vec![it], used), is_found, "{days}");
    }
    for quantity in [Quantity::ReadUnits, Quantity::WriteUnits, Quantity::ReadCapacity, Quantity::WriteCapacity] {
        let it = table(|_| ());
        let used = usage(&it, |_| 0.0, 100.0).into_iter().filter(|one| one.quantity != quantity);
        assert!(!claims(RULE, vec![it.clone()], used.chain([unread(&it, quantity)]).collect()), "{quantity:?}");
    }
}

const OVERSIZED: &str = "oversized_table";

/// As much of each.
fn both(it: &Item, per_s: impl Fn(i64) -> f64 + Copy, provisioned: impl Fn(i64) -> f64 + Copy) -> Vec<Usage> {
    let of = |quantity, units: &dyn Fn(i64) -> f64| history(it, quantity, |hour| Some(units(hour)));
    vec![
        of(Quantity::ReadUnits, &|hour| per_s(hour) * 3_600.0),
        of(Quantity::WriteUnits, &|hour| per_s(hour) * 3_600.0),
        of(Quantity::ReadCapacity, &provisioned),
        of(Quantity::WriteCapacity, &provisioned),
    ]
}

#[test]
fn twice_the_busiest_hour_is_enough_for_a_table_that_stays_provisioned() {
    let is = |per_s: fn(i64) -> f64, provisioned: fn(i64) -> f64| {
        let it = table(|_| ());
        let used = both(&it, per_s, provisioned);
        claims(OVERSIZED, vec![it], used)
    };
    let still = |_| 100.0;
    assert!(is(|_| 36.0, still) && is(|_| 49.0, still) && !is(|_| 49.6, still));
    assert!(!is(|hour| if hour == 500 { 60.0 } else { 36.0 }, still), "one busy hour");
    assert!(!is(|_| 36.0, |hour| if hour == 500 { 120.0 } else { 100.0 }), "it is scaled");
    assert!(!is(|_| 1.0, still), "on demand it would cost less");
    let it = table(on_demand);
    let used = both(&it, |_| 36.0, still);
    assert!(!claims(OVERSIZED, vec![it], used));
}

#[test]
fn what_is_given_for_nothing_may_be_all_of_it() {
    let it = table(|_| ());
    let used = both(&it, |_| 10.5, |_| 30.0);
    let one = found(vec![it], used).into_iter().find(|one| one.rule.as_str() == OVERSIZED).unwrap();
    // 9 units of each at (158.6 + 793) x 730 go, of which 5 are surely paid.
    let Observed::Known(saving) = one.saving else { panic!("{one:?}") };
    assert!((saving.high.0 - 6_252_012).abs() <= 2 && (saving.low.0 - 3_473_340).abs() <= 2, "{saving:?}");
    let command = "--provisioned-throughput ReadCapacityUnits=21,WriteCapacityUnits=21";
    assert!(matches!(&one.remedy, Remedy::Advice { what } if what.ends_with(command)), "{one:?}");
}
