//! Log groups that keep their events for ever.

use super::{claims, tagged};
use crate::change::Action;
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, estate, history, item, prices, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy};
use crate::cost::policy::Policy;
use crate::cost::rules;
use crate::cost::usage::{Quantity, Usage};
use crate::resource::{Live, LogGroup};

const GIB: u64 = 1_073_741_824;

fn group(name: &str, gib: u64, retention_days: Option<u32>) -> Item {
    item(name, Live::LogGroup(LogGroup { retention_days, stored_bytes: gib * GIB }))
}

fn one(it: Item, usage: Vec<Usage>, log_retention_days: u32) -> Option<Opportunity> {
    let policy = Policy { log_retention_days, ..Policy::default() };
    let estate = crate::cost::Estate { items: vec![it], usage, ..estate() };
    rules::find(&estate, &policy, &prices()).pop()
}

#[test]
fn a_large_group_without_retention_gets_one() {
    let is = |it: Item| claims("log_retention", vec![it], vec![]);
    assert!(is(group("web", 100, None)) && !is(group("web", 100, Some(400))));
    assert!(!is(group("web", 9, None)), "not worth it");
    assert!(!is(group("aws-cloudtrail-logs", 100, None)) && !is(group("audit", 100, None)), "evidence");
    assert!(!is(tagged(group("web", 100, None), "legal-hold", "case 7")));
    let action = |days| match one(group("web", 100, None), vec![], days)?.remedy {
        Remedy::Change { action: Action::SetLogRetention { days, .. } } => Some(days),
        other => panic!("{other:?}"),
    };
    assert_eq!((action(90), action(91), action(0)), (Some(90), Some(120), Some(1)), "what CloudWatch Logs knows");
    assert_eq!(action(4_000), None, "longer than it knows");
}

#[test]
fn what_would_expire_is_what_is_saved() {
    let it = || group("web", 100, None);
    let saving = |it: Item, usage: Vec<Usage>| *one(it, usage, 90).unwrap().saving.known().unwrap();
    let cents = |gib: f64| UsdMicros(32_400).times(gib);
    // A year old: 275 of 365 days are behind the retention.
    let dead = saving(it(), vec![history(&it(), Quantity::LogBytes, |_| None)]);
    assert_eq!((dead.low, dead.likely, dead.high), (cents(100.0), cents(100.0), cents(100.0)), "nothing comes in");
    let unknown = saving(it(), vec![unread(&it(), Quantity::LogBytes)]);
    assert_eq!((unknown.low, unknown.likely, unknown.high), (cents(0.0), cents(100.0 * 275.0 / 365.0), cents(100.0)));
    // 10 MiB an hour are 21.1 GiB in 90 days, of which at least a tenth of half is stored.
    let steady = saving(it(), vec![history(&it(), Quantity::LogBytes, |_| Some(10.0 * 1_048_576.0))]);
    assert_eq!((steady.low, steady.high), (cents(100.0 - 21.09375), cents(100.0 - 1.0546875)));
    assert!(steady.low <= steady.likely && steady.likely <= steady.high);
    let young = Item { created_at: Some(days_ago(90)), ..it() };
    assert!(one(young, vec![], 90).is_none(), "nothing of it is older than the retention");
    let no_age = saving(Item { created_at: None, ..it() }, vec![]);
    assert_eq!((no_age.low, no_age.likely, no_age.high), (cents(0.0), cents(50.0), cents(100.0)));
}
