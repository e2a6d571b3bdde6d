//! What a person orders beside the cycle: a rollback, and the story of a run.

use crate::machine::{Ended, Machine};
use crate::shop::{FLEET, RUN, SERVERS, Shop, Weather, ready, surge};
use domain::execution::{Status, Workflow};
use domain::guard::KillSwitch;
use domain::resource::PROTECTED_TAG;
use engine::ports::{EntryState, Life};
use engine::settle::Settlement;
use lifecycle::explain;
use serde_json::{Value, json};
use testkit::Fault;

const BACK: &str = "back-1";

/// A shop that a run has healed by growing its fleet.
pub fn healed() -> Shop {
    let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "Healthy");
    assert!(shop.servers() > SERVERS);
    shop
}

pub fn order() -> Value {
    json!({"execution_id": RUN, "remark": "the campaign is over"})
}

fn roll_back(shop: &Shop, order: Value) -> Ended {
    Machine::rollback(shop, BACK).run(order)
}

/// What the rollback has written down for its story.
fn noted(shop: &Shop) -> Settlement {
    shop.document_of(BACK, 1, "undone")
}

#[test]
fn a_rollback_restores_what_was_before_and_says_so() {
    let shop = healed();
    let ended = roll_back(&shop, order());
    assert_eq!(ended.state, "RolledBack", "{:?} {:#}", ended.path, ended.output);
    assert_eq!((shop.servers(), shop.lease()), (SERVERS, None));
    let [entry] = shop.world.journal().try_into().unwrap();
    assert_eq!((entry.state, entry.taken_over_by), (EntryState::Undone, Some(BACK.into())));
    assert!(entry.note.contains("the campaign is over"), "{}", entry.note);
    let record = shop.record_of(BACK);
    assert_eq!((record.status, record.workflow_type), (Status::Completed, Workflow::Rollback));
    assert_eq!(record.iterations[0].undone, 1);
    assert!(record.trigger.contains("the campaign is over"), "{}", record.trigger);
    let told = shop.world.messages().pop().unwrap();
    assert!(told.subject.contains("1 change(s) undone as ordered"), "{}", told.subject);
    assert!(told.text.contains("shop-web") && !told.text.contains("Health score"), "{}", told.text);
    shop.assert_sound("rollback");

    let again = Machine::rollback(&shop, "back-2").run(order());
    assert_eq!(again.state, "NothingToUndo");
    assert!(again.output["why"].as_str().unwrap().contains("undone already"), "{:#}", again.output);
    assert_eq!(shop.servers(), SERVERS);
}

#[test]
fn one_change_can_be_named_by_its_id() {
    let shop = healed();
    let change = shop.world.journal()[0].id().to_string();
    let ended = roll_back(&shop, json!({"app": "shop", "change_id": change}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("RolledBack", SERVERS));
}

#[test]
fn a_preview_says_what_would_be_undone_and_changes_nothing() {
    let shop = healed();
    let (servers, writes) = (shop.servers(), shop.world.ledger().len());
    let ended = roll_back(&shop, json!({"execution_id": RUN, "mode": "observe"}));
    assert_eq!(ended.state, "Previewed", "{:?}", ended.path);
    let preview = ended.output["preview"][0].as_str().unwrap();
    assert!(preview.contains(&format!("would be set back to {SERVERS}")), "{preview}");
    assert_eq!((shop.servers(), shop.world.ledger().len(), shop.lease()), (servers, writes, None));
    assert_eq!(shop.world.journal()[0].state, EntryState::Kept);
}

#[test]
fn newer_work_of_others_is_left_alone_and_people_get_both_values() {
    let shop = healed();
    shop.world.edit_capacity(&FLEET.into(), 9);
    let ended = roll_back(&shop, order());
    assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", 9));
    let told = shop.world.messages().pop().unwrap();
    assert!(told.text.contains("now there is 9") && told.text.contains("it had set"), "{}", told.text);
    assert!(told.subject.contains("not everything could be undone"), "{}", told.subject);
    assert_eq!(shop.lease(), None);
}

#[test]
fn the_kill_switch_and_the_owners_protection_hold_for_a_rollback_too() {
    let switched_off: fn(&Shop) = |shop| shop.world.set_kill_switch(KillSwitch::On);
    let protected: fn(&Shop) = |shop| {
        shop.world.edit(&FLEET.into(), |fleet| {
            fleet.tags.insert(PROTECTED_TAG.to_owned(), "true".to_owned());
        });
    };
    for (what, word) in [(switched_off, "kill switch"), (protected, "protected")] {
        let shop = healed();
        let servers = shop.servers();
        what(&shop);
        let ended = roll_back(&shop, order());
        assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", servers), "{word}");
        assert!(shop.world.messages().pop().unwrap().text.contains(word), "{word}");
        assert_eq!(shop.lease(), None, "{word}");
    }
}

#[test]
fn a_run_at_work_is_not_disturbed_and_one_that_was_stopped_is_rolled_back_at_once() {
    let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let machine = Machine::health(&shop, RUN).stopped_at("WaitForEffect");
    machine.run(json!({"app": "shop"}));
    let servers = shop.servers();
    assert!(servers > SERVERS);
    let ended = roll_back(&shop, order());
    assert_eq!((ended.state.as_str(), shop.servers()), ("UnderCare", servers));
    assert!(ended.output["why"].as_str().unwrap().contains(RUN), "{:#}", ended.output);

    shop.world.end(RUN, Life::Stopped);
    let ended = Machine::rollback(&shop, "back-2").run(order());
    assert_eq!((ended.state.as_str(), shop.servers()), ("RolledBack", SERVERS), "{:?}", ended.path);
    assert_eq!(shop.record().status, Status::Failed, "the record of the stopped run is closed");
    shop.assert_sound("stopped");
}

#[test]
fn an_order_that_is_not_understood_changes_nothing() {
    for (order, word) in [
        (json!({"execution": RUN}), "did you mean"),
        (json!({"execution_id": "nobody"}), "no run is called"),
        (json!({"app": "shop", "change_id": "c-9"}), "no change"),
        (json!({}), "either a run"),
    ] {
        let shop = healed();
        let servers = shop.servers();
        let ended = roll_back(&shop, order.clone());
        assert_eq!((ended.state.as_str(), shop.servers(), shop.lease()), ("OrderRefused", servers, None), "{order}");
        assert!(ended.output["error"]["Cause"].as_str().unwrap().contains(word), "{:#}", ended.output);
    }
}

/// One 503 as answer to the undo handed it to people, half done and open in the journal.
#[test]
fn regression_a_rollback_whose_call_fails_once_is_done() {
    let calls = roll_back(&healed(), order()).calls["RollBack"];
    for call in 0..calls {
        for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::Throttle] {
            let shop = healed();
            let ended = Machine::rollback(&shop, BACK).with_fault("RollBack", call, fault).run(order());
            let about = format!("call {call}, {fault:?}: {:?}", ended.path);
            if ended.state == "HandedToPeople" {
                // Whoever can't read it obeys it as if it were on.
                let told = shop.world.messages().pop().unwrap();
                assert!(told.text.contains("the kill switch could not be read"), "{about}: {}", told.text);
                continue;
            }
            assert_eq!((ended.injected, ended.state.as_str(), shop.servers()), (1, "RolledBack", SERVERS), "{about}");
            assert_eq!((shop.world.journal()[0].state, shop.lease()), (EntryState::Undone, None), "{about}");
            assert_eq!(shop.record_of(BACK).iterations[0].undone, 1, "{about}");
            let restored = shop.deeds().iter().filter(|(_, undone)| *undone).count();
            assert_eq!(restored, 1, "{about}: not restored exactly once");
            assert_eq!(noted(&shop).undone(), 1, "{about}: {:?}", noted(&shop));
            shop.assert_sound(&about);
        }
    }
}

#[test]
fn every_step_of_a_rollback_may_be_delivered_twice() {
    let shop = healed();
    let ended = Machine::rollback(&shop, BACK).twice().run(order());
    assert_eq!((ended.state.as_str(), shop.servers(), shop.lease()), ("RolledBack", SERVERS, None));
    let restored = shop.deeds().iter().filter(|(_, undone)| *undone).count();
    assert_eq!(restored, 1);
    assert_eq!(noted(&shop).undone(), 1, "the second delivery keeps what the first has written down");
}

fn told(shop: &Shop, input: Value) -> explain::Answer {
    let world = &*shop.world;
    let ports = explain::World { executions: world, journal: world, artifacts: world };
    ready(explain::explain(&input, &ports)).unwrap()
}

#[test]
fn the_story_of_a_run_has_every_step_every_change_and_its_measurement() {
    let shop = healed();
    let answer = told(&shop, json!({"execution_id": RUN}));
    for part in [
        "shop: health run run-1, completed",
        "started by hand",
        "Iteration 1",
        "monitor",
        "score ",
        "finding: saturation",
        "applied: set the capacity of shop-web",
        "verified: ",
        "Iteration 3",
        "measured: verified",
        "kept",
    ] {
        assert!(answer.text.contains(part), "{part} is missing:\n{}", answer.text);
    }
    assert!(!answer.text.contains("another shape"), "{}", answer.text);
    let story = answer.story.expect("it is small enough");
    assert_eq!(story.changes.len(), 1);
    let steps: Vec<&str> = story.chapters.iter().take(4).map(|chapter| chapter.beat.step).collect();
    assert_eq!(steps, ["monitor", "analyze", "optimize", "validate"]);
    assert!(story.chapters.is_sorted_by_key(|chapter| (chapter.iteration, chapter.at)));
    for key in &answer.documents {
        assert!(ready(engine::ports::Artifacts::get(&*shop.world, key)).unwrap().is_some(), "{key}");
    }

    roll_back(&shop, order());
    let change = shop.world.journal()[0].id().to_string();
    let of_change = told(&shop, json!({"app": "shop", "change_id": change})).text;
    assert!(of_change.contains("undone") && of_change.contains("rolled back by hand"), "{of_change}");
    let of_rollback = told(&shop, json!({"execution_id": BACK})).text;
    assert!(of_rollback.contains("shop: rollback run back-1, completed"), "{of_rollback}");
    assert!(of_rollback.contains("undo") && of_rollback.contains("made by run run-1"), "{of_rollback}");
}

#[test]
fn a_story_without_its_documents_is_told_from_the_record_and_the_journal() {
    let shop = healed();
    shop.world.forget_documents();
    let answer = told(&shop, json!({"execution_id": RUN}));
    assert!(
        answer.text.contains("completed") && answer.text.contains("set the capacity of shop-web"),
        "{}",
        answer.text
    );
    assert!(answer.story.unwrap().chapters.is_empty());
}
