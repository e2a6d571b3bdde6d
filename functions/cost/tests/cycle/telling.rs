//! What people hear of savings that are left to them, and what is done about what belongs to no application.

use crate::machine::Machine;
use crate::shop::{Bills, DISK, Shop};
use domain::cost::bill::{Bill, Line, OnDemandLine, PlanOffer};
use domain::cost::money::UsdMicros;
use domain::ids::ResourceId;
use domain::observed::{Missing, Observed};
use domain::resource::APP_TAG;
use engine::ports::Message;
use jiff::ToSpan;
use jiff::tz::Offset;
use maintainer_cost::identify::Decided;
use serde_json::{Value, json};

const REST: &str = "rest-of-account";

fn told(shop: &Shop) -> Vec<Message> {
    shop.world.messages().into_iter().filter(|message| message.kind == "Maintainer Savings").collect()
}

/// The disk is managed by a stack, so that its change is a patch for people.
fn managed(shop: &Shop) {
    shop.world.edit(&ResourceId::from(DISK), |resource| {
        resource.tags.insert("aws:cloudformation:stack-name".to_owned(), "shop".to_owned());
        resource.tags.insert("aws:cloudformation:logical-id".to_owned(), "Disk".to_owned());
    });
}

#[test]
fn what_is_left_to_people_is_told_once_and_again_when_there_is_more() {
    let shop = Shop::auto();
    managed(&shop);
    Machine::cost(&shop, "preview").run(json!({"app": "shop", "mode": "observe"}));
    assert_eq!(told(&shop).len(), 0, "whoever asked for a preview reads it");
    for name in ["week-0", "week-1"] {
        Machine::cost(&shop, name).run(json!({"app": "shop"}));
        shop.pass_days(7);
    }
    let first = told(&shop);
    assert_eq!(first.len(), 1, "the second run has nothing new to say");
    assert!(
        first[0].subject.contains("shop: 1 thing(s) cost more than they must, about 5.00 USD a month"),
        "{first:?}"
    );
    let line = "- new: 5.00 USD a month, low risk: vol-db (500 GiB of gp2) would cost less as gp3";
    assert!(first[0].text.contains(line), "{}", first[0].text);
    assert_eq!(first[0].detail["left"][0]["is_new"], Value::Bool(true));
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp2", "its template does it");
}

#[test]
fn what_belongs_to_no_application_is_told_and_never_changed() {
    let shop = Shop::auto();
    shop.world.edit(&ResourceId::from(DISK), |resource| {
        resource.tags.remove(APP_TAG);
    });
    let ended = Machine::cost(&shop, "rest-1").run(json!({"app": REST}));
    assert_eq!(ended.state, "Previewed", "{:?}", ended.path);
    assert_eq!((shop.volume(DISK).unwrap().volume_type.as_str(), shop.world.journal().len()), ("gp2", 0));
    let decided: Decided = shop.document_of(REST, "rest-1", 1, "analysis");
    let line = decided.plan.passed_over.iter().find(|line| line.resource.as_str() == DISK).unwrap();
    assert!(line.reason.contains("tag it maintainer:app=<name>"), "{}", line.reason);
    let told = told(&shop);
    assert!(told.len() == 1 && told[0].text.starts_with("what belongs to no application: 1 thing(s)"), "{told:?}");
    Machine::cost(&shop, "rest-2").run(json!({"app": REST}));
    assert_eq!(self::told(&shop).len(), 1, "told once");
}

/// Ten instances on each of so many days, at 0.10 USD an hour.
fn ten_instances(shop: &Shop, days: i64) -> Bill {
    let to = Offset::UTC.to_datetime(shop.world.now()).date();
    let from = to.checked_sub(days.days()).unwrap();
    let (cost, hours, usage_type) = (UsdMicros(24_000_000), 240.0, "BoxUsage:m5.large".to_owned());
    let each = || (0..days).map(|number| from.checked_add(number.days()).unwrap());
    let line = |day| Line {
        day,
        service: "Amazon Elastic Compute Cloud - Compute".to_owned(),
        usage_type: usage_type.clone(),
        cost,
        quantity: hours,
        unit: "Hrs".to_owned(),
        is_estimated: false,
    };
    let metered =
        |day| OnDemandLine { day, usage_type: usage_type.clone(), operation: "RunInstances".to_owned(), cost, hours };
    Bill {
        from,
        to,
        currency: "USD".to_owned(),
        lines: each().map(line).collect(),
        by_app: Vec::new(),
        on_demand: Some(each().map(metered).collect()),
        plan: Observed::Known(None),
        calls: 3,
    }
}

#[test]
fn reservations_are_looked_for_once_in_the_account_and_told_with_what_they_save() {
    let mut shop = Shop::auto();
    shop.bills = Bills::Fixed(Ok(ten_instances(&shop, 30)));
    Machine::cost(&shop, "app").run(json!({"app": "shop", "mode": "observe"}));
    Machine::cost(&shop, "rest").run(json!({"app": REST}));
    let reserved = |app: &str, name: &str| {
        let decided: Decided = shop.document_of(app, name, 1, "analysis");
        decided.opportunities.into_iter().find(|one| one.rule.as_str() == "reserved_capacity")
    };
    assert_eq!(reserved("shop", "app"), None, "the bill is that of the whole account");
    // 7 x 730 h x (0.10 - 0.05) USD: that of the bill less that of the list.
    let found = reserved(REST, "rest").unwrap();
    assert_eq!(found.saving.known().map(|saving| saving.likely), Some(UsdMicros(255_500_000)));
    let told = told(&shop);
    assert!(told.iter().any(|message| message.text.contains("could be reserved for a year")), "{told:?}");
}

#[test]
fn a_savings_plan_is_told_in_place_of_reservations_of_the_same_instances() {
    let mut shop = Shop::auto();
    let usd = |cents: i64| UsdMicros(cents * 10_000);
    let offer = PlanOffer { least_hour: usd(100), mean_hour: usd(100), commitment_hour: usd(72), rate: 0.72 };
    shop.bills = Bills::Fixed(Ok(Bill { plan: Observed::Known(Some(offer)), ..ten_instances(&shop, 30) }));
    Machine::cost(&shop, "rest").run(json!({"app": REST}));
    let decided: Decided = shop.document_of(REST, "rest", 1, "analysis");
    let rules: Vec<&str> = decided.opportunities.iter().map(|one| one.rule.as_str()).collect();
    assert!(rules.contains(&"savings_plan") && !rules.contains(&"reserved_capacity"), "{rules:?}");
    let told = told(&shop);
    assert!(
        told.iter().any(|message| message.text.contains("0.504 an hour could be committed for a year")),
        "{told:?}"
    );
}

#[test]
fn fault_where_aws_does_not_say_what_a_plan_would_cover_reservations_are_told_and_the_record_says_why() {
    let mut shop = Shop::auto();
    let denied = Missing::Denied("ce:GetSavingsPlansPurchaseRecommendation".to_owned());
    shop.bills = Bills::Fixed(Ok(Bill { plan: Observed::Missing(denied), ..ten_instances(&shop, 30) }));
    Machine::cost(&shop, "rest").run(json!({"app": REST}));
    let decided: Decided = shop.document_of(REST, "rest", 1, "analysis");
    assert!(decided.opportunities.iter().any(|one| one.rule.as_str() == "reserved_capacity"));
    let said = &decided.analysis.unmeasured;
    assert!(said.iter().any(|line| line.starts_with("a Savings Plan for the account (")), "{said:?}");
}

#[test]
fn fault_where_the_bill_is_too_short_no_reservation_is_advised_and_the_record_says_why() {
    let mut shop = Shop::auto();
    shop.bills = Bills::Fixed(Ok(ten_instances(&shop, 27)));
    Machine::cost(&shop, "rest").run(json!({"app": REST}));
    let decided: Decided = shop.document_of(REST, "rest", 1, "analysis");
    assert!(decided.opportunities.iter().all(|one| one.rule.as_str() != "reserved_capacity"));
    let said = &decided.analysis.unmeasured;
    assert!(said.iter().any(|line| line.contains("27 whole days")), "{said:?}");
    // What was not read is not said to be without waste.
    let nothing = decided.analysis.no_opportunity_because.unwrap_or_default();
    assert!(nothing.contains("not looked at") && nothing.contains("27 whole days"), "{nothing}");
    let conclusion = shop.record("rest").conclusion.unwrap_or_default();
    assert!(conclusion.contains("not looked at"), "{conclusion}");
}
