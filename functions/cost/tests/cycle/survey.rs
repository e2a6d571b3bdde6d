//! The survey of other accounts and Regions: a run for each, one message about all.

use crate::machine::{Ended, Machine};
use crate::shop::{DISK, Shop};
use domain::execution::Status;
use domain::ids::ResourceId;
use domain::resource::APP_TAG;
use engine::ports::Message;
use maintainer_cost::analyze::Read;
use serde_json::json;

const PLACES: &str = "applications: {shop: {mode: auto}, rest-of-account: {mode: auto}}
other_places: {accounts: ['444455556666', '777788889999'], regions: [eu-west-1, us-east-1]}";

/// A shop whose disk belongs to no application. The fakes answer the same in every place.
pub fn shop() -> Shop {
    let shop = Shop::new(PLACES, 1.0);
    shop.world.edit(&ResourceId::from(DISK), |resource| {
        resource.tags.remove(APP_TAG);
    });
    shop
}

fn survey(shop: &Shop, name: &'static str) -> Ended {
    let ended = Machine::survey(shop, name).run(json!({"trigger": "schedule"}));
    assert_eq!(ended.state, "PlacesLookedThrough", "{:?}", ended.path);
    ended
}

#[test]
fn every_place_is_looked_through_and_one_that_lets_nobody_in_fails_alone_and_is_told() {
    let shop = shop();
    let ended = survey(&shop, "week-1");
    let status = |place: &str| shop.record(&format!("cost-rest-of-{place}-week-1")).status;
    for region in ["eu-west-1", "us-east-1"] {
        assert_eq!(status(&format!("444455556666-{region}")), Status::Completed);
        assert_eq!(status(&format!("777788889999-{region}")), Status::Failed);
    }
    assert_eq!((&ended.output["looked_through"], &ended.output["incomplete"]), (&json!(2), &json!(2)));
    let told: Vec<Message> = shop.world.messages();
    assert_eq!(told.len(), 1, "one message for all, those that failed among them: {told:?}");
    assert_eq!(
        (told[0].kind.as_str(), told[0].text.as_str()),
        ("Maintainer Places", ended.output["text"].as_str().unwrap())
    );
    for part in [
        "2 other place(s) looked through: 2 thing(s) cost more than they must, about 10.00 USD a month; 2 could not be looked through.",
        "- 444455556666 eu-west-1: 5.00 USD a month, 1 thing(s), 1 new; the largest: vol-db (500 GiB of gp2)",
        "- 777788889999 in eu-west-1, us-east-1: sts:AssumeRole on arn:aws:iam::777788889999:role/maintainer-member: access denied, grant it \
         by deploying infra/member.yaml there",
        "{\"execution_id\": \"cost-rest-of-444455556666-eu-west-1-week-1\"}",
    ] {
        assert!(told[0].text.contains(part), "{part}\n\n{}", told[0].text);
    }
    assert_eq!(told[0].detail["places"].as_array().unwrap().len(), 2);
    assert_eq!(told[0].detail["not_looked_through"][0]["regions"], json!(["eu-west-1", "us-east-1"]));
    assert_eq!(
        (shop.volume(DISK).unwrap().volume_type.as_str(), shop.world.journal().len()),
        ("gp2", 0),
        "nobody's care"
    );
}

/// The bill is that of all accounts: what it says of reservations is advised at home, once, and not in every place.
#[test]
fn regression_commitments_are_not_looked_for_in_every_place() {
    let shop = shop();
    survey(&shop, "week-1");
    let elsewhere: Read =
        shop.document_of("rest-of-444455556666-eu-west-1", "cost-rest-of-444455556666-eu-west-1-week-1", 1, "estate");
    assert_eq!(elsewhere.estate.on_demand, None);
    Machine::cost(&shop, "home").run(json!({"app": "rest-of-account"}));
    let home: Read = shop.document_of("rest-of-account", "home", 1, "estate");
    assert!(home.estate.on_demand.is_some());
}

#[test]
fn what_was_told_is_told_again_only_when_a_place_is_still_closed() {
    let shop = shop();
    survey(&shop, "week-1");
    shop.pass_days(7);
    let ended = survey(&shop, "week-2");
    let told = shop.world.messages();
    assert_eq!((told.len(), &ended.output["told"]), (2, &json!(true)), "somebody must let it in");
    assert!(!told[1].text.contains("new"), "{}", told[1].text);
    let open = Shop { config: config::Config::parse(&PLACES.replace(", '777788889999'", "")).unwrap(), ..shop };
    open.pass_days(7);
    let ended = survey(&open, "week-3");
    assert_eq!((open.world.messages().len(), &ended.output["told"]), (2, &json!(false)), "nothing new, nothing closed");
    assert_eq!(ended.output["saving"], "10.00 USD a month", "whoever looks still sees it");
}

#[test]
fn a_deployment_of_one_place_ends_at_once_and_says_how_to_name_others() {
    let shop = Shop::auto();
    let ended = Machine::survey(&shop, "week-1").run(json!({}));
    assert_eq!(ended.path, ["ListPlaces", "AnyOtherPlaces", "NoOtherPlace"]);
    assert!(ended.output["why"].as_str().unwrap().contains("other_places"), "{:?}", ended.output);
}
