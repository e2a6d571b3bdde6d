//! begin: one run at a time, the same run when repeated, and what a dead run left.

use crate::shop::{begin_on, begun, lease_on, record_of, shop, start};
use crate::wire::{Goes, Wire};
use domain::execution::{Status, Workflow};
use engine::ports::{Entry, EntryState, Executions, Intent, Journal, Life};
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
async fn a_run_that_was_stopped_gives_way_at_once() {
    for life in [Life::Stopped, Life::TimedOut, Life::Failed, Life::Forgotten] {
        let world = shop();
        let dead = begun("run-1", None, &world).await;
        leave_open(&dead, &world).await;
        world.end("run-1", life);
        let second = begun("run-2", None, &world).await;
        assert_eq!((second.lease.fence, second.decision), (2, Decision::Settle), "{life:?}");
        let fenced_off = Journal::intend(&*world, &left_by(&dead, "c-2", &world)).await;
        assert!(fenced_off.is_err(), "what the stopped run still has under way must not write: {fenced_off:?}");
        assert_eq!(record_of("run-1", &world).await.status, Status::Failed);
    }
}

#[tokio::test]
async fn a_lease_without_a_run_yet_is_not_taken_over() {
    let world = shop();
    let key = engine::run::lease_key(domain::execution::Cycle::Health, &"shop".into());
    engine::ports::Leases::acquire(&*world, &key, &"run-1".into(), world.now(), LEASE_TTL_S).await.unwrap();
    world.end("run-1", Life::Stopped);
    let answer = begin_on(start("run-2", None), &Wire::sound(&world)).await.unwrap();
    assert!(matches!(answer, Answer::Busy { .. }), "{answer:?}");
}

#[tokio::test]
async fn the_record_of_a_stopped_run_is_closed_by_the_next_and_that_of_a_waiting_one_is_not() {
    for (life, status) in [(Life::Stopped, Status::Failed), (Life::Running, Status::Running)] {
        let world = shop();
        let first = begun("run-1", None, &world).await;
        // As ask does: a run that waits for a person holds no lease.
        engine::ports::Leases::release(&*world, &first.lease_key(), &first.execution_id).await.unwrap();
        world.end("run-1", life);
        let second = begun("run-2", None, &world).await;
        assert_eq!(second.decision, Decision::Proceed);
        let record = record_of("run-1", &world).await;
        assert_eq!((record.status, record.completed_at.is_some()), (status, status == Status::Failed));
        let told = record.conclusion.unwrap_or_default();
        assert_eq!(told.contains("was stopped"), status == Status::Failed, "{told}");
    }
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
        for goes in Goes::ALL {
            let world = shop();
            let broken = begin_on(start("run-1", None), &Wire::failing(&world, number, goes)).await;
            assert!(goes.is_told_by(&broken), "call {number} {goes:?}: {broken:?}");
            assert_eq!(begun("run-1", None, &world).await.decision, Decision::Proceed);
        }
    }
}

#[tokio::test]
async fn fault_a_take_over_that_breaks_at_any_call_is_made_good_by_its_repetition() {
    let stopped = async || {
        let world = shop();
        let dead = begun("run-1", None, &world).await;
        leave_open(&dead, &world).await;
        world.end("run-1", Life::Stopped);
        world
    };
    let sound = Wire::sound(&stopped().await);
    begin_on(start("run-2", None), &sound).await.unwrap();
    for number in 0..sound.calls() {
        for goes in Goes::ALL {
            let world = stopped().await;
            let broken = begin_on(start("run-2", None), &Wire::failing(&world, number, goes)).await;
            assert!(goes.is_told_by(&broken), "call {number} {goes:?}: {broken:?}");
            let second = begun("run-2", None, &world).await;
            assert_eq!((second.decision, second.lease.fence), (Decision::Settle, 2), "call {number} {goes:?}");
            assert_eq!(record_of("run-1", &world).await.status, Status::Failed, "call {number} {goes:?}");
        }
    }
}

async fn leave_open(run: &Run, world: &World) {
    assert_eq!(world.intend(&left_by(run, "c-1", world)).await.unwrap(), Intent::Written);
}

fn left_by(run: &Run, id: &str, world: &World) -> Entry {
    let change = build::change(id, build::set_fleet("shop-web", 6));
    Entry {
        app: run.app.clone(),
        change,
        execution: run.execution_id.clone(),
        workflow: Workflow::Health,
        iteration: 1,
        state: EntryState::Applied,
        prior: build::fleet("shop-web", 3),
        fence: run.lease.fence,
        intended_at: world.now(),
        applied_at: Some(world.now()),
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
