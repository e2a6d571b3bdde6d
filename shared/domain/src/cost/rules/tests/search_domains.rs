//! Search domains that nobody asks.

use super::{claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{Live, SearchDomain, SearchNodes, SearchStorage};

const RULE: &str = "idle_search_domain";

fn nodes(node_type: &str, count: u32) -> SearchNodes {
    SearchNodes { node_type: node_type.to_owned(), count }
}

/// Two nodes with 100 GiB each and three dedicated masters.
fn domain(change: impl Fn(&mut SearchDomain)) -> Item {
    let mut live = SearchDomain {
        client: "111122223333".to_owned(),
        engine: "OpenSearch_2.19".to_owned(),
        nodes: vec![nodes("r6g.large.search", 2), nodes("m6g.large.search", 3)],
        storage: Some(SearchStorage { volume_type: "gp3".to_owned(), size_gib: 200 }),
        is_steady: true,
        has_warm: false,
    };
    change(&mut live);
    item("domain/logs", Live::SearchDomain(live))
}

fn asked(it: &Item, searches: f64, indexings: f64) -> Vec<Usage> {
    vec![
        history(it, Quantity::Searches, move |_| Some(searches)),
        history(it, Quantity::Indexings, move |_| Some(indexings)),
    ]
}

fn is_idle(it: &Item, usage: Vec<Usage>) -> bool {
    claims(RULE, vec![it.clone()], usage)
}

fn saving(it: Item) -> Observed<Saving> {
    let usage = asked(&it, 0.0, 0.0);
    found(vec![it], usage).remove(0).saving
}

#[test]
fn a_domain_is_idle_without_a_search_and_an_index_operation_in_any_hour_of_whole_histories() {
    let it = domain(|_| ());
    for (searches, indexings, is_found) in [(0.0, 0.0, true), (0.1, 0.0, false), (0.0, 0.1, false)] {
        assert_eq!(is_idle(&it, asked(&it, searches, indexings)), is_found, "{searches} {indexings}");
    }
    for (quantity, other) in [(Quantity::Searches, Quantity::Indexings), (Quantity::Indexings, Quantity::Searches)] {
        let with = |usage: Usage| is_idle(&it, vec![usage, history(&it, other, |_| Some(0.0))]);
        assert!(!with(history(&it, quantity, |hour| Some(if hour == 100 { 1.0 } else { 0.0 }))), "once");
        assert!(!with(unread(&it, quantity)) && !with(history(&it, quantity, |_| None)), "not known is not unused");
        for (hours, is_found) in [(14 * 24, true), (14 * 24 - 1, false)] {
            let young = history(&it, quantity, move |hour| (hour >= 720 - hours).then_some(0.0));
            assert_eq!(with(young), is_found, "{quantity:?} {hours}");
        }
        assert!(!is_idle(&it, vec![history(&it, other, |_| Some(0.0))]), "{quantity:?} was not asked for");
    }
}

#[test]
fn a_domain_that_is_changed_or_kept_is_not_idle() {
    let it = domain(|of| of.is_steady = false);
    assert!(!is_idle(&it, asked(&it, 0.0, 0.0)));
    for (key, value) in [("purpose", "disaster recovery"), ("maintainer:protected", "true")] {
        let it = tagged(domain(|_| ()), key, value);
        assert!(!is_idle(&it, asked(&it, 0.0, 0.0)), "{key}");
    }
}

#[test]
fn an_idle_domain_saves_all_its_nodes_and_at_most_their_volumes() {
    // (2 x 0.20 + 3 x 0.15 USD) x 730 h, 200 GiB x 0.14 USD.
    let expected = Saving { low: UsdMicros(620_500_000), likely: UsdMicros(634_500_000), high: UsdMicros(648_500_000) };
    assert_eq!(saving(domain(|_| ())), Observed::Known(expected));
    let hours = Observed::Known(Saving::exactly(UsdMicros(620_500_000)));
    assert_eq!(saving(domain(|of| of.storage = None)), hours);
    let io1 = |of: &mut SearchDomain| of.storage = Some(SearchStorage { volume_type: "io1".to_owned(), size_gib: 9 });
    assert_eq!(saving(domain(io1)), hours, "its price is not known");
    // 2 x 0.28 USD x 730 h more.
    let warm = saving(domain(|of| of.nodes.push(nodes("ultrawarm1.medium.search", 2))));
    assert_eq!(warm.known().unwrap().low, UsdMicros(620_500_000 + 408_800_000));
    assert!(saving(domain(|of| of.nodes.push(nodes("x9.large.search", 1)))).is_missing(), "without a price no amount");
}

#[test]
fn a_domain_can_t_be_stopped_so_a_snapshot_comes_before_its_deletion() {
    let what = |it: Item| {
        let usage = asked(&it, 0.0, 0.0);
        let one = found(vec![it], usage).remove(0);
        assert!(one.way_back.contains("can't be stopped") && one.way_back.contains("endpoint is another"), "{one:?}");
        match one.remedy {
            Remedy::Advice { what } => what,
            other => panic!("{other:?}"),
        }
    };
    let plain = what(domain(|_| ()));
    assert!(plain.find("_snapshot/last/all").unwrap() < plain.find("delete-domain --domain-name 'logs'").unwrap());
    assert!(!plain.contains("warm") && what(domain(|of| of.has_warm = true)).contains("warm or cold storage"));
}

#[test]
fn the_bill_calls_nodes_without_the_name_of_the_service() {
    let of = |kind: &str| Sold::SearchHour(kind.to_owned()).usage_type();
    assert_eq!(of("r6g.large.search"), "ESInstance:r6g.large");
    assert_eq!(of("m5.large.elasticsearch"), "ESInstance:m5.large");
    assert_eq!(Sold::SearchGib("gp3".to_owned()).usage_type(), "ES:GP3-Storage");
}
