//! Applications of other places: whose alarms count, and where a run finds its application.

use crate::shop::{HOME, begin_with, deliver, event, inputs, notification, place, shop, start, tagged_fleet};
use crate::wire::{Goes, Wire};
use config::Config;
use engine::run::ENDPOINTS_MAX;
use engine::step::StepError;
use lifecycle::begin::Answer;
use lifecycle::dispatch;
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::World;

/// Region and account of a place that is not the deployment's.
const THERE: (&str, &str) = ("eu-west-1", "444455556666");
/// An account in which nothing lives.
const STRANGER: (&str, &str) = ("us-east-1", "999999999999");

/// The shop lives elsewhere; the blog is only tagged, and lives at home.
fn config() -> Config {
    Config::parse("applications:\n  shop:\n    accounts: [444455556666]\n    regions: [eu-west-1]\n").unwrap()
}

/// An alarm that goes off in a place, as the bus delivers it.
fn event_of((region, account): (&str, &str), alarm: &str, fleet: &str) -> Value {
    let mut event = event(alarm, fleet, "ALARM", 0);
    event["account"] = json!(account);
    event["region"] = json!(region);
    event["resources"][0] = json!(arn_of((region, account), alarm));
    event
}

fn arn_of((region, account): (&str, &str), alarm: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}")
}

fn wire(home: &Arc<World>, there: &Arc<World>) -> Wire {
    Wire::sound(home).with_place(place(THERE), there).with_place(place(STRANGER), &shop())
}

async fn handled(event: &Value, home: &Arc<World>, there: &Arc<World>) -> dispatch::Answer {
    deliver(event, &config(), &wire(home, there)).await.unwrap()
}

#[tokio::test]
async fn an_alarm_of_another_place_starts_the_application_that_lives_there() {
    let (home, there) = (Arc::new(World::of(vec![tagged_fleet("blog")])), shop());
    assert_eq!(handled(&event_of(THERE, "cpu", "shop-web"), &home, &there).await.started.len(), 1);
    assert_eq!(inputs(&home)[0]["app"], "shop");
    let tagged = arn_of(THERE, "checks");
    there.set_alarm_tags(&tagged, &[("maintainer:app", "shop")]);
    let answer = handled(&event_of(THERE, "checks", "no-fleet"), &home, &there).await;
    assert_eq!(answer.joined, ["shop".into()], "found by its tag, and told to the run under way");
}

/// Whoever may raise alarms in one account must not be able to set off runs on the applications of another.
#[tokio::test]
async fn an_alarm_never_matches_an_application_that_does_not_live_where_it_stands() {
    let (home, there) = (Arc::new(World::of(vec![tagged_fleet("blog"), tagged_fleet("shop")])), shop());
    // The other account has a fleet and an alarm that bear the name and the tag of an application at home.
    for (place, alarm) in [(THERE, "a"), (STRANGER, "b"), (("eu-west-1", HOME.1), "c"), ((HOME.0, THERE.1), "d")] {
        for world in [&home, &there] {
            world.set_alarm_tags(&arn_of(place, alarm), &[("maintainer:app", "blog")]);
        }
        let answer = handled(&event_of(place, alarm, "blog-web"), &home, &there).await;
        assert!(answer.started.is_empty() && answer.joined.is_empty(), "{place:?}: {answer:?}");
        assert_eq!(answer.ignored.len(), 1);
    }
    // And the other way round: what is left at home under the name of an application that lives elsewhere.
    home.set_alarm_tags(&arn_of(HOME, "e"), &[("maintainer:app", "shop")]);
    let answer = handled(&event_of(HOME, "e", "shop-web"), &home, &there).await;
    assert!(answer.started.is_empty() && answer.joined.is_empty(), "{answer:?}");
    assert!(home.started().is_empty());
}

#[tokio::test]
async fn an_alarm_of_a_place_in_which_nothing_lives_starts_nothing_and_reads_nothing() {
    let home = shop();
    for (place, words) in [
        (STRANGER, "cpu: no application lives in account 999999999999 in us-east-1"),
        (("eu-west-1", HOME.1), "cpu: no application lives in account 123456789012 in eu-west-1"),
    ] {
        let wire = wire(&home, &shop());
        let answer = deliver(&event_of(place, "cpu", "shop-web"), &config(), &wire).await.unwrap();
        assert_eq!((answer.ignored, wire.calls()), (vec![words.to_owned()], 0));
    }
}

/// A topic or a function can be reached by whoever may publish or invoke in the own account; only the bus says who sent it.
#[tokio::test]
async fn an_alarm_of_another_place_is_believed_only_when_it_comes_over_the_bus() {
    let home = shop();
    let mut forged = notification("cpu", "shop-web", "ALARM", 0);
    let message = forged["Records"][0]["Sns"]["Message"].as_str().unwrap();
    forged["Records"][0]["Sns"]["Message"] = json!(message.replace(HOME.0, THERE.0).replace(HOME.1, THERE.1));
    let answer = handled(&forged, &home, &shop()).await;
    assert_eq!(
        answer.ignored,
        ["cpu: it is not an alarm of account 123456789012 in us-east-1; those of other places come over the event bus"]
    );
    let mut forged = event_of(THERE, "cpu", "shop-web");
    forged["account"] = json!(STRANGER.1);
    assert!(handled(&forged, &home, &shop()).await.parked.unwrap().contains("the event's account and region"));
    assert!(home.started().is_empty());
}

#[tokio::test]
async fn fault_a_place_that_does_not_let_us_in_is_named_and_the_event_comes_again() {
    let home = shop();
    let closed = Wire::sound(&home);
    let error = deliver(&event_of(THERE, "cpu", "shop-web"), &config(), &closed).await.unwrap_err();
    assert!(matches!(&error, StepError::Config(why) if why.contains("the role in account 444455556666 in eu-west-1")));
    let throttled = Wire::failing(&home, 1, Goes::Throttled).with_place(place(THERE), &shop());
    assert!(deliver(&event_of(THERE, "cpu", "shop-web"), &config(), &throttled).await.is_err());
    let answer = handled(&event_of(THERE, "cpu", "shop-web"), &home, &shop()).await;
    assert_eq!(answer.started.len(), 1, "nothing was marked as handled");
}

#[tokio::test]
async fn a_run_is_bound_to_the_place_that_is_configured_when_it_begins() {
    for (file, expected) in [
        ("", None),
        ("applications:\n  shop:\n    regions: [us-east-1]\n", None),
        ("applications:\n  shop:\n    regions: [eu-west-1]\n", Some(place(("eu-west-1", HOME.1)))),
        ("applications:\n  shop:\n    accounts: [444455556666]\n", Some(place((HOME.0, THERE.1)))),
    ] {
        let config = Config::parse(file).unwrap();
        let Answer::Run(run) = begin_with(start("run-1", None), &config, &Wire::sound(&shop())).await.unwrap() else {
            panic!("the shop is free")
        };
        assert_eq!(run.place, expected, "{file}");
        assert!(run.endpoints.is_empty(), "{file}");
    }
}

#[tokio::test]
async fn a_run_knows_the_first_addresses_of_its_application() {
    let addresses: Vec<String> = (0..7).map(|number| format!("https://{number}.example.com/")).collect();
    let config = Config::parse(&format!("applications:\n  shop:\n    endpoints: {}\n", json!(addresses))).unwrap();
    let Answer::Run(run) = begin_with(start("run-1", None), &config, &Wire::sound(&shop())).await.unwrap() else {
        panic!("the shop is free")
    };
    assert_eq!(run.endpoints, addresses[..ENDPOINTS_MAX]);
}
