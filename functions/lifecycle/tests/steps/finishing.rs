//! finish: the record is closed, the lease is free, alarms that came meanwhile get their run, people hear what was changed.

use crate::shop::{begun, deliver_well, episode_of, event, finish_on, inputs, lease_on, record_of, shop};
use crate::wire::{Goes, Wire};
use domain::execution::{Status, Workflow};
use domain::outcome::Verdict;
use engine::ports::{Entry, EntryState, Intent, Journal};
use engine::run::{Caught, Decision, Run};
use std::sync::Arc;
use testkit::{World, build};

/// A change of the run that was verified and stands.
async fn made(run: &Run, id: &str, state: EntryState, world: &World) {
    let change = build::change(id, build::set_fleet("shop-web", 6));
    let outcome = build::outcome(&change, Verdict::Verified, true, world.now());
    let entry = Entry {
        app: run.app.clone(),
        change,
        execution: run.execution_id.clone(),
        workflow: Workflow::Health,
        iteration: 1,
        state,
        prior: build::fleet("shop-web", 3),
        fence: run.lease.fence,
        intended_at: world.now(),
        applied_at: Some(world.now()),
        looked_at: None,
        settled_at: Some(world.now()),
        outcome: Some(outcome),
        approval: None,
        note: String::new(),
        taken_over_by: None,
        rolled_back: false,
    };
    assert_eq!(world.intend(&entry).await.unwrap(), Intent::Written);
}

fn ended(run: Run, decision: Decision) -> Run {
    Run { decision, conclusion: Some("the score is 9.1 and stable".to_owned()), score: Some(9.1), ..run }
}

#[tokio::test]
async fn a_success_closes_the_record_and_frees_the_lease() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    world.pass_s(1_200);
    let run = finish_on(ended(run, Decision::Succeeded), &Wire::sound(&world)).await.unwrap();
    assert_eq!(run.decision, Decision::Succeeded);
    let record = record_of("run-1", &world).await;
    assert_eq!((record.status, record.success_criteria_met), (Status::Completed, true));
    assert_eq!(
        (record.completed_at, record.conclusion.as_deref()),
        (Some(world.now()), Some("the score is 9.1 and stable"))
    );
    assert_eq!(lease_on("shop", &world), None);
}

#[tokio::test]
async fn a_run_whose_steps_come_from_two_builds_says_so_in_its_record() {
    for (builds, told) in [(&["1.0.0+a", "1.0.0+b"][..], Some("1.0.0+a and 1.0.0+b")), (&["1.0.0+a"], None)] {
        let world = shop();
        let mut run = begun("run-1", None, &world).await;
        run.lease.builds = builds.iter().map(|build| (*build).to_owned()).collect();
        finish_on(ended(run, Decision::Succeeded), &Wire::sound(&world)).await.unwrap();
        assert_eq!(record_of("run-1", &world).await.build, told.unwrap_or(engine::runtime::BUILD));
    }
}

#[tokio::test]
async fn an_escalation_and_a_failure_end_as_what_they_are() {
    let failure = Caught { name: "Step.Bug".to_owned(), cause: "it broke".to_owned() };
    for (error, decision, status) in
        [(None, Decision::Escalated, Status::Escalated), (Some(failure), Decision::Failed, Status::Failed)]
    {
        let world = shop();
        let run = Run { error, ..ended(begun("run-1", None, &world).await, Decision::Escalate) };
        let run = finish_on(run, &Wire::sound(&world)).await.unwrap();
        assert_eq!(run.decision, decision);
        let record = record_of("run-1", &world).await;
        assert_eq!((record.status, record.success_criteria_met), (status, false));
        assert_eq!(lease_on("shop", &world), None);
        assert!(world.messages().is_empty(), "people were told by escalate");
    }
}

#[tokio::test]
async fn is_silent_when_nothing_was_changed() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    made(&run, "refused-by-aws", EntryState::NotApplied, &world).await;
    finish_on(ended(run, Decision::Succeeded), &Wire::sound(&world)).await.unwrap();
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn reports_what_was_changed_with_before_and_after() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    made(&run, "c-1", EntryState::Kept, &world).await;
    finish_on(ended(run, Decision::Succeeded), &Wire::sound(&world)).await.unwrap();
    let [message] = world.messages().try_into().unwrap();
    assert_eq!(message.kind, lifecycle::finish::REPORT);
    assert!(message.subject.is_ascii() && message.subject.len() <= 100 && message.subject.contains("shop"));
    for part in [
        "set the capacity of shop-web to 6",
        "the change is verified; kept",
        "9.1 of 10",
        "run-1",
        "https://us-east-1.console",
    ] {
        assert!(message.text.contains(part), "{part} is not in\n{}", message.text);
    }
    let (every, _) = crate::shop::documented();
    assert_eq!(message.detail.as_object().unwrap().keys().cloned().collect::<std::collections::BTreeSet<_>>(), every);
    let change = &message.detail["changes"][0];
    assert_eq!(
        (change["change_id"].as_str(), change["kind"].as_str(), change["state"].as_str()),
        (Some("c-1"), Some("set_fleet_capacity"), Some("kept"))
    );
}

#[tokio::test]
async fn the_changes_of_another_run_are_not_reported() {
    let world = shop();
    let first = begun("run-1", None, &world).await;
    made(&first, "c-1", EntryState::Kept, &world).await;
    finish_on(ended(first, Decision::Escalate), &Wire::sound(&world)).await.unwrap();
    let second = begun("run-2", None, &world).await;
    finish_on(ended(second, Decision::Succeeded), &Wire::sound(&world)).await.unwrap();
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn a_run_without_a_record_still_gives_its_lease_back() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    let unknown = Run { execution_id: "run-0".into(), ..run.clone() };
    finish_on(unknown, &Wire::sound(&world)).await.unwrap();
    assert_eq!(lease_on("shop", &world), Some(run.lease), "but never that of another run");
}

/// An alarm run with one change, and an alarm of another way in behind it.
async fn busy_shop(own: bool) -> (Arc<World>, Run) {
    let world = shop();
    if own {
        let name = deliver_well(&event("shop-cpu", "shop-web", "ALARM", 0), &world).await.started.remove(0);
        let episode = episode_of("shop", &world).await.unwrap().id;
        let run = begun(&name, Some(&episode), &world).await;
        made(&run, "c-1", EntryState::Kept, &world).await;
        return (world, ended(run, Decision::Succeeded));
    }
    let run = begun("by-hand", None, &world).await;
    made(&run, "c-1", EntryState::Kept, &world).await;
    deliver_well(&event("shop-cpu", "shop-web", "ALARM", 0), &world).await;
    (world, ended(run, Decision::Succeeded))
}

#[tokio::test]
async fn closes_the_episode_that_it_answered_and_starts_nothing() {
    let (world, run) = busy_shop(true).await;
    finish_on(run, &Wire::sound(&world)).await.unwrap();
    assert_eq!((episode_of("shop", &world).await, world.started().len()), (None, 1));
}

#[tokio::test]
async fn hands_over_to_the_alarms_that_came_meanwhile() {
    let (world, run) = busy_shop(false).await;
    assert!(world.started().is_empty());
    finish_on(run, &Wire::sound(&world)).await.unwrap();
    let episode = episode_of("shop", &world).await.unwrap();
    assert!(episode.started);
    let input = &inputs(&world)[0];
    assert_eq!((&input["episode"], &input["alarms"][0]), (&episode.id.into(), &"shop-cpu".into()));
    let name = world.started().into_keys().next().unwrap();
    assert_eq!(begun(&name, input["episode"].as_str(), &world).await.decision, Decision::Proceed);
}

#[tokio::test]
async fn fault_a_finish_that_breaks_at_any_call_is_made_good_by_its_repetition() {
    for own in [true, false] {
        let (world, run) = busy_shop(own).await;
        let sound = Wire::sound(&world);
        finish_on(run, &sound).await.unwrap();
        for number in 0..sound.calls() {
            for goes in Goes::ALL {
                let (world, run) = busy_shop(own).await;
                let broken = finish_on(run.clone(), &Wire::failing(&world, number, goes)).await;
                assert!(broken.is_err(), "call {number} {goes:?}");
                let name = run.execution_id.to_string();
                finish_on(run, &Wire::sound(&world)).await.unwrap();
                assert_eq!(record_of(&name, &world).await.status, Status::Completed);
                assert_eq!(world.started().len(), 1, "call {number} {goes:?}");
                let next = world.started().into_keys().next().filter(|_| !own);
                assert_eq!(
                    lease_on("shop", &world).map(|lease| lease.holder.to_string()),
                    next,
                    "call {number} {goes:?}"
                );
                assert_eq!(episode_of("shop", &world).await.is_none(), own);
                assert!(!world.messages().is_empty(), "call {number} {goes:?}: nobody was told");
            }
        }
    }
}

#[tokio::test]
async fn a_finish_that_is_repeated_says_the_same_and_changes_nothing() {
    let (world, run) = busy_shop(true).await;
    finish_on(run.clone(), &Wire::sound(&world)).await.unwrap();
    let record = record_of(run.execution_id.as_str(), &world).await;
    world.pass_s(30);
    finish_on(run.clone(), &Wire::sound(&world)).await.unwrap();
    assert_eq!(record_of(run.execution_id.as_str(), &world).await, record);
    assert!(world.messages().iter().all(|message| *message == world.messages()[0]));
}

/// The message is the last thing: whoever can't be told must not keep the application from being cared for.
#[tokio::test]
async fn regression_a_report_that_can_t_be_sent_leaves_the_application_free_and_is_sent_by_the_repetition() {
    let (world, run) = busy_shop(true).await;
    let last = {
        let (world, run) = busy_shop(true).await;
        let sound = Wire::sound(&world);
        finish_on(run, &sound).await.unwrap();
        sound.calls() - 1
    };
    assert!(finish_on(run.clone(), &Wire::failing(&world, last, Goes::Lost)).await.is_err());
    assert_eq!((lease_on("shop", &world), episode_of("shop", &world).await), (None, None));
    assert!(world.messages().is_empty());
    finish_on(run, &Wire::sound(&world)).await.unwrap();
    assert_eq!(world.messages().len(), 1);
}
