//! Runs that can't help: what is taken back, who is told, and that the application is free afterwards.

use crate::machine::Machine;
use crate::shop::{FLEET, RUN, SERVERS, Shop, Weather, ready, surge};
use domain::execution::{Cycle, Status};
use domain::health::Decided;
use domain::resource::Live;
use engine::ports::{EntryState, LeaseAnswer, Leases};
use engine::run::{LEASE_TTL_S, lease_key};
use lifecycle::escalate::ESCALATION;
use serde_json::json;
use testkit::{Proof, build};

/// More servers only push harder on what is behind them.
fn database_behind() -> Weather {
    Weather {
        load: surge,
        behind_s: |servers, at| {
            if at < build::after_s(-600) {
                0.02
            } else {
                0.4 * f64::from(servers) / f64::from(SERVERS) * f64::from(servers)
            }
        },
        ..Weather::default()
    }
}

#[test]
fn a_change_that_harms_is_undone_and_a_person_is_told_so() {
    let shop = Shop::auto(database_behind());
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}\n{:#?}", ended.path, shop.record());
    assert_eq!((shop.record().status, shop.servers()), (Status::Escalated, SERVERS));
    assert!(shop.world.journal().iter().any(|entry| entry.state == EntryState::Undone), "{:#?}", shop.world.journal());
    assert!(shop.record().iterations.iter().any(|iteration| iteration.undone > 0));
    let message = shop.world.messages().pop().unwrap();
    assert!(message.kind == ESCALATION && message.text.contains("; undone"), "{}", message.text);
    assert_eq!(shop.lease(), None);
    shop.assert_sound("harm");
}

#[test]
fn a_change_that_did_harm_is_not_tried_again_in_the_same_run() {
    let shop = Shop::auto(database_behind());
    Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    let grown = shop.deeds().iter().filter(|(id, undone)| id.starts_with("set_fleet_capacity") && !undone).count();
    assert_eq!(grown, 1, "{:?}", shop.deeds());
    let second: Decided = shop.document(2, "analysis");
    assert!(!second.plan.passed_over.is_empty(), "the plan says why it does not try that again");
}

#[test]
fn an_application_that_can_t_be_measured_is_never_called_well() {
    let proof = Proof::begin("blind-iterations");
    let shop = Shop::auto(Weather { arrives: |at| at < build::after_s(-1_800), ..Weather::default() });
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(
        shop.record().iterations.iter().all(|iteration| iteration.score.is_none() && iteration.score_after.is_none())
    );
    assert!(!shop.record().success_criteria_met && shop.world.ledger().is_empty());
    assert!(shop.world.messages()[0].subject.contains("can't be measured"), "{}", shop.world.messages()[0].subject);
    proof.survived(shop.record().iterations.len());
}

/// Every server is switched off; what they publish ends.
fn switched_off() -> Shop {
    let shop = Shop::auto(Weather { arrives: |at| at < build::after_s(-1_800), ..Weather::default() });
    shop.world.edit(&FLEET.into(), |resource| {
        if let Live::AutoScalingGroup(fleet) = &mut resource.live {
            (fleet.min, fleet.desired) = (0, 0);
            fleet.instances.clear();
        }
    });
    shop
}

#[test]
fn an_application_that_is_switched_off_is_neither_judged_nor_told_of() {
    let shop = switched_off();
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "SwitchedOff", "{:?}", ended.path);
    let record = shop.record();
    assert_eq!((record.status, record.success_criteria_met), (Status::Completed, false));
    assert!(record.conclusion.unwrap().starts_with("switched off: shop-web is wanted at size 0"));
    assert_eq!((shop.world.messages().len(), shop.lease(), shop.servers()), (0, None, 0));
}

#[test]
fn an_application_that_is_switched_off_while_an_alarm_stands_is_handed_to_people() {
    let shop = switched_off();
    shop.world.set_alarms(vec![domain::snapshot::Alarm {
        name: "shop-down".to_owned(),
        state: domain::snapshot::AlarmState::Alarm,
        since: None,
        reason: String::new(),
    }]);
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("HandedToPeople", 0), "{:?}", ended.path);
}

#[test]
fn an_application_without_resources_is_never_called_well() {
    let shop = Shop::auto(Weather::default());
    shop.world.set_discovery(Some(engine::ports::Discovery::default()));
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(!shop.record().success_criteria_met);
}

#[test]
fn a_run_that_loses_its_lease_stops_and_leaves_the_other_run_alone() {
    let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let mut machine = Machine::health(&shop, RUN);
    machine.before.insert("Validate", |shop| {
        shop.world.pass_s(LEASE_TTL_S);
        let key = lease_key(Cycle::Health, &"shop".into());
        let taken = ready(Leases::acquire(&*shop.world, &key, &"run-2".into(), shop.world.now(), LEASE_TTL_S)).unwrap();
        assert!(matches!(taken, LeaseAnswer::Held(_)));
    });
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.record().status), ("RunFailed", Status::Failed), "{:?}", ended.path);
    assert_eq!(shop.lease().unwrap().holder.as_str(), "run-2");
    assert_eq!(
        (shop.deeds().len(), shop.servers() > SERVERS),
        (1, true),
        "what it changed is the other run's to settle"
    );
    assert!(shop.world.messages()[0].text.contains("The maintainer's own run failed (Step.Conflict)"));
}

#[test]
fn a_second_run_leaves_a_busy_application_alone() {
    let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let key = lease_key(Cycle::Health, &"shop".into());
    let _other = ready(Leases::acquire(&*shop.world, &key, &"run-0".into(), shop.world.now(), LEASE_TTL_S)).unwrap();
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "AlreadyUnderCare");
    assert!(
        shop.world.ledger().is_empty() && shop.world.artifact_keys().is_empty() && shop.world.messages().is_empty()
    );
    assert_eq!(shop.lease().unwrap().holder.as_str(), "run-0");
}

#[test]
fn an_input_that_is_not_understood_begins_nothing() {
    for (input, says) in
        [(json!({"ap": "shop"}), "app"), (json!({"app": "shpo"}), "did you mean"), (json!({"app": 7}), "name")]
    {
        let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
        let ended = Machine::health(&shop, RUN).run(input);
        assert_eq!(ended.state, "InputRefused");
        let cause = ended.output["error"]["Cause"].as_str().unwrap();
        assert!(cause.contains(says) && ended.output["error"]["Error"] == "Step.Config", "{cause}");
        assert!(shop.world.ledger().is_empty() && shop.lease().is_none() && shop.world.artifact_keys().is_empty());
    }
}

#[test]
fn nothing_to_watch_is_no_failure() {
    let shop = Shop::new(Weather::default(), "");
    shop.world.set_tagged_apps(&[]);
    let ended = Machine::health(&shop, RUN).run(json!({}));
    assert_eq!(ended.state, "NothingToWatch");
    assert!(ended.output["why"].as_str().unwrap().contains("maintainer:app"));
}
