//! Domains of OpenSearch and Elasticsearch.

use super::{Draft, HOURS, Made};
use domain::cost::usage::Quantity;
use domain::resource::{Live, SearchDomain, SearchNodes, SearchStorage};

const RULE: &str = "idle_search_domain";

fn nodes(node_type: &str, count: u32) -> SearchNodes {
    SearchNodes { node_type: node_type.to_owned(), count }
}

fn domain(made: &mut Made, change: impl Fn(&mut SearchDomain)) -> Draft {
    let count = made.rng.u32(1..7);
    let mut live = SearchDomain {
        client: "111122223333".to_owned(),
        engine: ["OpenSearch_2.19", "Elasticsearch_7.10"][made.rng.usize(0..2)].to_owned(),
        nodes: vec![nodes("r6g.large.search", count)],
        storage: Some(SearchStorage { volume_type: "gp3".to_owned(), size_gib: count * made.rng.u32(10..500) }),
        is_steady: true,
        has_warm: false,
    };
    change(&mut live);
    made.draft("es", "domain/", "search-", Live::SearchDomain(live)).created(None)
}

impl Draft {
    fn searched(
        self,
        made: &Made,
        searches: impl FnMut(i64) -> Option<f64>,
        indexings: impl FnMut(i64) -> Option<f64>,
    ) -> Self {
        self.history(made, Quantity::Searches, searches).history(made, Quantity::Indexings, indexings)
    }
}

fn none(_hour: i64) -> Option<f64> {
    Some(0.0)
}

pub(super) fn add(made: &mut Made) {
    let draft = domain(made, |_| ()).searched(made, none, none);
    made.waste(RULE, "of a search that was replaced", draft);
    let masters = |it: &mut SearchDomain| it.nodes.push(nodes("m6g.large.search", 3));
    let draft = domain(made, masters).searched(made, none, none);
    made.waste(RULE, "with dedicated masters", draft);
    let warm = |it: &mut SearchDomain| {
        it.nodes.push(nodes("ultrawarm1.medium.search", 2));
        (it.storage, it.has_warm) = (None, true);
    };
    let draft = domain(made, warm).searched(made, none, none);
    made.waste(RULE, "logs of a product that has ended, some of them warm", draft);

    let level = 0.1 + made.rng.f64() * 500.0;
    let draft = domain(made, |_| ()).searched(made, |_| Some(level), |_| Some(level));
    made.innocent(RULE, "in use", draft);
    let draft = domain(made, |_| ()).searched(made, none, |_| Some(level));
    made.innocent(RULE, "an archive that is written and not yet read", draft);
    let at = made.rng.i64(0..HOURS);
    let draft = domain(made, |_| ()).searched(made, |hour| Some(if hour == at { 1.0 } else { 0.0 }), none);
    made.innocent(RULE, "searched once a month", draft);
    let young = |hour: i64| (hour >= HOURS - 13 * 24).then_some(0.0);
    let draft = domain(made, |_| ()).searched(made, young, young);
    made.innocent(RULE, "too young", draft);
    let draft = domain(made, |it| it.is_steady = false).searched(made, none, none);
    made.innocent(RULE, "being upgraded", draft);
    let draft = domain(made, |_| ()).history(made, Quantity::Searches, none).unread(Quantity::Indexings);
    made.innocent(RULE, "index operations denied", draft);
    let draft = domain(made, |_| ()).unread(Quantity::Searches).history(made, Quantity::Indexings, none);
    made.innocent(RULE, "searches denied", draft);
    let draft = domain(made, |_| ()).searched(made, |_| None, none);
    made.innocent(RULE, "searches not published", draft);
    let draft = domain(made, |_| ()).searched(made, none, none);
    let draft = made.kept(draft);
    made.innocent(RULE, "kept, or on standby, by tag", draft);
}
