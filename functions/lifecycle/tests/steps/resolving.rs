//! resolve: which applications an input means.

use crate::shop::shop;
use config::Config;
use domain::execution::Cycle;
use engine::step::StepError;
use lifecycle::resolve::{Answer, Request, World, resolve};
use serde_json::{Value, json};

const TWO: &str = "applications:\n  shop: {}\n  blog: {}\n";

async fn ask(input: Value, config: &str, world: &testkit::World) -> Result<Answer, StepError> {
    ask_cycle(Cycle::Health, input, config, world).await
}

async fn ask_cycle(cycle: Cycle, input: Value, config: &str, world: &testkit::World) -> Result<Answer, StepError> {
    let request = Request { input, cycle, execution_arn: "arn:run-1".to_owned(), execution_name: "run-1".to_owned() };
    let ports = World { clock: world, inventory: world, watch: world, notifier: world, silence_s: 9 * 3_600 };
    resolve(request, &Config::parse(config).unwrap(), &ports).await
}

fn apps(answer: Answer) -> Vec<String> {
    match answer {
        Answer::One { run } => vec![run.app.to_string()],
        Answer::Many { targets } => {
            targets.iter().map(|target| target.input["app"].as_str().unwrap().to_owned()).collect()
        }
        Answer::None { .. } => Vec::new(),
    }
}

#[tokio::test]
async fn an_empty_input_means_all_that_are_configured_or_tagged_each_once() {
    let world = shop();
    assert_eq!(apps(ask(json!({}), "", &world).await.unwrap()), ["shop"]);
    assert_eq!(apps(ask(json!({}), TWO, &world).await.unwrap()), ["blog", "shop"]);
    world.set_tagged_apps(&["shop", "wiki"]);
    assert_eq!(apps(ask(json!({}), TWO, &world).await.unwrap()), ["blog", "shop", "wiki"]);
}

#[tokio::test]
async fn a_round_of_the_cost_cycle_looks_at_what_belongs_to_no_application_too() {
    let config = "applications:\n  shop: {}\n  rest-of-account: {protected: [vol-1]}\n";
    let of = async |cycle| apps(ask_cycle(cycle, json!({}), config, &shop()).await.unwrap());
    assert_eq!(of(Cycle::Cost).await, ["rest-of-account", "shop"]);
    assert_eq!(of(Cycle::Health).await, ["shop"], "it has no health");
    let by_hand = json!({"app": "rest-of-account"});
    assert_eq!(apps(ask_cycle(Cycle::Cost, by_hand.clone(), "", &shop()).await.unwrap()), ["rest-of-account"]);
    assert!(ask_cycle(Cycle::Health, by_hand, config, &shop()).await.is_err());
}

#[tokio::test]
async fn a_list_means_these_each_once() {
    let answer = ask(json!({"app": ["shop", "blog", "shop"]}), TWO, &shop()).await.unwrap();
    assert_eq!(apps(answer), ["shop", "blog"]);
}

#[tokio::test]
async fn one_application_is_cared_for_by_this_very_run() {
    let Answer::One { run } = ask(json!({"app": "shop", "mode": "observe"}), TWO, &shop()).await.unwrap() else {
        panic!()
    };
    assert_eq!((run.execution_id.as_str(), run.execution_arn.as_str()), ("run-1", "arn:run-1"));
    assert_eq!((run.mode, run.trigger.as_str()), (Some(domain::mode::Mode::Observe), "started by hand"));
}

#[tokio::test]
async fn a_child_has_a_name_of_its_own_that_stays_the_same_and_an_input_that_is_understood() {
    let ask = || async { ask(json!({"trigger": "schedule", "mode": "observe"}), TWO, &shop()).await.unwrap() };
    let (Answer::Many { targets: first }, Answer::Many { targets: again }) = (ask().await, ask().await) else {
        panic!()
    };
    assert_eq!(first, again);
    assert_ne!(first[0].name, first[1].name);
    for target in &first {
        let input = config::input::Input::parse(&target.input).unwrap();
        assert_eq!((input.apps.len(), input.mode), (1, Some(domain::mode::Mode::Observe)));
        assert_eq!(input.words(), "started by the schedule");
    }
}

#[tokio::test]
async fn an_alarm_run_keeps_its_episode_and_names_its_alarms() {
    let input = json!({"app": "shop", "trigger": "alarm", "alarms": ["shop-cpu"], "episode": "e-7"});
    let Answer::One { run } = ask(input, "", &shop()).await.unwrap() else { panic!() };
    assert_eq!((run.episode.as_deref(), run.trigger.as_str()), (Some("e-7"), "started by alarm shop-cpu"));
}

#[tokio::test]
async fn nothing_known_is_an_answer_that_says_what_to_do() {
    let Answer::None { why } = ask(json!({}), "", &testkit::World::of(Vec::new())).await.unwrap() else { panic!() };
    assert!(why.contains("tag resources with maintainer:app=<name>"), "{why}");
}

#[tokio::test]
async fn a_wrong_input_is_refused_in_one_sentence_that_says_what_was_meant() {
    let world = shop();
    for (input, says) in [
        (json!({"app": "shpo"}), "did you mean \"shop\"?"),
        (json!({"ap": "shop"}), "\"app\""),
        (json!({"app": 7}), "a name or a list of names"),
        (json!({"app": []}), "an empty list"),
        (json!({"app": "shop", "mode": "yolo"}), "observe"),
        (json!("shop"), "{\"app\": \"shop\"}"),
        (json!({"app": "x".repeat(70_000)}), "bytes"),
    ] {
        let Err(StepError::Config(why)) = ask(input.clone(), TWO, &world).await else { panic!("{input}") };
        assert!(why.contains(says) && !why.contains('\n') && why.len() < 400, "{input}: {why}");
    }
    assert!(world.started().is_empty());
}
