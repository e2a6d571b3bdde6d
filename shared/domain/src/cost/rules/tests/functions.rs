//! Functions that are given too much memory.

use super::{claims, tagged};
use crate::cost::estate::{Item, Template};
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy};
use crate::cost::terms::{FunctionTerms, Terms};
use crate::cost::usage::{Quantity, Usage};
use crate::resource::{Live, PROTECTED_TAG};

const RULE: &str = "oversized_function";

fn function(change: impl FnOnce(&mut FunctionTerms)) -> Item {
    let mut terms = FunctionTerms {
        memory_mb: 1_024,
        timeout_s: 30,
        is_arm: false,
        changed_at: Some(days_ago(100)),
        may_have_insights: true,
        is_provisioned: false,
        has_own_capacity: false,
    };
    change(&mut terms);
    Item { terms: Some(Terms::Function(terms)), created_at: None, ..item("function/resize", Live::Function) }
}

/// What each hour has of everything that is measured.
const HOURLY: [(Quantity, f64); 6] = [
    (Quantity::Invocations, 10_000.0),
    (Quantity::LongestMs, 4_000.0),
    (Quantity::BusyMs, 5_000_000.0),
    (Quantity::UsedMb, 200.0),
    (Quantity::GivenMb, 1_024.0),
    (Quantity::CpuMs, 100_000.0),
];

/// All of them in the hours that `is_used` names, with one of them at another level.
fn used_at(it: &Item, other: (Quantity, f64), is_used: impl Fn(i64) -> bool) -> Vec<Usage> {
    let level = |(quantity, level)| if quantity == other.0 { other.1 } else { level };
    HOURLY.into_iter().map(|of| history(it, of.0, |hour| is_used(hour).then_some(level(of)))).collect()
}

fn used(it: &Item, other: (Quantity, f64)) -> Vec<Usage> {
    used_at(it, other, |_| true)
}

fn is_found(change: impl FnOnce(&mut FunctionTerms), other: (Quantity, f64)) -> bool {
    let it = function(change);
    let usage = used(&it, other);
    claims(RULE, vec![it], usage)
}

const AS_IS: (Quantity, f64) = (Quantity::UsedMb, 200.0);

#[test]
fn a_function_is_too_large_when_its_peak_and_its_longest_invocation_fit_half_of_it() {
    assert!(is_found(|_| (), AS_IS));
    // 40 % of 1,024 MB.
    for (mb, is) in [(409.5, true), (409.6, false)] {
        assert_eq!(is_found(|_| (), (Quantity::UsedMb, mb)), is, "{mb} MB");
    }
    // There is nothing below 128 MB, and half of 256 is just that.
    for (memory, mb, is) in [(128, 20.0, false), (256, 96.0, true), (256, 96.1, false)] {
        let it = function(|terms| terms.memory_mb = memory);
        let given = f64::from(memory);
        let mut usage = used(&it, (Quantity::GivenMb, given));
        usage.retain(|one| one.quantity != Quantity::UsedMb);
        usage.push(history(&it, Quantity::UsedMb, |_| Some(mb)));
        // A processor's share of 128 MB is small.
        usage.retain(|one| one.quantity != Quantity::CpuMs);
        usage.push(history(&it, Quantity::CpuMs, |_| Some(10_000.0)));
        assert_eq!(claims(RULE, vec![it], usage), is, "{mb} of {memory} MB");
    }
    // 80 % of 30 s are 24 s: up to 21 s a larger size than the half would do, 896 MB at least.
    for (longest, is) in [(12_000.0, true), (21_000.0, true), (21_001.0, false)] {
        assert_eq!(is_found(|_| (), (Quantity::LongestMs, longest)), is, "{longest} ms");
    }
    // busy grows by cpu x (1,769 / 512 - 1,769 / 1,024), at most by a tenth of 5,000 s.
    for (cpu, is) in [(289_428.0, true), (289_430.0, false), (2_900_000.0, false)] {
        assert_eq!(is_found(|_| (), (Quantity::CpuMs, cpu)), is, "{cpu} ms");
    }
}

#[test]
fn a_function_that_is_paid_otherwise_or_kept_makes_no_claim() {
    type Change = fn(&mut FunctionTerms);
    let cases: [Change; 3] =
        [|of| of.is_provisioned = true, |of| of.has_own_capacity = true, |of| of.may_have_insights = false];
    for change in cases {
        assert!(!is_found(change, AS_IS));
    }
    for (key, value) in [(PROTECTED_TAG, "true"), ("role", "standby")] {
        let it = tagged(function(|_| ()), key, value);
        let usage = used(&it, AS_IS);
        assert!(!claims(RULE, vec![it], usage));
    }
}

#[test]
fn a_history_that_is_short_seldom_or_of_another_size_makes_no_claim() {
    // 720 hours.
    for (an_hour, is) in [(1.4, true), (1.388, false)] {
        assert_eq!(is_found(|_| (), (Quantity::Invocations, an_hour)), is, "{an_hour} invocations an hour");
    }
    for (given, is) in [(1_024.0, true), (1_023.0, false), (2_048.0, false)] {
        assert_eq!(is_found(|_| (), (Quantity::GivenMb, given)), is, "{given} MB");
    }
    // Young by its last change, unless it is known for longer; used by day alone, it is known for 240 hours.
    let by_day = |hour: i64| hour % 24 < 8;
    type IsUsed = fn(i64) -> bool;
    let cases: [(i64, IsUsed, bool); 6] = [
        (14, by_day, true),
        (13, by_day, false),
        (13, |hour| hour >= 720 - 336, true),
        (13, |hour| hour >= 720 - 335, false),
        (100, |hour| hour < 720 - 167, true),
        (100, |hour| hour < 720 - 169, false),
    ];
    for (number, (days, is_used, is)) in cases.into_iter().enumerate() {
        let it = function(|terms| terms.changed_at = Some(days_ago(days)));
        let usage = used_at(&it, AS_IS, is_used);
        assert_eq!(claims(RULE, vec![it], usage), is, "case {number}");
    }
    for (quantity, _) in HOURLY {
        let it = function(|_| ());
        let mut usage = used(&it, AS_IS);
        usage.retain(|one| one.quantity != quantity);
        assert!(!claims(RULE, vec![it.clone()], usage.clone()), "{quantity:?} was not asked for");
        usage.push(unread(&it, quantity));
        assert!(!claims(RULE, vec![it], usage), "{quantity:?} was not read");
    }
    // Lambda Insights may be late by two hours, no more.
    for (from, is) in [(2, true), (3, false)] {
        let it = function(|_| ());
        let mut usage = used(&it, AS_IS);
        usage.retain(|one| one.quantity != Quantity::UsedMb);
        usage.push(history(&it, Quantity::UsedMb, |hour| (hour >= from).then_some(200.0)));
        assert_eq!(claims(RULE, vec![it], usage), is, "the first {from} hours were not measured");
    }
}

fn one(managed_by: Option<Template>) -> Opportunity {
    let it = Item { managed_by, ..function(|_| ()) };
    let usage = used(&it, AS_IS);
    found(vec![it], usage).remove(0)
}

#[test]
fn the_saving_is_between_nothing_and_an_unchanged_duration() {
    let found = one(None);
    // 5,000 s an hour x 730 h x 0.5 GB less x 16.6667 millionths: 30.416727 USD at most.
    let saving = *found.saving.known().unwrap();
    assert_eq!((saving.low, saving.high), (UsdMicros(0), UsdMicros(30_416_727)));
    // 100 s of CPU an hour become 172.754 s more: 730 h x 172.754 s x 0.5 GB x 16.6667 = 1.050922 USD less.
    assert_eq!(saving.likely, UsdMicros(29_365_806));
    let Remedy::Advice { what } = &found.remedy else { panic!("{found:?}") };
    assert!(what.starts_with("aws lambda update-function-configuration --function-name resize --memory-size 512\n"));
    assert!(
        what.contains("0.29 of a processor") && what.contains("used_memory_max") && what.contains("100 %"),
        "{what}"
    );
    assert!(found.way_back.ends_with("--memory-size 1024"), "{}", found.way_back);
    let stack = Template::CloudFormation { stack: "shop".to_owned(), logical_id: "Resize".to_owned() };
    assert!(matches!(one(Some(stack)).remedy, Remedy::Advice { what } if what.contains("do it in the template")));
}

#[test]
fn what_computes_all_the_time_is_predicted_to_cost_as_much_in_half_the_size() {
    let policy = crate::cost::policy::Policy { performance_loss_pct_max: 100.0, ..Default::default() };
    let it = function(|_| ());
    // One thread at 1,024 / 1,769 of a processor.
    let usage = used(&it, (Quantity::CpuMs, 5_000_000.0 * 1_024.0 / 1_769.0));
    let estate = crate::cost::Estate { items: vec![it], usage, ..crate::cost::fixture::estate() };
    let found = super::super::find(&estate, &policy, &crate::cost::fixture::prices());
    assert!(found.is_empty(), "nothing is likely to be saved: {found:?}");
}
