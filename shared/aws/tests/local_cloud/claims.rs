//! The claim of a change in DynamoDB: the version of its plan is checked where its intent is written.

use crate::records::{entry, run};
use crate::{Cloud, later};
use aws::{Journal, Leases};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::execution::Cycle;
use domain::ids::AppId;
use engine::ports::{Entry, Intent, Journal as _, Lease, LeaseAnswer, Leases as _, PortError, Renewal};
use engine::run::lease_key;
use engine::runtime::BUILD;
use std::collections::BTreeSet;

/// The lease of this run, taken when whatever holds it has ended.
async fn lease(cloud: &Cloud, leases: &Leases, holder: &str, after_s: i64) -> Lease {
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    match leases.acquire(&key, &run(holder), later(cloud.now(), after_s), 60).await.unwrap() {
        LeaseAnswer::Held(lease) => lease,
        LeaseAnswer::Busy(lease) => panic!("held by {lease:?}"),
    }
}

#[tokio::test]
async fn the_claim_of_an_iteration_is_turned_away_once_a_later_one_has_announced_a_change() {
    let Some(cloud) = Cloud::connect("claims of old iterations").await else { return };
    let (leases, lease_table) = cloud.leases().await;
    let changes = cloud.table("changes", &["app", "change_id"]).await;
    let journal = Journal::new(&cloud.clients, &changes, &lease_table);
    let held = lease(&cloud, &leases, "run-1", 0).await;
    let of = |iteration: u32, id: &str| Entry { iteration, ..entry(&cloud, id, held.fence) };

    // A row of an earlier version has no iteration, and the same one may announce many changes.
    for id in ["c-1", "c-2"] {
        assert_eq!(journal.intend(&of(2, id)).await.unwrap(), Intent::Written);
    }
    assert_eq!(journal.intend(&of(1, "c-3")).await.unwrap(), Intent::Overtaken { newest: 2 });
    assert_eq!(journal.intend(&of(3, "c-4")).await.unwrap(), Intent::Written);
    assert_eq!(journal.intend(&of(2, "c-5")).await.unwrap(), Intent::Overtaken { newest: 3 });
    assert_eq!(journal.intend(&of(2, "c-1")).await.unwrap(), Intent::Overtaken { newest: 3 });
    let first = of(2, "c-1").intended_at;
    let written = journal.since(&AppId::from("shop"), later(first, -60)).await.unwrap();
    let mut written: Vec<&str> = written.iter().map(|entry| entry.id().as_str()).collect();
    written.sort_unstable();
    assert_eq!(written, ["c-1", "c-2", "c-4"], "what is turned away leaves nothing behind");
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    assert_eq!(leases.holder(&key).await.unwrap(), Some(held), "the claim leaves the lease as it is");
}

#[tokio::test]
async fn an_iteration_that_has_renewed_the_lease_turns_earlier_ones_away_whether_it_announces_anything_or_not() {
    let Some(cloud) = Cloud::connect("renewals of iterations").await else { return };
    let (leases, lease_table) = cloud.leases().await;
    let changes = cloud.table("changes", &["app", "change_id"]).await;
    let journal = Journal::new(&cloud.clients, &changes, &lease_table);
    let held = lease(&cloud, &leases, "run-1", 0).await;
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    let renew = async |iteration| leases.renew(&key, &held, iteration, cloud.now(), 60).await.unwrap();
    for iteration in [1, 2, 2] {
        let renewed = renew(iteration).await;
        assert!(matches!(&renewed, Renewal::Held(lease) if lease.fence == held.fence), "{iteration}: {renewed:?}");
    }
    assert_eq!(renew(1).await, Renewal::Overtaken { newest: 2 });
    let late = Entry { iteration: 1, ..entry(&cloud, "c-1", held.fence) };
    assert_eq!(journal.intend(&late).await.unwrap(), Intent::Overtaken { newest: 2 });

    let next = lease(&cloud, &leases, "run-2", 600).await;
    let first = leases.renew(&key, &next, 1, later(cloud.now(), 600), 60).await.unwrap();
    assert!(matches!(first, Renewal::Held(_)), "the next run begins at its first: {first:?}");
    let paused = leases.renew(&key, &held, 3, later(cloud.now(), 600), 60).await;
    assert!(matches!(&paused, Err(PortError::Conflict { .. })), "the fence comes first: {paused:?}");
}

#[tokio::test]
async fn the_next_holder_begins_at_its_first_iteration() {
    let Some(cloud) = Cloud::connect("claims of the next run").await else { return };
    let (leases, lease_table) = cloud.leases().await;
    let changes = cloud.table("changes", &["app", "change_id"]).await;
    let journal = Journal::new(&cloud.clients, &changes, &lease_table);
    let first = lease(&cloud, &leases, "run-1", 0).await;
    let far = Entry { iteration: 3, ..entry(&cloud, "c-1", first.fence) };
    assert_eq!(journal.intend(&far).await.unwrap(), Intent::Written);

    let second = lease(&cloud, &leases, "run-2", 600).await;
    let next = Entry { execution: run("run-2"), ..entry(&cloud, "c-2", second.fence) };
    assert_eq!(journal.intend(&next).await.unwrap(), Intent::Written);
    let paused = Entry { iteration: 4, ..entry(&cloud, "c-3", first.fence) };
    let conflict = journal.intend(&paused).await;
    assert!(matches!(&conflict, Err(PortError::Conflict { .. })), "the fence comes first: {conflict:?}");
}

#[tokio::test]
async fn the_lease_tells_which_builds_have_worked_under_it() {
    let Some(cloud) = Cloud::connect("builds of a lease").await else { return };
    let (leases, table) = cloud.leases().await;
    let held = lease(&cloud, &leases, "run-1", 0).await;
    assert_eq!(held.builds, BTreeSet::from([BUILD.to_owned()]));
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    let older = aws_sdk_dynamodb::Client::new(&cloud.config);
    let older = older.update_item().table_name(&table).key("key", AttributeValue::S(key.clone()));
    let older = older.update_expression("ADD builds :older");
    older.expression_attribute_values(":older", AttributeValue::Ss(vec!["older".to_owned()])).send().await.unwrap();
    let renewed = leases.renew(&key, &held, 1, cloud.now(), 60).await.unwrap();
    let Renewal::Held(renewed) = renewed else { panic!("{renewed:?}") };
    assert_eq!(renewed.builds, BTreeSet::from([BUILD.to_owned(), "older".to_owned()]));
    let next = lease(&cloud, &leases, "run-2", 600).await;
    assert_eq!(next.builds, BTreeSet::from([BUILD.to_owned()]), "the next run begins with its own");
}
