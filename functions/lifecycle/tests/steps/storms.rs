//! dispatch under load and failure: many alarms, one run; every call lost once, still one run.

use crate::late::{Work, take_turns};
use crate::shop::{
    action, begun, defaults, deliver, deliver_well, episode_of, event, finish_on, inputs, lease_on, notification,
    record_of, shop, tagged_fleet,
};
use crate::wire::{Goes, Wire};
use engine::run::{Decision, LEASE_TTL_S};
use std::sync::Arc;
use testkit::{Proof, World};

#[tokio::test]
async fn two_hundred_alarms_in_a_minute_start_one_run_whose_episode_names_them_all() {
    let world = shop();
    let mut names = Vec::new();
    for number in 0..200u32 {
        let name = format!("shop-check-{number:03}");
        deliver_well(&event(&name, "shop-web", "ALARM", number * 60 / 200), &world).await;
        names.push(name);
        if number % 10 == 9 {
            world.pass_s(3);
        }
    }
    assert_eq!(world.started().len(), 1);
    let episode = episode_of("shop", &world).await.unwrap();
    assert_eq!(episode.names(), names);
    assert!(episode.started);
}

#[tokio::test]
async fn regression_the_record_of_the_run_names_every_alarm_that_it_answered() {
    let world = shop();
    let name = deliver_well(&event("shop-000", "shop-web", "ALARM", 0), &world).await.started.remove(0);
    let episode = episode_of("shop", &world).await.unwrap().id;
    let mut run = begun(&name, Some(&episode), &world).await;
    for number in 1..200u32 {
        deliver_well(&event(&format!("shop-{number:03}"), "shop-web", "ALARM", number / 4), &world).await;
    }
    run.decision = Decision::Succeeded;
    finish_on(run, &Wire::sound(&world)).await.unwrap();
    let record = record_of(&name, &world).await;
    assert_eq!(record.trigger, "started by alarm shop-000 and 199 more");
    assert_eq!(record.alarms, (0..200).map(|number| format!("shop-{number:03}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_alarm_during_a_run_that_was_started_otherwise_waits_for_its_end() {
    let world = shop();
    let mut run = begun("by-hand", None, &world).await;
    let answer = deliver_well(&event("shop-cpu", "shop-web", "ALARM", 0), &world).await;
    assert_eq!((answer.started.len(), answer.joined.as_slice()), (0, &["shop".into()][..]));
    assert!(world.started().is_empty(), "it is joined, not started");
    run.decision = Decision::Succeeded;
    finish_on(run, &Wire::sound(&world)).await.unwrap();
    assert_eq!(inputs(&world)[0]["alarms"], serde_json::json!(["shop-cpu"]));
}

#[tokio::test]
async fn an_alarm_that_goes_off_again_after_its_run_starts_another() {
    let world = shop();
    let first = deliver_well(&event("shop-cpu", "shop-web", "ALARM", 0), &world).await.started.remove(0);
    let episode = episode_of("shop", &world).await.unwrap().id;
    let mut run = begun(&first, Some(&episode), &world).await;
    run.decision = Decision::Succeeded;
    finish_on(run, &Wire::sound(&world)).await.unwrap();
    assert!(episode_of("shop", &world).await.is_none() && lease_on("shop", &world).is_none());
    world.pass_s(60);
    let second = deliver_well(&event("shop-cpu", "shop-web", "ALARM", 60), &world).await.started;
    assert_eq!(second.len(), 1);
    assert_ne!(second[0], first);
}

/// A run that somebody stops never gives anything back. The next alarm must not be counted as answered by it.
#[tokio::test]
async fn regression_an_alarm_after_a_run_that_was_stopped_starts_another() {
    let world = shop();
    let first = deliver_well(&event("shop-cpu", "shop-web", "ALARM", 0), &world).await.started.remove(0);
    world.pass_s(LEASE_TTL_S + 1);
    let answer = deliver_well(&event("shop-errors", "shop-web", "ALARM", 1_900), &world).await;
    assert_eq!((answer.started.len(), answer.joined.len()), (1, 0), "{answer:?}");
    assert_ne!(answer.started[0], first);
    assert_eq!(lease_on("shop", &world).unwrap().holder.as_str(), answer.started[0]);
    let run = begun(&answer.started[0], episode_of("shop", &world).await.map(|open| open.id).as_deref(), &world).await;
    assert_eq!(run.decision, Decision::Proceed);
}

/// Whatever call of the first delivery goes wrong, before or after it takes effect, the next delivery makes it good.
#[tokio::test]
async fn fault_a_delivery_that_breaks_at_any_call_is_made_good_by_the_next() {
    let sound = Wire::sound(&shop());
    let event = event("shop-cpu", "shop-web", "ALARM", 0);
    deliver(&event, &defaults(), &sound).await.unwrap();
    assert!(sound.calls() >= 6, "{} calls", sound.calls());
    for number in 0..sound.calls() {
        for goes in Goes::ALL {
            let world = shop();
            let broken = deliver(&event, &defaults(), &Wire::failing(&world, number, goes)).await;
            assert!(broken.is_err(), "call {number} {goes:?}: a failure must be seen, or nobody delivers again");
            deliver_well(&event, &world).await;
            assert_eq!(world.started().len(), 1, "call {number} {goes:?}");
            let episode = episode_of("shop", &world).await.unwrap();
            assert_eq!((episode.names().as_slice(), episode.started), (&["shop-cpu".to_owned()][..], true));
            let name = world.started().into_keys().next().unwrap();
            assert_eq!(lease_on("shop", &world).unwrap().holder.as_str(), name, "begin must find the lease its own");
        }
    }
}

#[tokio::test]
async fn deliveries_that_run_into_each_other_start_one_run() {
    let world = shop();
    let events: Vec<_> = (0..30u32)
        .map(|number| {
            [event, notification, action][number as usize % 3](
                &format!("shop-{}", number / 3),
                "shop-web",
                "ALARM",
                number / 3,
            )
        })
        .collect();
    let wires: Vec<Wire> = events.iter().map(|_| Wire::sound(&world)).collect();
    let config = defaults();
    let mut deliveries = tokio::task::JoinSet::new();
    for (event, wire) in events.into_iter().zip(wires) {
        let config = config.clone();
        deliveries.spawn(async move {
            tokio::task::yield_now().await;
            deliver(&event, &config, &wire).await.unwrap()
        });
    }
    let started: usize = deliveries.join_all().await.iter().map(|answer| answer.started.len()).sum();
    assert_eq!((started, world.started().len()), (1, 1));
    assert_eq!(episode_of("shop", &world).await.unwrap().alarms.len(), 10);
}

/// The same alarm transition a thousand times over all three ways at once, the calls of all deliveries shuffled.
#[test]
fn a_thousand_duplicates_at_once_start_one_run() {
    const DELIVERIES: usize = 1_000;
    let proof = Proof::begin("duplicates");
    for seed in 1..=3_u64 {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let world = shop();
        let config = defaults();
        let events = [event, notification, action].map(|way| way("shop-cpu", "shop-web", "ALARM", 0));
        let wires: Vec<Wire> = (0..DELIVERIES).map(|_| Wire::taking_turns(&world)).collect();
        let started = std::cell::Cell::new(0);
        let works = wires.iter().enumerate().map(|(number, wire)| -> Work<'_> {
            let (event, config, started) = (&events[number % 3], &config, &started);
            Box::pin(async move {
                // A failure is delivered again, as by AWS.
                while let Err(error) =
                    deliver(event, config, wire).await.map(|answer| started.set(started.get() + answer.started.len()))
                {
                    assert_eq!(error.name(), "Step.Transient", "{error}");
                }
            })
        });
        take_turns(&world, works.collect(), random);
        assert_eq!((started.get(), world.started().len()), (1, 1), "seed {seed}");
    }
    proof.survived(3 * DELIVERIES);
}

/// Ten thousand alarms within a minute, of forty applications: a run for each application, and a handful of calls for each event.
#[tokio::test]
async fn ten_thousand_alarms_in_a_minute_start_a_run_per_application_with_few_calls_each() {
    const ALARMS: u32 = 10_000;
    const APPS: u32 = 40;
    let fleets = (0..APPS).map(|number| tagged_fleet(&format!("app{number}")));
    let world = Arc::new(World::of(fleets.collect()));
    let proof = Proof::begin("alarm-storm");
    let (config, mut most, mut calls, mut started) = (defaults(), 0, 0, 0);
    for number in 0..ALARMS {
        let (alarm, fleet) = (format!("check-{number}"), format!("app{}-web", number % APPS));
        let wire = Wire::sound(&world);
        let answer = deliver(&event(&alarm, &fleet, "ALARM", number * 60 / ALARMS), &config, &wire).await.unwrap();
        started += answer.started.len();
        most = most.max(wire.calls());
        calls += wire.calls();
    }
    println!(
        "{ALARMS} alarms of {APPS} applications: {started} runs started, {calls} calls, {most} at most for an event"
    );
    assert_eq!((started, world.started().len()), (40, 40));
    assert!(most <= 12 && calls <= 7 * ALARMS as usize, "{calls} calls, {most} at most");
    proof.survived(ALARMS as usize);
}
