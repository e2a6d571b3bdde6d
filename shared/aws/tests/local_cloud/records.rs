//! Leases, journal, episodes and records of runs, in DynamoDB.

use crate::{Cloud, later};
use aws::{Episodes, Executions, Journal, Leases, Watch};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use domain::change::{Action, Better, Change, Expectation};
use domain::execution::{Cycle, ExecutionRecord, Status, Workflow};
use domain::ids::{AppId, ChangeId, ExecutionId, ResourceId, RuleId, SignalId};
use domain::outcome::{Outcome, Verdict};
use domain::resource::{Live, Resource, Tags};
use domain::watch::{Roll, Watched};
use engine::ports::{
    Arrival, Entry, EntryState, Episode, Episodes as _, Executions as _, Intent, Journal as _, LeaseAnswer,
    Leases as _, PortError, Watch as _,
};
use engine::run::lease_key;
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Cloud {
    pub(crate) async fn table(&self, suffix: &str, keys: &[&str]) -> String {
        let name = format!("{}-{suffix}", self.name);
        let client = aws_sdk_dynamodb::Client::new(&self.config);
        let mut request = client.create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
        for (key, kind) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
            let definition = AttributeDefinition::builder().attribute_name(*key).attribute_type(ScalarAttributeType::S);
            request = request
                .attribute_definitions(definition.build().unwrap())
                .key_schema(KeySchemaElement::builder().attribute_name(*key).key_type(kind).build().unwrap());
        }
        request.send().await.unwrap();
        name
    }

    pub(crate) async fn leases(&self) -> (Leases, String) {
        let table = self.table("leases", &["key"]).await;
        (Leases::new(&self.clients, &table), table)
    }
}

pub(crate) fn run(name: &str) -> ExecutionId {
    ExecutionId::from(name)
}

pub(crate) fn entry(cloud: &Cloud, id: &str, fence: u64) -> Entry {
    let resource = ResourceId::from("arn:aws:sqs:us-east-1:000000000000:shop-jobs");
    Entry {
        app: AppId::from("shop"),
        change: Change {
            id: ChangeId::from(id),
            action: Action::SetFleetCapacity { group: "shop-web".to_owned(), desired: 3 },
            resource: resource.clone(),
            because: RuleId::from("saturation"),
            reason: "CPU is 91 %".to_owned(),
            expected: Expectation {
                signal: SignalId::from("fleet_cpu_pct"),
                resource: resource.clone(),
                better: Better::Lower,
                before: 0.1 + 0.2,
                after: 60.0,
            },
            cost_usd_cents_month: Some(3_000),
            rollout: None,
        },
        execution: run("run-1"),
        workflow: Workflow::Health,
        iteration: 1,
        state: EntryState::Intended,
        prior: Resource { id: resource, name: "shop-jobs".to_owned(), tags: Tags::default(), live: Live::Queue },
        fence,
        intended_at: cloud.now(),
        applied_at: None,
        looked_at: None,
        settled_at: None,
        outcome: None,
        approval: None,
        note: String::new(),
        taken_over_by: None,
        rolled_back: false,
    }
}

#[tokio::test]
async fn a_lease_has_one_holder_and_its_fence_grows_with_every_new_one() {
    let Some(cloud) = Cloud::connect("leases").await else { return };
    let (leases, _) = cloud.leases().await;
    let (key, now) = ("lease#health#shop", cloud.now());
    let LeaseAnswer::Held(first) = leases.acquire(key, &run("a"), now, 60).await.unwrap() else { panic!("not held") };
    let LeaseAnswer::Busy(busy) = leases.acquire(key, &run("b"), now, 60).await.unwrap() else { panic!("taken twice") };
    assert_eq!((busy.holder.as_str(), busy.fence), ("a", first.fence));

    let LeaseAnswer::Held(again) = leases.acquire(key, &run("a"), later(now, 10), 60).await.unwrap() else {
        panic!("lost")
    };
    assert_eq!(again.fence, first.fence, "the same holder keeps its fence");
    assert!(again.expires_at > first.expires_at);

    let expired = later(now, 300);
    let LeaseAnswer::Held(second) = leases.acquire(key, &run("b"), expired, 60).await.unwrap() else {
        panic!("not free")
    };
    assert_eq!(second.fence, first.fence + 1);
    assert!(
        matches!(leases.renew(key, &first, 1, expired, 60).await, Err(PortError::Conflict { .. })),
        "a lost lease is not renewed"
    );
    leases.release(key, &run("a")).await.unwrap();
    assert!(leases.renew(key, &second, 1, expired, 60).await.is_ok(), "another's release is without effect");

    leases.release(key, &run("b")).await.unwrap();
    let LeaseAnswer::Held(third) = leases.acquire(key, &run("c"), expired, 60).await.unwrap() else {
        panic!("not free")
    };
    assert_eq!(third.fence, second.fence + 1, "a release does not reset the fence");
}

#[tokio::test]
async fn a_dead_holders_lease_is_taken_over_once() {
    let Some(cloud) = Cloud::connect("leases of dead runs").await else { return };
    let (leases, _) = cloud.leases().await;
    let (key, now) = ("lease#health#shop", cloud.now());
    let LeaseAnswer::Held(dead) = leases.acquire(key, &run("dead"), now, 600).await.unwrap() else {
        panic!("not held")
    };
    let LeaseAnswer::Held(heir) = leases.take_over(key, &dead, &run("heir"), now, 600).await.unwrap() else {
        panic!("not taken over")
    };
    assert_eq!((heir.holder.as_str(), heir.fence), ("heir", dead.fence + 1));
    let LeaseAnswer::Busy(found) = leases.take_over(key, &dead, &run("late"), now, 600).await.unwrap() else {
        panic!("taken over twice")
    };
    assert_eq!(found.holder.as_str(), "heir");
    let again = leases.take_over(key, &dead, &run("heir"), now, 600).await.unwrap();
    assert!(matches!(again, LeaseAnswer::Held(lease) if lease.fence == heir.fence), "a repeated take-over is the same");
    assert!(
        matches!(leases.renew(key, &dead, 1, now, 600).await, Err(PortError::Conflict { .. })),
        "the dead one is out"
    );
}

#[tokio::test]
async fn of_many_that_want_a_lease_at_once_one_gets_it() {
    let Some(cloud) = Cloud::connect("leases at once").await else { return };
    let (leases, _) = cloud.leases().await;
    let now = cloud.now();
    let names: Vec<ExecutionId> = (0..20).map(|number| run(&format!("run-{number}"))).collect();
    let answers = futures::future::join_all(names.iter().map(|name| leases.acquire("k", name, now, 60))).await;
    let held = answers.into_iter().filter(|answer| matches!(answer, Ok(LeaseAnswer::Held(_)))).count();
    assert_eq!(held, 1);
}

#[tokio::test]
async fn an_intent_is_written_once_and_only_under_the_lease() {
    let Some(cloud) = Cloud::connect("journal intents").await else { return };
    let (leases, lease_table) = cloud.leases().await;
    let changes = cloud.table("changes", &["app", "change_id"]).await;
    let journal = Journal::new(&cloud.clients, &changes, &lease_table);
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    let LeaseAnswer::Held(lease) = leases.acquire(&key, &run("run-1"), cloud.now(), 60).await.unwrap() else {
        panic!()
    };

    let first = entry(&cloud, "c-1", lease.fence);
    assert_eq!(journal.intend(&first).await.unwrap(), Intent::Written);
    let mut repeated = first.clone();
    repeated.note = "written by a repeated step".to_owned();
    assert_eq!(journal.intend(&repeated).await.unwrap(), Intent::Present(Box::new(first.clone())));

    let stale = entry(&cloud, "c-2", lease.fence + 1);
    assert!(matches!(journal.intend(&stale).await, Err(PortError::Conflict { why, .. }) if why.contains("lease")));
    let LeaseAnswer::Held(_) = leases.acquire(&key, &run("run-2"), later(cloud.now(), 600), 60).await.unwrap() else {
        panic!()
    };
    let paused = entry(&cloud, "c-3", lease.fence);
    assert!(matches!(journal.intend(&paused).await, Err(PortError::Conflict { .. })), "a paused holder can't write");
    assert_eq!(journal.since(&AppId::from("shop"), first.intended_at).await.unwrap(), [first]);
}

#[tokio::test]
async fn an_entry_advances_only_from_the_state_it_is_in() {
    let Some(cloud) = Cloud::connect("journal states").await else { return };
    let (leases, lease_table) = cloud.leases().await;
    let changes = cloud.table("changes", &["app", "change_id"]).await;
    let journal = Journal::new(&cloud.clients, &changes, &lease_table);
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    let LeaseAnswer::Held(lease) = leases.acquire(&key, &run("run-1"), cloud.now(), 60).await.unwrap() else {
        panic!()
    };
    let intended = entry(&cloud, "c-1", lease.fence);
    journal.intend(&intended).await.unwrap();

    let applied = Entry { state: EntryState::Applied, applied_at: Some(cloud.now()), ..intended.clone() };
    journal.advance(EntryState::Intended, &applied).await.unwrap();
    journal.advance(EntryState::Intended, &applied).await.expect("our own write, its answer lost, is no conflict");
    let kept = Entry { state: EntryState::Kept, ..applied.clone() };
    let conflict = journal.advance(EntryState::Intended, &kept).await;
    assert!(matches!(&conflict, Err(PortError::Conflict { why, .. }) if why.contains("applied")), "{conflict:?}");
    journal.advance(EntryState::Applied, &kept).await.unwrap();
    let missing = Entry { change: Change { id: ChangeId::from("c-9"), ..kept.change.clone() }, ..kept.clone() };
    assert!(matches!(journal.advance(EntryState::Applied, &missing).await, Err(PortError::Conflict { .. })));
    assert_eq!(journal.since(&AppId::from("shop"), intended.intended_at).await.unwrap(), [kept]);
}

#[tokio::test]
async fn the_journal_is_read_whole_over_pages_and_oldest_first() {
    let Some(cloud) = Cloud::connect("journal pages").await else { return };
    let (leases, lease_table) = cloud.leases().await;
    let changes = cloud.table("changes", &["app", "change_id"]).await;
    let journal = Journal::new(&cloud.clients, &changes, &lease_table);
    let key = lease_key(Cycle::Health, &AppId::from("shop"));
    let LeaseAnswer::Held(lease) = leases.acquire(&key, &run("run-1"), cloud.now(), 60).await.unwrap() else {
        panic!()
    };
    let now = cloud.now();
    // 30 entries of 60 KB are two pages of a query.
    for number in 0..30_i64 {
        let mut large = entry(&cloud, &format!("c-{:02}", 30 - number), lease.fence);
        large.intended_at = later(now, number);
        large.note = "x".repeat(60_000);
        journal.intend(&large).await.unwrap();
    }
    let read = journal.since(&AppId::from("shop"), later(now, 5)).await.unwrap();
    assert_eq!(read.len(), 25);
    assert!(read.is_sorted_by_key(|entry| entry.intended_at));
}

#[tokio::test]
async fn alarms_of_one_window_join_one_episode() {
    let Some(cloud) = Cloud::connect("episodes").await else { return };
    let table = cloud.table("leases", &["key"]).await;
    let episodes = Episodes::new(&cloud.clients, &table);
    let (key, now) = ("episode#health#shop", to_the_millisecond(cloud.now()));
    assert_eq!(episodes.open(key).await.unwrap(), None);
    let first = episodes.join(key, &arrivals(&["b"], now), now, 600).await.unwrap();
    let second = episodes.join(key, &arrivals(&["a", "b"], later(now, 30)), later(now, 30), 600).await.unwrap();
    assert_eq!((&second.id, second.alarms), (&first.id, arrivals(&["a", "b"], later(now, 30))));
    assert!(!second.started);
    let again = episodes.join(key, &arrivals(&["b"], later(now, 20)), later(now, 35), 600).await.unwrap();
    assert_eq!(again.alarms["b"], later(now, 30), "an alarm keeps the later moment");
    episodes.mark_started(key, &first.id).await.unwrap();
    assert!(episodes.open(key).await.unwrap().unwrap().started);

    let next = episodes.join(key, &arrivals(&["c"], later(now, 700)), later(now, 700), 600).await.unwrap();
    assert!(next.id != first.id && next.names() == ["c"] && !next.started, "past the window another one opens");
    episodes.close(key, &first.id).await.unwrap();
    assert!(episodes.open(key).await.unwrap().is_some(), "an old id closes nothing");
    episodes.close(key, &next.id).await.unwrap();
    assert_eq!(episodes.open(key).await.unwrap(), None);

    let first = episodes.arrive("alarm/1", now).await.unwrap();
    assert_eq!(first, Arrival { at: now, handled: false });
    assert_eq!(episodes.arrive("alarm/1", later(now, 60)).await.unwrap(), first, "when it came first");
    episodes.remember("alarm/1", later(now, 61)).await.unwrap();
    assert_eq!(episodes.arrive("alarm/1", later(now, 90)).await.unwrap(), Arrival { at: now, handled: true });
}

#[tokio::test]
async fn an_episode_is_replaced_only_as_it_was_read() {
    let Some(cloud) = Cloud::connect("succession").await else { return };
    let table = cloud.table("leases", &["key"]).await;
    let episodes = Episodes::new(&cloud.clients, &table);
    let (key, now) = ("episode#health#shop", to_the_millisecond(cloud.now()));
    let read = episodes.join(key, &arrivals(&["a"], now), now, 600).await.unwrap();
    let seen = episodes.join(key, &arrivals(&["b"], later(now, 10)), later(now, 10), 600).await.unwrap();
    assert!(!episodes.replace(key, &read, None).await.unwrap(), "an alarm has joined it");
    let next = Episode::opened(later(now, 20), arrivals(&["b"], later(now, 10)));
    assert!(episodes.replace(key, &seen, Some(&next)).await.unwrap());
    assert_eq!(episodes.open(key).await.unwrap().as_ref(), Some(&next));
    assert!(!episodes.replace(key, &seen, Some(&next)).await.unwrap(), "once");
    assert!(episodes.replace(key, &next, None).await.unwrap());
    assert_eq!(episodes.open(key).await.unwrap(), None);
}

#[tokio::test]
async fn an_alarm_beyond_the_two_hundredth_still_leaves_its_arrival() {
    let Some(cloud) = Cloud::connect("full episode").await else { return };
    let table = cloud.table("leases", &["key"]).await;
    let episodes = Episodes::new(&cloud.clients, &table);
    let now = to_the_millisecond(cloud.now());
    episodes.join("e", &arrivals(&["opens"], now), now, 600).await.unwrap();
    let names: Vec<String> = (0..199).map(|number| format!("alarm-{number:03}")).collect();
    let full = arrivals(&names.iter().map(String::as_str).chain(["opens"]).collect::<Vec<_>>(), now);
    let read = episodes.open("e").await.unwrap().unwrap();
    assert!(episodes.replace("e", &read, Some(&Episode::opened(later(now, 1), full))).await.unwrap());
    let joined = episodes.join("e", &arrivals(&["late"], later(now, 5)), later(now, 5), 600).await.unwrap();
    assert_eq!(joined.alarms.len(), 201);
    assert_eq!(
        joined.alarms.keys().next_back().map(String::as_str),
        Some("… and further alarms"),
        "people read it last"
    );
    let further = joined.alarms["… and further alarms"];
    assert!(further >= later(now, 5) && further < later(now, 15), "the end of its ten seconds: {further}");
    let joined = episodes.join("e", &arrivals(&["later", "opens"], later(now, 19)), later(now, 19), 600).await.unwrap();
    assert_eq!((joined.alarms.len(), joined.alarms["opens"]), (201, later(now, 19)));
    assert!(joined.alarms["… and further alarms"] >= later(now, 19));
}

/// As precisely as the table keeps it.
fn to_the_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

fn arrivals(names: &[&str], at: Timestamp) -> BTreeMap<String, Timestamp> {
    names.iter().map(|name| ((*name).to_owned(), at)).collect()
}

#[tokio::test]
async fn two_hundred_alarms_at_once_are_one_episode_that_names_them_all() {
    let Some(cloud) = Cloud::connect("alarm storm").await else { return };
    let table = cloud.table("leases", &["key"]).await;
    let episodes = Episodes::new(&cloud.clients, &table);
    let now = cloud.now();
    let alarms: Vec<_> = (0..200).map(|number| arrivals(&[&format!("alarm-{number:03}")], now)).collect();
    let joined = futures::future::join_all(alarms.iter().map(|alarm| episodes.join("e", alarm, now, 600))).await;
    let ids: std::collections::BTreeSet<String> = joined.into_iter().map(|episode| episode.unwrap().id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(episodes.open("e").await.unwrap().unwrap().alarms.len(), 200);
}

#[tokio::test]
async fn a_run_is_opened_once_and_read_back_whole() {
    let Some(cloud) = Cloud::connect("executions").await else { return };
    let executions = cloud.table("executions", &["execution_id"]).await;
    let results = cloud.table("results", &["execution_id", "result_id"]).await;
    let records = Executions::new(&cloud.clients, &executions, &results);
    let record = ExecutionRecord {
        alarms: vec!["shop-cpu".to_owned()],
        execution_id: run("run-1"),
        execution_arn: "arn:run-1".to_owned(),
        workflow_type: Workflow::Health,
        app: AppId::from("shop"),
        status: Status::Running,
        trigger: "by hand".to_owned(),
        mode: None,
        started_at: cloud.now(),
        completed_at: None,
        success_criteria_met: false,
        residue: Vec::new(),
        iterations: Vec::new(),
        answers: Vec::new(),
        conclusion: None,
        config_hash: "h".to_owned(),
        build: "b".to_owned(),
    };
    assert_eq!(records.read(&run("run-1")).await.unwrap(), None);
    assert_eq!(records.open(&record).await.unwrap(), record);
    let repeated = ExecutionRecord { trigger: "again".to_owned(), ..record.clone() };
    assert_eq!(records.open(&repeated).await.unwrap(), record, "the first record stays");
    let done = ExecutionRecord {
        status: Status::Completed,
        completed_at: Some(cloud.now()),
        success_criteria_met: true,
        ..record
    };
    records.save(&done).await.unwrap();
    assert_eq!(records.read(&run("run-1")).await.unwrap(), Some(done));

    let outcome = Outcome {
        change: ChangeId::from("c-1"),
        signal: SignalId::from("latency_p95_ms"),
        resource: ResourceId::from("r"),
        verdict: Verdict::Verified,
        before: Some(1_234.5),
        after: Some(180.25),
        interval: None,
        improvement_pct: Some(85.4),
        keep: true,
        why: "faster".to_owned(),
        measured_at: cloud.now(),
    };
    for _ in 0..2 {
        records.result(&run("run-1"), 1, &outcome).await.unwrap();
    }
    let client = aws_sdk_dynamodb::Client::new(&cloud.config);
    let items = client.scan().table_name(&results).send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 1, "repeating a result changes nothing");
    assert_eq!(items[0]["before"].as_n().unwrap().parse::<f64>().unwrap(), 1_234.5);
}

#[tokio::test]
async fn the_watch_keeps_the_roll_and_what_is_known_of_each_application() {
    let Some(cloud) = Cloud::connect("watch").await else { return };
    let table = cloud.table("leases", &["key"]).await;
    let watch = Watch::new(&cloud.clients, &table, Cycle::Health);
    let now = to_the_millisecond(cloud.now());
    let (shop, blog) = (AppId::from("shop"), AppId::from("blog"));
    assert_eq!(watch.roll().await.unwrap(), Roll::default());
    let first = Roll::default().called(&[shop.clone(), blog.clone()], now);
    watch.call(&first).await.unwrap();
    assert_eq!(watch.roll().await.unwrap(), first);
    let second = first.called(&[], later(now, 14_400));
    watch.call(&second).await.unwrap();
    assert_eq!(watch.roll().await.unwrap(), second);

    let new = Watched { app: shop.clone(), since: now, looked_at: None, told_at: None };
    assert_eq!(watch.known(&shop, now).await.unwrap(), new);
    watch.looked(&shop, later(now, 60)).await.unwrap();
    watch.told(&shop, later(now, 90)).await.unwrap();
    let known = Watched { looked_at: Some(later(now, 60)), told_at: Some(later(now, 90)), ..new };
    assert_eq!(watch.known(&shop, later(now, 100)).await.unwrap(), known);
    watch.looked(&blog, later(now, 60)).await.unwrap();
    assert_eq!(watch.known(&blog, later(now, 100)).await.unwrap().since, later(now, 100), "a look before any round");

    watch.forget(&shop).await.unwrap();
    assert_eq!(watch.roll().await.unwrap().apps, [blog].into());
    assert_eq!(watch.known(&shop, later(now, 200)).await.unwrap().since, later(now, 200));
}
