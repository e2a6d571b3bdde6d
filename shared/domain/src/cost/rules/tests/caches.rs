//! Caches that nobody asks, or that are too large.

use super::{claims, tagged};
use crate::cost::estate::{Item, Template};
use crate::cost::fixture::{found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy, Saving};
use crate::cost::terms::{CacheTerms, Terms};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{Cache, Live};

fn cache(name: &str, engine: &str, change: impl FnOnce(&mut CacheTerms)) -> Item {
    let mut terms = CacheTerms {
        is_available: true,
        node_type: "cache.r6g.xlarge".to_owned(),
        nodes: 1,
        group: None,
        peers: Vec::new(),
        is_global: false,
    };
    change(&mut terms);
    let (host, port, tls, nodes) = (String::new(), 6_379, false, Vec::new());
    let live = Live::Cache(Cache { engine: engine.to_owned(), host, port, tls, nodes });
    Item { terms: Some(Terms::Cache(terms)), ..item(&format!("cache/{name}"), live) }
}

fn redis(change: impl FnOnce(&mut CacheTerms)) -> Item {
    cache("shop", "redis", change)
}

fn group(peers: [&str; 2]) -> [Item; 2] {
    let member = |name: &str, peer: &str| {
        cache(name, "redis", |terms| (terms.group, terms.peers) = (Some("shop".to_owned()), vec![peer.to_owned()]))
    };
    [member(peers[0], peers[1]), member(peers[1], peers[0])]
}

/// Every hour the same.
fn each_hour(it: &Item, levels: &[(Quantity, f64)]) -> Vec<Usage> {
    levels.iter().map(|(quantity, level)| history(it, *quantity, |_| Some(*level))).collect()
}

fn asked(it: &Item, connections: f64, commands: f64) -> Vec<Usage> {
    each_hour(it, &[(Quantity::Connections, connections), (Quantity::Commands, commands)])
}

#[test]
fn a_cache_is_idle_without_a_command_and_with_the_connections_of_the_service_alone() {
    for (engine, connections, commands, is_found) in [
        ("redis", 4.0, 0.0, true),
        ("redis", 5.0, 0.0, false),
        ("redis", 4.0, 1.0, false),
        ("memcached", 20.0, 0.0, true),
        ("memcached", 20.0, 1.0, false),
    ] {
        let it = cache("shop", engine, |_| ());
        let usage = asked(&it, connections, commands);
        assert_eq!(claims("idle_cache", vec![it], usage), is_found, "{engine} {connections} {commands}");
    }
    for quantity in [Quantity::Connections, Quantity::Commands] {
        let it = redis(|_| ());
        let usage = asked(&it, 3.0, 0.0).into_iter().filter(|one| one.quantity != quantity);
        assert!(!claims("idle_cache", vec![it.clone()], usage.chain([unread(&it, quantity)]).collect()));
    }
    type Change = fn(&mut CacheTerms);
    let cases: [Change; 2] = [|of| of.is_global = true, |of| of.is_available = false];
    let unlike = cases.into_iter().map(redis).chain([tagged(redis(|_| ()), "role", "standby")]);
    for it in unlike {
        let usage = asked(&it, 3.0, 0.0);
        assert!(!claims("idle_cache", vec![it], usage));
    }
}

#[test]
fn a_group_is_idle_with_all_its_nodes_and_is_told_once() {
    let both = group(["shop-1", "shop-2"]);
    let found = |second: f64| {
        let usage = asked(&both[0], 3.0, 0.0).into_iter().chain(asked(&both[1], 3.0, second)).collect();
        let mut found = found(both.to_vec(), usage);
        found.retain(|one| one.rule.as_str() == "idle_cache");
        found
    };
    assert!(found(1.0).is_empty());
    let idle = found(0.0);
    assert_eq!((idle.len(), idle[0].name.as_str()), (1, "shop"));
    // Two nodes, 0.494 USD x 730 h.
    assert_eq!(idle[0].saving, Observed::Known(Saving::exactly(UsdMicros(721_240_000))));
    let what = |one: &Opportunity| match &one.remedy {
        Remedy::Advice { what } => what.clone(),
        other => panic!("{other:?}"),
    };
    assert!(what(&idle[0]).contains("--replication-group-id shop --final-snapshot-identifier shop-final"));
    let usage = asked(&both[0], 3.0, 0.0);
    assert!(!claims("idle_cache", vec![both[0].clone()], usage), "the other node is not known");
}

fn loaded(it: &Item, cpu: f64, memory: f64) -> Vec<Usage> {
    each_hour(it, &[(Quantity::CpuPct, cpu), (Quantity::MemoryPct, memory)])
}

#[test]
fn a_cache_is_too_large_when_the_smaller_type_carries_the_fullest_node() {
    for (cpu, memory, is_found) in [(29.9, 37.5, true), (30.0, 20.0, false), (10.0, 37.6, false)] {
        let it = redis(|_| ());
        let usage = loaded(&it, cpu, memory);
        assert_eq!(claims("oversized_cache", vec![it], usage), is_found, "{cpu} {memory}");
    }
    let both = group(["shop-1", "shop-2"]);
    for (second, is_found) in [(20.0, true), (31.0, false)] {
        let usage = loaded(&both[0], 5.0, 5.0).into_iter().chain(loaded(&both[1], second, 5.0)).collect();
        assert_eq!(claims("oversized_cache", both.to_vec(), usage), is_found, "{second}");
    }
    for (node_type, is_found) in [
        ("cache.r6g.large", false),
        ("cache.r6gd.xlarge", false),
        ("cache.c7gn.xlarge", false),
        ("cache.t4g.micro", false),
        ("cache.t4g.small", true),
        ("cache.m5.24xlarge", true),
    ] {
        let it = redis(|terms| node_type.clone_into(&mut terms.node_type));
        let usage = loaded(&it, 4.0, 4.0);
        assert_eq!(claims("oversized_cache", vec![it], usage), is_found, "{node_type}");
    }
    // A third of the size: 25 % become 75 %, 26 % become 78 %.
    for (memory, is_found) in [(25.0, true), (26.0, false)] {
        let it = redis(|terms| "cache.r5.12xlarge".clone_into(&mut terms.node_type));
        let usage = loaded(&it, 4.0, memory);
        assert_eq!(claims("oversized_cache", vec![it], usage), is_found, "{memory}");
    }
}

#[test]
fn a_smaller_type_is_a_command_or_a_patch_of_the_group() {
    let one = |managed_by: Option<Template>| {
        let both = group(["shop-1", "shop-2"]).map(|it| Item { managed_by: managed_by.clone(), ..it });
        let usage = both.iter().flat_map(|it| loaded(it, 5.0, 5.0)).collect();
        found(both.to_vec(), usage).remove(0)
    };
    let advice = one(None);
    // Half of what two nodes cost.
    assert_eq!(advice.saving, Observed::Known(Saving::exactly(UsdMicros(360_620_000))));
    assert!(matches!(&advice.remedy, Remedy::Advice { what }
        if what.contains("modify-replication-group --replication-group-id shop --cache-node-type cache.r6g.large")));
    let stack = Template::CloudFormation { stack: "shop".to_owned(), logical_id: "Cache".to_owned() };
    let Remedy::Patch { text } = one(Some(stack)).remedy else { panic!("a patch") };
    assert!(text.contains("AWS::ElastiCache::ReplicationGroup") && text.contains("CacheNodeType: cache.r6g.large"));
    let Remedy::Patch { text } = one(Some(Template::Terraform { tag: "t".to_owned() })).remedy else {
        panic!("a patch")
    };
    assert!(text.contains("\"aws_elasticache_replication_group\"") && text.contains("node_type = \"cache.r6g.large\""));
}
