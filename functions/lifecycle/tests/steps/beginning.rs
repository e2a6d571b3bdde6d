//! begin: one run at a time, the same run when repeated, and what a dead run left.

use crate::shop::{begin_on, begun, lease_on, record_of, shop, start};
use crate::wire::{Goes, Wire};
use domain::execution::Status;
use engine::ports::{Entry, EntryState, Executions, Intent, Journal};
use engine::run::{Decision, LEASE_TTL_S, Run};
use engine::step::StepError;
use lifecycle::begin::Answer;
use testkit::{World, build};

#[tokio::test]
async fn a_run_begins_with_a_lease_and_a_record() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    assert_eq!((run.decision, run.iteration), (Decision::Proceed, 1));
    assert_eq!(lease_on("shop", &world), Some(run.lease.clone()));
    let record = record_of("run-1", &world).await;
    assert_eq!(
        (record.status, record.started_at, record.config_hash.is_empty()),
        (Status::Running, world.now(), false)
    );
}

#[tokio::test]
async fn a_second_run_finds_the_application_under_care_and_leaves_no_record() {
    let world = shop();
    begun("run-1", None, &world).await;
    let Answer::Busy { decision, why } = begin_on(start("run-2", None), &Wire::sound(&world)).await.unwrap() else {
        panic!()
    };
    assert_eq!(decision, Decision::Busy);
    assert!(why.contains("shop") && why.contains("run-1"), "{why}");
    assert!(Executions::read(&*world, &"run-2".into()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_dead_run_blocks_nobody_longer_than_its_lease() {
    let world = shop();
    begun("run-1", None, &world).await;
    world.pass_s(LEASE_TTL_S);
    let second = begun("run-2", None, &world).await;
    assert_eq!(second.lease.fence, 2, "a new holder has a higher token than the dead one");
}

#[tokio::test]
async fn a_repeated_begin_is_the_same_run() {
    let world = shop();
    let first = begun("run-1", None, &world).await;
    let again = begun("run-1", None, &world).await;
    assert_eq!((again.lease.fence, again.decision), (first.lease.fence, first.decision));
    assert_eq!(record_of("run-1", &world).await.started_at, world.now());
}

#[tokio::test]
async fn fault_a_begin_that_breaks_at_any_call_is_made_good_by_its_repetition() {
    let sound = Wire::sound(&shop());
    begin_on(start("run-1", None), &sound).await.unwrap();
    for number in 0..sound.calls() {
        for goes in [Goes::Lost, Goes::Unanswered] {
            let world = shop();
            let broken = begin_on(start("run-1", None), &Wire::failing(&world, number, goes)).await;
            assert!(matches!(broken, Err(StepError::Transient(_))), "call {number} {goes:?}: {broken:?}");
            assert_eq!(begun("run-1", None, &world).await.decision, Decision::Proceed);
        }
    }
}

async fn leave_open(run: &Run, world: &World) {
    let change = build::change("c-1", build::set_fleet("shop-web", 6));
    let entry = Entry {
        app: run.app.clone(),
        change,
        execution: run.execution_id.clone(),
        iteration: 1,
        state: EntryState::Applied,
        prior: build::fleet("shop-web", 3),
        fence: run.lease.fence,
        intended_at: world.now(),
        applied_at: Some(world.now()),
        settled_at: None,
        outcome: None,
        approval: None,
        note: String::new(),
        taken_over_by: None,
    };
    assert_eq!(world.intend(&entry).await.unwrap(), Intent::Written);
}

#[tokio::test]
async fn what_a_dead_run_left_open_is_settled_first() {
    let world = shop();
    let dead = begun("run-1", None, &world).await;
    leave_open(&dead, &world).await;
    world.pass_s(LEASE_TTL_S);
    assert_eq!(begun("run-2", None, &world).await.decision, Decision::Settle);
}

#[tokio::test]
async fn regression_a_run_that_has_ended_is_refused_and_keeps_no_lease() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    let ended = Run { decision: Decision::Succeeded, ..run };
    crate::shop::finish_on(ended, &Wire::sound(&world)).await.unwrap();
    let again = begin_on(start("run-1", None), &Wire::sound(&world)).await;
    let Err(StepError::Conflict(why)) = again else { panic!("{again:?}") };
    assert!(why.contains("start it under another name"), "{why}");
    assert_eq!(lease_on("shop", &world), None, "a refused run must not block the application");
}
