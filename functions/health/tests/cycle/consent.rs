//! What needs an approval waits for it: yes, no, silence, and what goes on meanwhile.

use crate::machine::{Machine, Reply};
use crate::shop::{FLEET, SERVERS, Shop, Weather, surge};
use domain::approval::{Approval, RequestState, Via};
use domain::execution::{Cycle, Status};
use engine::ports::{LeaseAnswer, Leases};
use engine::run::lease_key;
use serde_json::json;
use testkit::build;

const ASKS: &str = "applications:\n  shop:\n    mode: approve\n";

fn sick(config: &str) -> Shop {
    Shop::new(Weather { load: surge, ..Weather::default() }, config)
}

/// The id that the change of the first iteration will have.
fn change_id() -> String {
    let kind = domain::change::ChangeKind::SetFleetCapacity;
    domain::change::id(&crate::shop::RUN.into(), 1, kind, &FLEET.into()).to_string()
}

#[test]
fn a_yes_lets_the_change_be_made_verified_and_kept_and_names_who_said_it() {
    let shop = sick(ASKS);
    let mut machine = Machine::on(&shop);
    machine.people.push(Reply::yes(&[&change_id()]));
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!(ended.state, "Healthy", "{:?}", ended.path);
    assert_eq!(shop.servers(), 7);
    assert_eq!(ended.path.iter().filter(|state| *state == "AskPeople").count(), 1);
    let entry = &shop.world.journal()[0];
    let Some(Approval::Given { by, remark, via, .. }) = &entry.approval else { panic!("{entry:#?}") };
    assert_eq!((by.as_str(), remark.as_str(), *via), ("Ada", "as agreed", Via::Link));
    let [answer] = shop.record().answers.try_into().unwrap();
    assert_eq!((answer.by.as_deref(), answer.approved.len(), answer.denied.len()), (Some("Ada"), 1, 0));
    shop.assert_sound("after a yes");
    let question = &shop.world.messages()[0];
    for part in [
        "set the capacity of shop-web to 7",
        "(now 4)",
        "https://page.example/?app=shop&request=",
        "no answer means no",
    ] {
        assert!(question.text.contains(part), "{}", question.text);
    }
}

#[test]
fn a_no_ends_the_run_and_nothing_is_changed_or_asked_again_until_later() {
    let shop = sick(ASKS);
    let mut machine = Machine::on(&shop);
    machine.people.push(Reply::no());
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(!ended.path.contains(&"Escalate".to_owned()), "who said no need not be told: {:?}", ended.path);
    let record = shop.record();
    assert_eq!((shop.deeds().len(), shop.servers(), record.status), (0, SERVERS, Status::Escalated));
    assert!(record.conclusion.unwrap().contains("Ada said no by the link: as agreed"));
    let again = Machine::named(&shop, "run-2").run(json!({"app": "shop"}));
    assert!(!again.path.contains(&"AskPeople".to_owned()), "{:?}", again.path);
    assert_eq!((shop.deeds().len(), shop.world.requests().len()), (0, 1));
}

#[test]
fn silence_means_no_and_people_are_told() {
    let shop = sick(ASKS);
    let ended = Machine::on(&shop).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(ended.path.contains(&"Escalate".to_owned()), "{:?}", ended.path);
    assert_eq!((shop.deeds().len(), shop.servers()), (0, SERVERS));
    assert_eq!(shop.world.requests()[0].state, RequestState::Lapsed);
    let told = shop.world.messages().pop().unwrap().text;
    assert!(told.contains("nobody answered"), "{told}");
    shop.assert_sound("after silence");
}

#[test]
fn an_answer_on_the_command_line_counts_and_what_is_not_understood_is_a_no() {
    for (said, servers, approved) in [
        (json!({"approved": true, "by": "root", "remark": "go"}), 7, 1),
        (json!({"approved": [change_id()], "by": "root"}), 7, 1),
        (json!({"approved": false, "by": "root"}), SERVERS, 0),
        (json!({"approved": "yes"}), SERVERS, 0),
        (json!("yes"), SERVERS, 0),
        (json!({"approved": ["another-change"]}), SERVERS, 0),
    ] {
        let shop = sick(ASKS);
        let mut machine = Machine::on(&shop);
        machine.people.push(Reply::CommandLine(said.clone()));
        let _ended = machine.run(json!({"app": "shop"}));
        let [answer] = shop.record().answers.try_into().unwrap();
        assert_eq!((shop.servers(), answer.approved.len()), (servers, approved), "{said}");
        assert_eq!(answer.via, Some(Via::CommandLine), "{said}");
    }
}

#[test]
fn no_lease_is_held_while_a_person_thinks_and_another_run_does_not_ask_again() {
    let shop = sick(ASKS);
    let mut machine = Machine::on(&shop);
    machine.stopped_at = Some("TakeAnswer");
    let _waiting = machine.run(json!({"app": "shop"}));
    assert_eq!(shop.lease(), None, "an alarm could start another run");
    // That one waits for the answer of the first, and says so.
    shop.world.jump(jiff::SignedDuration::from_secs(-1_800));
    let ended = Machine::named(&shop, "run-2").run(json!({"app": "shop"}));
    assert!(!ended.path.contains(&"AskPeople".to_owned()), "{:?}", ended.path);
    assert_eq!(shop.world.requests().len(), 1);
}

#[test]
fn a_yes_waits_for_another_run_and_then_measures_anew() {
    let shop = sick(ASKS);
    let mut machine = Machine::on(&shop);
    machine.people.push(Reply::yes(&[&change_id()]));
    machine.before.insert("TakeAnswer", |shop| {
        let key = lease_key(Cycle::Health, &"shop".into());
        let taken = crate::shop::ready(shop.world.acquire(&key, &"other".into(), shop.world.now(), 600)).unwrap();
        assert!(matches!(taken, LeaseAnswer::Held(_)));
    });
    let ended = machine.run(json!({"app": "shop"}));
    assert!(ended.path.iter().filter(|state| *state == "WaitForOtherRun").count() >= 1, "{:?}", ended.path);
    assert_eq!((ended.state.as_str(), shop.servers()), ("Healthy", 7));
    shop.assert_sound("after waiting");
}

#[test]
fn a_yes_is_not_used_when_the_application_got_well_meanwhile() {
    // The load falls back before anybody answers.
    fn short(at: jiff::Timestamp) -> f64 {
        if at < build::after_s(60) { surge(at) } else { 2.0 }
    }
    let shop = Shop::new(Weather { load: short, ..Weather::default() }, ASKS);
    let mut machine = Machine::on(&shop);
    let Reply::Link(given, _) = Reply::yes(&[&change_id()]) else { unreachable!() };
    machine.people.push(Reply::Link(given, 1_800));
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.deeds().len(), shop.servers()), ("Healthy", 0, SERVERS), "{:?}", ended.path);
}

#[test]
fn every_step_of_asking_may_come_twice() {
    let shop = sick(ASKS);
    let mut machine = Machine::on(&shop).twice();
    machine.people.push(Reply::yes(&[&change_id()]));
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("Healthy", 7), "{:?}", ended.path);
    assert_eq!((shop.world.requests().len(), shop.record().answers.len()), (1, 1));
    shop.assert_sound("asked twice");
}
