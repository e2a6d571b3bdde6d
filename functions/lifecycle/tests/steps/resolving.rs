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
    let request = Request {
        input,
        cycle,
        other_places: false,
        execution_arn: "arn:run-1".to_owned(),
        execution_name: "run-1".to_owned(),
    };
    answer(request, config, world).await
}

async fn answer(request: Request, config: &str, world: &testkit::World) -> Result<Answer, StepError> {
    let ports = World { clock: world, inventory: world, watch: world, notifier: world, silence_s: 9 * 3_600 };
    resolve(request, &Config::parse(config).unwrap(), &ports).await
}

/// What the state machine `survey` of account 123456789012 in us-east-1 hears.
async fn ask_places(input: Value, config: &str) -> Result<Answer, StepError> {
    let request = Request {
        input,
        cycle: Cycle::Cost,
        other_places: true,
        execution_arn: "arn:aws:states:us-east-1:123456789012:execution:m-survey:week-1".to_owned(),
        execution_name: "week-1".to_owned(),
    };
    answer(request, config, &shop()).await
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
async fn a_survey_means_every_other_account_in_every_region_but_not_home() {
    let config = "other_places: {accounts: ['444455556666', '123456789012'], regions: [us-east-1, eu-west-1]}";
    let all = ["rest-of-123456789012-eu-west-1", "rest-of-444455556666-eu-west-1", "rest-of-444455556666-us-east-1"];
    assert_eq!(apps(ask_places(json!({}), config).await.unwrap()), all);
    assert_eq!(apps(ask_places(json!({"app": all[1]}), config).await.unwrap()), [all[1]], "one is a list of one");
    let Answer::Many { targets } = ask_places(json!({"mode": "observe", "trigger": "schedule"}), config).await.unwrap()
    else {
        panic!("not a list");
    };
    assert_eq!(targets[0].name, format!("cost-{}-week-1", all[0]));
    assert_eq!(targets[0].input, json!({"app": all[0], "trigger": "schedule", "mode": "observe"}));
    let regions = "other_places: {regions: [eu-west-1]}";
    assert_eq!(apps(ask_places(json!({}), regions).await.unwrap()), [all[0]], "in the account of the deployment");
}

#[tokio::test]
async fn a_survey_without_other_places_says_how_to_name_one() {
    let Answer::None { why } = ask_places(json!({}), TWO).await.unwrap() else { panic!("there is none") };
    assert!(why.contains("other_places in maintainer.yaml"), "{why}");
    let config = "other_places: {accounts: ['444455556666'], regions: [eu-west-1]}";
    let refused = ask_places(json!({"app": "rest-of-444455556666-eu-west-2"}), config).await.unwrap_err().to_string();
    assert!(refused.contains("did you mean \"rest-of-444455556666-eu-west-1\"?"), "{refused}");
    assert!(ask_places(json!({"app": "shop"}), TWO).await.is_err(), "an application is no other place");
}

#[tokio::test]
async fn a_thousand_places_fit_into_what_a_state_hands_on() {
    let accounts: Vec<String> = (0..250).map(|number| format!("'{:012}'", 444_455_550_000_u64 + number)).collect();
    let config = format!(
        "other_places: {{accounts: [{}], regions: [ap-southeast-1, ap-southeast-2, ap-northeast-1, ap-northeast-2]}}",
        accounts.join(", ")
    );
    let input = json!({"trigger": "schedule", "scheduled_at": "2026-11-30T05:00:00Z"});
    let answer = ask_places(input, &config).await.unwrap();
    let bytes = serde_json::to_vec(&answer).unwrap().len();
    assert!(matches!(answer, Answer::Many { targets } if targets.len() == 1_000));
    assert!(bytes < 256 * 1_024, "{bytes} bytes");
}

#[tokio::test]
async fn the_rest_of_another_place_can_be_looked_at_by_hand_by_the_cost_cycle_alone() {
    let config = "other_places: {accounts: ['444455556666'], regions: [eu-west-1]}";
    let ask = async |cycle, app: &str| {
        let request = Request {
            input: json!({"app": app}),
            cycle,
            other_places: false,
            execution_arn: "arn:aws:states:us-east-1:123456789012:execution:m-cost:run-1".to_owned(),
            execution_name: "run-1".to_owned(),
        };
        answer(request, config, &shop()).await
    };
    let app = "rest-of-444455556666-eu-west-1";
    assert_eq!(apps(ask(Cycle::Cost, app).await.unwrap()), [app]);
    assert!(ask(Cycle::Health, app).await.is_err(), "it has no health");
    assert!(ask(Cycle::Cost, "rest-of-777788889999-eu-west-1").await.is_err(), "nobody has named that account");
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
