//! A person orders back what a run has verified: refused while an incident is open or a surge is announced, told, and nothing
//! changed. And what was rolled back is made again only with a yes.

use crate::machine::{Ended, Machine};
use crate::shop::{FLEET, RUN, SERVERS, Shop, Weather, ready, surge};
use domain::approval::Approval;
use domain::execution::Status;
use domain::snapshot::{Alarm, AlarmState};
use engine::ports::EntryState;
use harness::Reply;
use lifecycle::explain;
use serde_json::{Value, json};
use testkit::build;

const BACK: &str = "back-1";
const AUTO: &str = "applications:\n  shop:\n    mode: auto\n";

fn healed(config: &str) -> Shop {
    let shop = Shop::new(Weather { load: surge, ..Weather::default() }, config);
    assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
    assert!(shop.servers() > SERVERS);
    shop
}

fn order(shop: &Shop, order: Value) -> Ended {
    Machine::rollback(shop, BACK).run(order)
}

/// Ordered, refused with these words, told, and nothing changed.
fn assert_refused(shop: &Shop, word: &str) {
    let (servers, writes) = (shop.servers(), shop.world.ledger().len());
    let preview = order(shop, json!({"execution_id": RUN, "mode": "observe"}));
    let would = preview.output["preview"][0].as_str().unwrap_or_default();
    assert!(would.contains("would be refused") && would.contains(word), "{word}: {would}");
    let ended = Machine::rollback(shop, "back-2").run(json!({"execution_id": RUN}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", servers), "{word}");
    assert_eq!((shop.world.ledger().len(), shop.lease()), (writes, None), "{word}");
    let [entry] = shop.world.journal().try_into().unwrap();
    assert_eq!((entry.state, entry.rolled_back), (EntryState::Kept, false), "{word}");
    let told = shop.world.messages().pop().unwrap();
    assert!(told.text.contains(word) && told.subject.contains("not everything could be undone"), "{}", told.text);
    assert!(!told.text.contains("What was to be undone"), "it has touched nothing: {}", told.text);
    let held_back = told.text.split("What was ordered and held back:").nth(1).expect("it is told by itself");
    assert!(held_back.contains(&format!("(back to {SERVERS}): ")) && held_back.contains(word), "{held_back}");
    assert!(told.detail["held_back"][0].as_str().unwrap().contains(word), "{}", told.detail);
    let record = shop.record_of("back-2");
    assert_eq!((record.status, record.iterations[0].undone), (Status::Escalated, 0), "{word}");
    let world = &*shop.world;
    let ports = explain::World { executions: world, journal: world, artifacts: world };
    let story = ready(explain::explain(&json!({"execution_id": "back-2"}), &ports)).unwrap().text;
    assert!(story.contains("refused: ") && story.contains(word), "{story}");
}

#[test]
fn a_rollback_is_refused_while_an_alarm_rings() {
    let shop = healed(AUTO);
    let alarm = |state| vec![Alarm { name: "shop-cpu".to_owned(), state, since: None, reason: String::new() }];
    shop.world.set_alarms(alarm(AlarmState::Alarm));
    assert_refused(&shop, "an incident is open, 1 of its alarms in ALARM: shop-cpu");
    shop.world.set_alarms(alarm(AlarmState::Ok));
    let ended = Machine::rollback(&shop, "back-3").run(json!({"execution_id": RUN}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("RolledBack", SERVERS), "once it is silent");
}

#[test]
fn a_rollback_is_refused_after_a_run_that_handed_the_application_over_until_one_finds_it_well() {
    // From three hours on nothing arrives for an hour.
    let arrives = |at| !(build::after_s(10_800)..build::after_s(14_400)).contains(&at);
    let shop = Shop::new(Weather { load: surge, arrives, ..Weather::default() }, AUTO);
    assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
    let now_s = |shop: &Shop| shop.world.now().duration_since(build::START).as_secs();
    shop.world.pass_s(u32::try_from(11_400 - now_s(&shop)).unwrap());
    assert_eq!(Machine::health(&shop, "run-2").run(json!({"app": "shop"})).state, "HandedToPeople");
    assert_refused(&shop, "run run-2 handed it over to people");
    shop.world.pass_s(u32::try_from(15_000 - now_s(&shop)).unwrap());
    assert_eq!(Machine::health(&shop, "run-3").run(json!({"app": "shop"})).state, "Healthy");
    let ended = Machine::rollback(&shop, "back-3").run(json!({"execution_id": RUN}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("RolledBack", SERVERS), "{:#}", ended.output);
}

#[test]
fn a_rollback_is_refused_from_the_announcement_of_a_surge_until_its_end() {
    // The world begins with 2026; the run takes a while.
    let announced = |from: &str, lead_h: u32| {
        format!("{AUTO}    surges: [{{name: sale, from: {from}, to: 2026-01-05, lead_h: {lead_h}}}]\n")
    };
    let shop = healed(&announced("2026-01-02", 24));
    assert_refused(
        &shop,
        "a surge is announced (sale: 2026-01-02 00:00 to 2026-01-06 00:00 UTC, announced 24 h ahead)",
    );
    let early = healed(&announced("2026-01-04", 24));
    let ended = order(&early, json!({"execution_id": RUN}));
    assert_eq!((ended.state.as_str(), early.servers()), ("RolledBack", SERVERS), "it is not announced yet");
}

#[test]
fn a_rollback_is_refused_while_a_run_waits_for_an_answer() {
    let shop = healed("applications:\n  shop:\n    mode: {set_fleet_capacity: auto, replace_instance: approve}\n");
    let mut waits = shop.record_of(RUN);
    (waits.execution_id, waits.status, waits.completed_at) = ("run-2".into(), Status::Running, None);
    waits.started_at = shop.world.now();
    ready(engine::ports::Executions::save(&*shop.world, &waits)).unwrap();
    assert_refused(&shop, "run run-2 is at work on it");
}

/// What was rolled back is needed again two hours later. A person is asked although the mode is auto.
fn needed_again(people: &[Reply]) -> (Shop, Ended) {
    let shop = healed(AUTO);
    assert_eq!(order(&shop, json!({"execution_id": RUN})).state, "RolledBack");
    shop.world.pass_s(7_200);
    let mut machine = Machine::health(&shop, "run-2");
    machine.people = people.to_vec();
    let ended = machine.run(json!({"app": "shop"}));
    (shop, ended)
}

#[test]
fn what_a_person_had_rolled_back_is_not_made_again_without_a_yes() {
    let (shop, ended) = needed_again(&[]);
    assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", SERVERS), "{:?}", ended.path);
    let question = shop.world.messages().into_iter().find(|told| told.subject.contains("may I change")).unwrap();
    assert!(question.text.contains("a person had the same rolled back"), "{}", question.text);

    let kind = domain::change::ChangeKind::SetFleetCapacity;
    let id = domain::change::id(&"run-2".into(), 1, kind, &FLEET.into()).to_string();
    let (shop, ended) = needed_again(&[Reply::yes(&[&id])]);
    assert_eq!(ended.state, "Healthy", "{:?}", ended.path);
    assert!(shop.servers() > SERVERS);
    let again = shop.world.journal().into_iter().find(|entry| entry.execution.as_str() == "run-2").unwrap();
    assert!(matches!(again.approval, Some(Approval::Given { .. })), "{again:#?}");
}

/// A remedy that was made as often as a day allows is a finding with its evidence, and people are told it.
#[test]
fn a_remedy_that_is_needed_again_and_again_is_told_as_a_finding() {
    let config = format!("{AUTO}    limits: {{repeats_per_day_max: 1}}\n");
    let growing = |at| if at < build::after_s(7_200) { surge(at) } else { 6.8 };
    let shop = Shop::new(Weather { load: growing, ..Weather::default() }, &config);
    assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
    let servers = shop.servers();
    shop.world.pass_s(7_200);
    let ended = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", servers), "{:?}", ended.path);
    let told = shop.world.messages().pop().unwrap();
    let finding = "repeated_remedy (high): set_fleet_capacity was made here 1 times within a day, helped 1 times";
    assert!(told.text.contains(finding), "{}", told.text);
    assert!(told.text.contains("the remedy only hides that"), "{}", told.text);
    let analysis: domain::health::Decided =
        ready(engine::documents::need(&*shop.world, "runs/shop/run-2/1/analysis.json")).unwrap();
    let findings = analysis.analysis.findings;
    let finding = findings.iter().find(|finding| finding.rule.as_str() == "repeated_remedy").unwrap();
    assert_eq!(finding.evidence.len(), 1, "{finding:#?}");
    assert!(finding.evidence[0].note.ends_with(", verified"), "{finding:#?}");
}
