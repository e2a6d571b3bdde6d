//! Databases that nobody uses, or that are too large.

use super::{claims, tagged};
use crate::cost::estate::{Item, Template};
use crate::cost::fixture::{found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::terms::{DatabaseTerms, Terms};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{Database, Live};

const GIB: f64 = 1_073_741_824.0;

/// A database of 100 GiB that is there for a year.
fn database(name: &str, class: &str, memory_gib: f64, change: impl FnOnce(&mut DatabaseTerms)) -> Item {
    let mut terms = DatabaseTerms {
        is_available: true,
        is_multi_az: false,
        storage_type: "gp3".to_owned(),
        storage_gib: Some(100),
        cluster: None,
        peers: Vec::new(),
        is_replica: false,
        has_replicas: false,
        has_deletion_protection: false,
    };
    change(&mut terms);
    let live = Live::Database(Database {
        engine: "postgres".to_owned(),
        instance_class: class.to_owned(),
        connections_max: None,
        storage_bytes: None,
        memory_bytes: Some(memory_gib * GIB),
    });
    Item { terms: Some(Terms::Database(terms)), ..item(&format!("db/{name}"), live) }
}

fn plain(change: impl FnOnce(&mut DatabaseTerms)) -> Item {
    database("shop", "db.m5.xlarge", 16.0, change)
}

fn connections(it: &Item, count: f64) -> Usage {
    history(it, Quantity::Connections, move |_| Some(count))
}

fn is_idle(it: Item, usage: Usage) -> bool {
    claims("idle_database", vec![it], vec![usage])
}

#[test]
fn a_database_is_idle_without_a_connection_in_any_hour_of_a_whole_history() {
    let it = plain(|_| ());
    assert!(is_idle(it.clone(), connections(&it, 0.0)));
    let once = history(&it, Quantity::Connections, |hour| Some(if hour == 100 { 1.0 } else { 0.0 }));
    assert!(!is_idle(it.clone(), once), "one connection");
    for (hours, is_found) in [(14 * 24, true), (14 * 24 - 1, false)] {
        let young = history(&it, Quantity::Connections, move |hour| (hour >= 720 - hours).then_some(0.0));
        assert_eq!(is_idle(it.clone(), young), is_found, "{hours} hours");
    }
    assert!(!is_idle(it.clone(), unread(&it, Quantity::Connections)), "not read is not unused");
    let silent = history(&it, Quantity::Connections, |_| None);
    assert!(!is_idle(it, silent), "one that publishes nothing does not run");
}

#[test]
fn replicas_and_their_sources_and_what_is_kept_are_not_idle() {
    type Change = fn(&mut DatabaseTerms);
    let cases: [Change; 3] = [|of| of.is_replica = true, |of| of.has_replicas = true, |of| of.is_available = false];
    for change in cases {
        let it = plain(change);
        let usage = connections(&it, 0.0);
        assert!(!is_idle(it, usage));
    }
    let it = tagged(plain(|_| ()), "role", "standby");
    let usage = connections(&it, 0.0);
    assert!(!is_idle(it, usage));
}

#[test]
fn an_instance_of_a_cluster_is_idle_with_all_others_of_it() {
    let member = |name: &str, peer: &str| {
        database(name, "db.m5.xlarge", 16.0, |terms| {
            (terms.cluster, terms.peers) = (Some("orders".to_owned()), vec![peer.to_owned()]);
        })
    };
    let (one, other) = (member("a", "b"), member("b", "a"));
    let claimed = |others: f64| {
        let usage = vec![connections(&one, 0.0), connections(&other, others)];
        let mut found = found(vec![one.clone(), other.clone()], usage);
        found.retain(|of| of.rule.as_str() == "idle_database");
        found
    };
    let idle = claimed(0.0);
    assert_eq!((idle.len(), claimed(3.0).len()), (2, 0));
    assert!(idle.iter().all(|one| one.saving.is_missing()), "a Multi-AZ cluster has prices of its own");
    let usage = connections(&one, 0.0);
    assert!(!is_idle(one, usage), "the other one is not known");
}

#[test]
fn what_an_idle_database_saves_lies_between_that_with_and_that_without_a_full_snapshot() {
    let it = plain(|terms| terms.has_deletion_protection = true);
    let usage = connections(&it, 0.0);
    let one = found(vec![it], vec![usage]).remove(0);
    // 0.400 USD x 730 h, 100 GiB x 0.137 USD, less 100 GiB x 0.103 USD.
    let expected = Saving { low: UsdMicros(295_400_000), likely: UsdMicros(300_550_000), high: UsdMicros(305_700_000) };
    assert_eq!(one.saving, Observed::Known(expected));
    let Remedy::Advice { what } = &one.remedy else { panic!("{one:?}") };
    assert!(
        what.contains("AWS starts it again after 7 days") && what.contains("--final-db-snapshot-identifier shop-final")
    );
    assert!(what.contains("--no-deletion-protection"), "{what}");
}

/// Levels of CPU in per cent, of free memory in GiB, and of connections.
fn levels(it: &Item, cpu: f64, free_gib: f64, peak: f64) -> Vec<Usage> {
    vec![
        history(it, Quantity::CpuPct, move |_| Some(cpu)),
        history(it, Quantity::FreeableBytes, move |hour| Some(if hour == 100 { free_gib } else { 16.0 } * GIB)),
        connections(it, peak),
    ]
}

fn is_oversized(it: Item, usage: Vec<Usage>) -> bool {
    claims("oversized_database", vec![it], usage)
}

#[test]
fn a_database_is_too_large_when_the_smaller_class_carries_cpu_memory_and_connections() {
    // 8 GiB accept 901 connections, of which 540 may be taken.
    for (cpu, free_gib, peak, is_found) in
        [(29.9, 10.0, 540.0, true), (30.0, 10.1, 40.0, false), (20.0, 9.9, 40.0, false), (20.0, 12.0, 541.0, false)]
    {
        let it = plain(|_| ());
        let usage = levels(&it, cpu, free_gib, peak);
        assert_eq!(is_oversized(it, usage), is_found, "{cpu} {free_gib} {peak}");
    }
}

#[test]
fn what_takes_over_from_another_keeps_its_size_and_so_does_what_is_not_known() {
    type Change = fn(&mut DatabaseTerms);
    let cases: [Change; 3] =
        [|of| of.is_replica = true, |of| of.has_replicas = true, |of| of.peers = vec!["b".to_owned()]];
    for change in cases {
        let it = plain(change);
        let usage = levels(&it, 10.0, 12.0, 10.0);
        assert!(!is_oversized(it, usage));
    }
    for quantity in [Quantity::CpuPct, Quantity::FreeableBytes, Quantity::Connections] {
        let it = plain(|_| ());
        let usage = levels(&it, 10.0, 12.0, 10.0).into_iter().filter(|one| one.quantity != quantity);
        assert!(!is_oversized(it.clone(), usage.chain([unread(&it, quantity)]).collect()), "{quantity:?}");
    }
    for (class, memory_gib) in
        [("db.m5.large", 8.0), ("db.r6g.large", 16.0), ("db.t3.micro", 1.0), ("db.x2g.xlarge", 64.0)]
    {
        let it = database("shop", class, memory_gib, |_| ());
        let usage = levels(&it, 2.0, memory_gib, 1.0);
        assert!(!is_oversized(it, usage), "{class} has no smaller one");
    }
}

#[test]
fn a_template_gets_the_smaller_class_as_a_patch_and_a_person_the_command() {
    let one = |managed_by: Option<Template>| {
        let it = Item { managed_by, ..plain(|_| ()) };
        let usage = levels(&it, 10.0, 12.0, 10.0);
        found(vec![it], usage).remove(0)
    };
    let advice = one(None);
    // Half of 0.400 USD x 730 h.
    assert_eq!(advice.saving, Observed::Known(Saving::exactly(UsdMicros(146_000_000))));
    assert!(matches!(&advice.remedy, Remedy::Advice { what } if what.contains("--db-instance-class db.m5.large")));
    let stack = Template::CloudFormation { stack: "shop".to_owned(), logical_id: "Db".to_owned() };
    let Remedy::Patch { text } = one(Some(stack)).remedy else { panic!("a patch") };
    assert!(text.contains("Type: AWS::RDS::DBInstance\n    Properties:\n      DBInstanceClass: db.m5.large"), "{text}");
    let Remedy::Patch { text } = one(Some(Template::Terraform { tag: "t".to_owned() })).remedy else {
        panic!("a patch")
    };
    assert!(text.contains("\"aws_db_instance\"") && text.contains("instance_class = \"db.m5.large\""), "{text}");
}
