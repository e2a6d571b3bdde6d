//! Rounds over several applications, one of which nobody looks after.

use crate::shop::{begin_on, finish_on, start};
use crate::wire::{Goes, Wire};
use config::Config;
use domain::execution::Cycle;
use engine::run::{Caught, Decision, Run};
use lifecycle::begin;
use lifecycle::resolve::{self, Answer, Request, Start, resolve};
use lifecycle::silence::SILENCE;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::World;

const LIMIT_S: u32 = 9 * 3_600;
const ROUND_S: u32 = 4 * 3_600;

fn studio() -> Arc<World> {
    let world = World::of(Vec::new());
    world.set_tagged_apps(&["blog", "shop"]);
    Arc::new(world)
}

/// A round of the schedule.
async fn round_on(wire: &Wire) -> Answer {
    let request = Request {
        input: json!({"trigger": "schedule"}),
        cycle: Cycle::Health,
        other_places: false,
        execution_arn: "arn:aws:states:us-east-1:123456789012:execution:m-health:round".to_owned(),
        execution_name: "round".to_owned(),
    };
    let world = resolve::World { clock: wire, inventory: wire, watch: wire, notifier: wire, silence_s: LIMIT_S };
    resolve(request, &Config::parse("").unwrap(), &world).await.unwrap()
}

/// A run on an application that ends.
async fn run(app: &str, error: Option<Caught>, world: &Arc<World>) {
    let wire = Wire::sound(world);
    let begun = begin_on(Start { app: app.into(), ..start(&format!("{app}-{}", world.now()), None) }, &wire).await;
    let begin::Answer::Run(run) = begun.unwrap() else { panic!("{app} is taken") };
    finish_on(Run { decision: Decision::Escalate, error, ..*run }, &wire).await.unwrap();
}

/// A round every four hours, in which these applications are looked after.
async fn rounds(number: u32, looked_after: &[&str], world: &Arc<World>) {
    for _ in 0..number {
        round_on(&Wire::sound(world)).await;
        world.pass_s(600);
        for app in looked_after {
            run(app, None, world).await;
        }
        world.pass_s(ROUND_S - 600);
    }
}

/// Applications that the notices named, by notice.
fn notices(world: &World) -> Vec<Vec<String>> {
    let named = |detail: &Value| -> Vec<String> {
        detail["apps"].as_array().unwrap().iter().map(|one| one["app"].as_str().unwrap().to_owned()).collect()
    };
    world.messages().iter().filter(|message| message.kind == SILENCE).map(|message| named(&message.detail)).collect()
}

#[tokio::test]
async fn applications_that_are_looked_after_and_a_fresh_stack_are_no_news() {
    let world = studio();
    rounds(12, &["blog", "shop"], &world).await;
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn an_application_that_is_left_out_is_told_once_while_the_others_are_looked_after() {
    let world = studio();
    rounds(1, &["blog", "shop"], &world).await;
    rounds(2, &["blog"], &world).await;
    assert!(notices(&world).is_empty(), "not before the limit");
    rounds(20, &["blog"], &world).await;
    assert_eq!(notices(&world), [["shop"]]);
    rounds(1, &["blog", "shop"], &world).await;
    rounds(3, &["blog"], &world).await;
    assert_eq!(notices(&world), [["shop"], ["shop"]], "a second silence is told again");
}

#[tokio::test]
async fn one_notice_names_all_and_reads_well() {
    let world = studio();
    rounds(1, &["shop"], &world).await;
    rounds(4, &[], &world).await;
    assert_eq!(notices(&world), [["blog", "shop"]]);
    let [message] = world.messages().try_into().unwrap();
    assert!(message.subject.is_ascii() && message.subject.len() <= 100 && message.subject.contains("2 applications"));
    for part in ["over 9 hours", "blog: never", "shop: last at 2026-01-01T00:10:00Z", "https://us-east-1.console"] {
        assert!(message.text.contains(part), "{part} is not in\n{}", message.text);
    }
}

#[tokio::test]
async fn a_notice_has_the_documented_fields() {
    let world = studio();
    rounds(4, &["blog"], &world).await;
    let [message] = world.messages().try_into().unwrap();
    let page = include_str!("../../../../docs/events.md");
    let part = page.split("A notice of silence").nth(1).unwrap().split("It is sent once").next().unwrap();
    let documented: BTreeSet<&str> =
        part.split('`').skip(1).step_by(2).map(|word| word.trim_end_matches("[]")).collect();
    let item = message.detail["apps"][0].as_object().unwrap();
    let sent = message.detail.as_object().unwrap().keys().chain(item.keys()).map(String::as_str);
    let outside = [SILENCE, "DeadManHours", "maintainer.yaml"];
    assert_eq!(sent.chain(outside).collect::<BTreeSet<_>>(), documented);
}

#[tokio::test]
async fn a_run_that_fails_each_time_is_no_look_and_one_that_hands_over_to_people_is() {
    let world = studio();
    for _ in 0..4 {
        round_on(&Wire::sound(&world)).await;
        world.pass_s(600);
        run("blog", None, &world).await;
        let failure = Caught { name: "Step.Bug".to_owned(), cause: "it broke".to_owned() };
        run("shop", Some(failure), &world).await;
        world.pass_s(ROUND_S - 600);
    }
    assert_eq!(notices(&world), [["shop"]]);
}

#[tokio::test]
async fn an_application_that_was_just_added_is_no_news() {
    let world = studio();
    rounds(6, &["blog", "shop"], &world).await;
    world.set_tagged_apps(&["blog", "shop", "wiki"]);
    rounds(3, &["blog", "shop"], &world).await;
    assert!(notices(&world).is_empty());
    rounds(1, &["blog", "shop"], &world).await;
    assert_eq!(notices(&world), [["wiki"]]);
}

#[tokio::test]
async fn an_application_that_dropped_out_is_told_once_and_forgotten() {
    let world = studio();
    rounds(2, &["blog", "shop"], &world).await;
    world.set_tagged_apps(&["blog"]);
    rounds(20, &["blog"], &world).await;
    assert_eq!(notices(&world), [["shop"]]);
    let told = world.messages().remove(0);
    assert!(told.text.contains("no resource carries its tag any more") && told.detail["apps"][0]["known"] == false);
    world.set_tagged_apps(&["blog", "shop"]);
    rounds(3, &["blog"], &world).await;
    assert_eq!(notices(&world).len(), 1, "once it comes back it is new");
}

#[tokio::test]
async fn a_run_for_one_application_is_no_round() {
    let world = studio();
    rounds(1, &["blog", "shop"], &world).await;
    world.pass_s(5 * ROUND_S);
    let request = Request {
        input: json!({"app": "blog"}),
        cycle: Cycle::Health,
        other_places: false,
        execution_arn: String::new(),
        execution_name: "one".to_owned(),
    };
    let wire = Wire::sound(&world);
    let ports = resolve::World { clock: &wire, inventory: &wire, watch: &wire, notifier: &wire, silence_s: LIMIT_S };
    resolve(request, &Config::parse("").unwrap(), &ports).await.unwrap();
    assert!(world.messages().is_empty());
}

/// The watch may break; the round goes on, and the next one tells what this one could not.
#[tokio::test]
async fn fault_a_watch_that_breaks_at_any_call_keeps_nobody_from_being_looked_after() {
    let silent = || async {
        let world = studio();
        rounds(3, &["blog"], &world).await;
        world
    };
    let calls = {
        let wire = Wire::sound(&silent().await);
        round_on(&wire).await;
        wire.calls()
    };
    // The first call asks for the tags: without them there is no round.
    for number in 1..calls {
        for goes in Goes::ALL {
            let world = silent().await;
            let answer = round_on(&Wire::failing(&world, number, goes)).await;
            assert!(matches!(answer, Answer::Many { targets } if targets.len() == 2), "call {number} {goes:?}");
            world.pass_s(600);
            run("blog", None, &world).await;
            world.pass_s(ROUND_S - 600);
            rounds(3, &["blog"], &world).await;
            let told = notices(&world);
            assert!((1..=2).contains(&told.len()) && told[0] == ["shop"], "call {number} {goes:?}: {told:?}");
        }
    }
}
