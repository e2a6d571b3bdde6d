//! What needs an approval waits for it: yes, no, silence, what goes on meanwhile, and every call of it gone wrong.

#![allow(clippy::print_stdout, reason = "how many faults were injected is part of what a fault test says")]

use crate::machine::Machine;
use crate::shop::{FLEET, RUN, SERVERS, Shop, Weather, ready, surge};
use domain::approval::{Approval, RequestState, Via};
use domain::execution::{Cycle, Status};
use domain::outcome::Verdict;
use engine::ports::{EntryState, Episodes, LeaseAnswer, Leases};
use engine::run::{episode_key, lease_key};
use harness::{PAGE, Reply};
use serde_json::json;
use testkit::{Fault, build};

pub const ASKS: &str = "applications:\n  shop:\n    mode: approve\n";
const FAULTS: [Fault; 6] =
    [Fault::LoseRequest, Fault::LoseAnswer, Fault::Throttle, Fault::Deny, Fault::CrashBefore, Fault::CrashAfter];

fn sick(config: &str) -> Shop {
    Shop::new(Weather { load: surge, ..Weather::default() }, config)
}

/// The id that the change of the first iteration will have.
pub fn change_id() -> String {
    let kind = domain::change::ChangeKind::SetFleetCapacity;
    domain::change::id(&crate::shop::RUN.into(), 1, kind, &FLEET.into()).to_string()
}

#[test]
fn a_yes_lets_the_change_be_made_verified_and_kept_and_names_who_said_it() {
    let shop = sick(ASKS);
    let mut machine = Machine::health(&shop, RUN);
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
    let mut machine = Machine::health(&shop, RUN);
    machine.people.push(Reply::no());
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(!ended.path.contains(&"Escalate".to_owned()), "who said no need not be told: {:?}", ended.path);
    let record = shop.record();
    assert_eq!((shop.deeds().len(), shop.servers(), record.status), (0, SERVERS, Status::Escalated));
    assert!(record.conclusion.unwrap().contains("Ada said no by the link: as agreed"));
    let again = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    assert!(!again.path.contains(&"AskPeople".to_owned()), "{:?}", again.path);
    assert_eq!((shop.deeds().len(), shop.world.requests().len()), (0, 1));
}

/// A kind of change that was approved and verified once may be made alone from then on; the preview says so before.
#[test]
fn what_has_earned_it_is_made_without_asking_and_a_preview_says_so() {
    /// The load doubles, and five hours later nearly doubles again.
    fn twice(at: jiff::Timestamp) -> f64 {
        if at < build::after_s(5 * 3_600) { surge(at) } else { 6.9 }
    }
    let earns = "applications:\n  shop:\n    mode: approve\n    approval: {earn_after: 1}\n";
    let shop = Shop::new(Weather { load: twice, ..Weather::default() }, earns);
    let mut machine = Machine::health(&shop, RUN);
    machine.people.push(Reply::yes(&[&change_id()]));
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("Healthy", 7), "{:?}", ended.path);
    shop.world.end(crate::shop::RUN, engine::ports::Life::Succeeded);
    let now = shop.world.now().duration_since(build::START).as_secs();
    shop.world.pass_s(u32::try_from(5 * 3_600 + 900 - now).unwrap());
    let preview = Machine::health(&shop, "preview").run(json!({"app": "shop", "mode": "observe"}));
    let text = preview.output["preview"].to_string();
    assert!(text.contains("would be made, earned by 1 approved and verified changes of its kind"), "{text}");
    assert_eq!(shop.servers(), 7);
    let alone = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    assert!(!alone.path.contains(&"AskPeople".to_owned()), "{:?}", alone.path);
    let made = shop.world.journal().pop().unwrap();
    assert_eq!(made.approval, Some(Approval::Earned { verified: 1 }), "{made:#?}");
    assert!(shop.servers() > 7);
    shop.assert_sound("earned");
}

/// What was earned is lost by the first change of the kind that does harm: from then on people are asked again.
#[test]
fn what_was_earned_is_lost_at_the_first_regression() {
    fn twice(at: jiff::Timestamp) -> f64 {
        if at < build::after_s(5 * 3_600) { surge(at) } else { 6.9 }
    }
    // From then on whatever stands behind the servers suffers from more of them.
    fn behind_s(servers: u32, at: jiff::Timestamp) -> f64 {
        if at >= build::after_s(5 * 3_600) && servers > 7 { 0.4 * f64::from(servers) } else { 0.0 }
    }
    let earns = "applications:\n  shop:\n    mode: approve\n    approval: {earn_after: 1}\n";
    let shop = Shop::new(Weather { load: twice, behind_s, ..Weather::default() }, earns);
    let first = Machine::health(&shop, RUN).with_people([Reply::yes(&[&change_id()])]).run(json!({"app": "shop"}));
    assert_eq!((first.state.as_str(), shop.servers()), ("Healthy", 7), "{:?}", first.path);
    let now = shop.world.now().duration_since(build::START).as_secs();
    shop.world.pass_s(u32::try_from(5 * 3_600 + 900 - now).unwrap());
    let alone = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    let made = shop.world.journal().pop().unwrap();
    assert_eq!((made.approval, made.state), (Some(Approval::Earned { verified: 1 }), EntryState::Undone));
    assert_eq!(made.outcome.unwrap().verdict, Verdict::Regressed);
    let first = |state: &str| alone.path.iter().position(|at| at == state).unwrap_or(usize::MAX);
    assert!(first("UndoWhatDidNotHelp") < first("AskPeople") && shop.servers() == 7, "{:?}", alone.path);
    // Long after, when the same may be tried again.
    shop.world.end("run-2", engine::ports::Life::Succeeded);
    shop.world.pass_s(26 * 3_600);
    let asked = shop.world.requests().len();
    let asks = Machine::health(&shop, "run-3").run(json!({"app": "shop"}));
    assert!(asks.path.contains(&"AskPeople".to_owned()), "{:?}", asks.path);
    assert!(shop.world.requests().len() > asked && shop.servers() == 7);
    shop.assert_sound("lost again");
}

#[test]
fn silence_means_no_and_people_are_told() {
    let shop = sick(ASKS);
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
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
        let mut machine = Machine::health(&shop, RUN);
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
    let machine = Machine::health(&shop, RUN).stopped_at("TakeAnswer");
    let _waiting = machine.run(json!({"app": "shop"}));
    assert_eq!(shop.lease(), None, "an alarm could start another run");
    // That one waits for the answer of the first, and says so.
    shop.world.jump(jiff::SignedDuration::from_secs(-1_800));
    let ended = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    assert!(!ended.path.contains(&"AskPeople".to_owned()), "{:?}", ended.path);
    assert_eq!(shop.world.requests().len(), 1);
}

#[test]
fn a_yes_waits_for_another_run_and_then_measures_anew() {
    let shop = sick(ASKS);
    let mut machine = Machine::health(&shop, RUN);
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
    let mut machine = Machine::health(&shop, RUN);
    let Reply::Link(given, _) = Reply::yes(&[&change_id()]) else { unreachable!() };
    machine.people.push(Reply::Link(given, 1_800));
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.deeds().len(), shop.servers()), ("Healthy", 0, SERVERS), "{:?}", ended.path);
}

#[test]
fn every_step_of_asking_may_come_twice() {
    let shop = sick(ASKS);
    let mut machine = Machine::health(&shop, RUN).twice();
    machine.people.push(Reply::yes(&[&change_id()]));
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.servers()), ("Healthy", 7), "{:?}", ended.path);
    assert_eq!((shop.world.requests().len(), shop.record().answers.len()), (1, 1));
    shop.assert_sound("asked twice");
}

/// What a person does, with what the fault-free run of it comes to: the servers, and how it ends.
const SAYINGS: [(&str, u32, &str); 3] =
    [("yes", 7, "Healthy"), ("no", SERVERS, "HandedToPeople"), ("nothing", SERVERS, "HandedToPeople")];

fn asking<'a>(shop: &'a Shop, says: &str, insists: bool) -> Machine<'a> {
    let mut machine = Machine::health(shop, RUN);
    machine.people_insist = insists;
    match says {
        "yes" => machine.people.push(Reply::yes(&[&change_id()])),
        "no" => machine.people.push(Reply::no()),
        _ => {}
    }
    machine
}

/// Whatever went wrong: an answer counts once, only a yes is a yes, who said what is in the record, nobody is asked for
/// a run that is over, nothing is locked, and the run has ended.
fn assert_consented(shop: &Shop, says: &str, about: &str) {
    let record = shop.record();
    assert_ne!(record.status, Status::Running, "{about}");
    assert_eq!(shop.lease(), None, "{about}");
    let now = shop.world.now();
    for request in shop.world.requests() {
        assert_ne!(request.state_at(now), RequestState::Open, "{about}: nobody waits for the answer: {request:#?}");
    }
    let tokens: Vec<String> = shop.world.woken().into_iter().map(|(token, _)| token).collect();
    assert!(tokens.len() <= 1, "{about}: woken more than once: {tokens:?}");
    let yes = vec![change_id().as_str().into()];
    assert!(record.answers.len() <= 1, "{about}: {:#?}", record.answers);
    let approved = record.answers.first().map(|answer| answer.approved.clone()).unwrap_or_default();
    assert!(approved.is_empty() || (says == "yes" && approved == yes), "{about}: {:#?}", record.answers);
    assert!(shop.deeds().is_empty() || approved == yes, "{about}: {:?} with {approved:?}", shop.deeds());
    for entry in shop.world.journal() {
        assert!(matches!(entry.approval, Some(Approval::Given { .. })), "{about}: {entry:#?}");
    }
    shop.assert_sound(about);
}

/// Every call of asking, of taking the answer on the page and of going on with it, gone wrong in every way.
#[test]
fn fault_a_call_of_asking_that_goes_wrong_costs_nobody_the_last_word() {
    let mut injected = 0;
    for (says, servers, state) in SAYINGS {
        let shop = sick(ASKS);
        let calls = asking(&shop, says, true).run(json!({"app": "shop"})).calls;
        for place in ["AskPeople", PAGE, "TakeAnswer"] {
            let calls = calls.get(place).copied().unwrap_or_default();
            assert_eq!(calls == 0, says == "nothing" && place == PAGE, "{says}, {place}: {calls} calls");
            for (call, fault) in (0..calls).flat_map(|call| FAULTS.map(|fault| (call, fault))) {
                let about = format!("{says}, {place}, call {call}, {fault:?}");
                let shop = sick(ASKS);
                let ended = asking(&shop, says, true).with_fault(place, call, fault).run(json!({"app": "shop"}));
                assert_eq!(ended.injected, 1, "{about}");
                injected += ended.injected;
                assert_consented(&shop, says, &about);
                if place != PAGE && fault == Fault::Deny {
                    assert_eq!(ended.state, "RunFailed", "{about}: {:?}", ended.path);
                    let told = shop.world.messages().pop().unwrap().text;
                    assert!(told.contains("grant"), "{about}: {told}");
                } else {
                    assert_eq!((ended.state.as_str(), shop.servers()), (state, servers), "{about}: {:?}", ended.path);
                    assert_eq!(shop.record().answers.len(), 1, "{about}");
                }
            }
        }
    }
    println!("{injected} faults injected into asking, answering and going on");
}

/// The question was written down, and then nobody could be told: the run fails. Its question must not stand in the way of
/// the next one, nor be answered in vain.
#[test]
fn regression_a_question_of_a_run_that_failed_while_it_asked_is_taken_back_and_asked_anew() {
    let shop = sick(ASKS);
    let told = 5;
    let ended = asking(&shop, "nothing", false).with_fault("AskPeople", told, Fault::Deny).run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), ended.injected), ("RunFailed", 1), "{:?}", ended.path);
    assert_eq!(shop.world.requests()[0].state, RequestState::Withdrawn);
    let ended = Machine::health(&shop, "run-2").run(json!({"app": "shop"}));
    assert!(ended.path.contains(&"AskPeople".to_owned()), "{:?}", ended.path);
    assert_eq!(shop.world.requests().len(), 2);
}

/// Who sees a page fail and does not try again has said what was written down, or nothing.
#[test]
fn fault_an_answer_that_may_have_been_taken_is_what_the_table_says() {
    let mut injected = 0;
    for (says, ..) in &SAYINGS[..2] {
        let shop = sick(ASKS);
        let calls = asking(&shop, says, false).run(json!({"app": "shop"})).calls[PAGE];
        for (call, fault) in (0..calls).flat_map(|call| FAULTS.map(|fault| (call, fault))) {
            let about = format!("{says}, call {call}, {fault:?}");
            let shop = sick(ASKS);
            let ended = asking(&shop, says, false).with_fault(PAGE, call, fault).run(json!({"app": "shop"}));
            injected += ended.injected;
            assert_consented(&shop, says, &about);
            let request = shop.world.requests().remove(0);
            let written = request.answer.is_some();
            assert_eq!(request.state == RequestState::Answered, written, "{about}");
            let servers = if *says == "yes" && written { 7 } else { SERVERS };
            assert_eq!(shop.servers(), servers, "{about}: {:?}", ended.path);
            let by = shop.record().answers[0].by.clone();
            assert_eq!(by.as_deref(), written.then_some("Ada"), "{about}");
        }
    }
    println!("{injected} faults injected into the page alone");
}

#[test]
fn fault_the_steps_of_asking_delivered_twice_at_once_ask_one_question_and_take_one_answer() {
    let seeds = 30;
    for (says, servers, state) in SAYINGS {
        for seed in 0..seeds {
            let about = format!("{says}, seed {seed}");
            let shop = sick(ASKS);
            let ended =
                asking(&shop, says, true).at_once(seed, &["AskPeople", "TakeAnswer"]).run(json!({"app": "shop"}));
            assert_eq!((ended.state.as_str(), shop.servers()), (state, servers), "{about}: {:?}", ended.path);
            assert_eq!((shop.world.requests().len(), shop.record().answers.len()), (1, 1), "{about}");
            assert_consented(&shop, says, &about);
        }
    }
    println!("{} runs with asking and answering delivered twice at once", seeds * 3);
}

/// A snapshot ends with a full minute, before the alarm that started the run: it is answered by this run all the same.
#[test]
fn regression_the_alarm_that_started_a_run_starts_no_other_when_people_are_asked() {
    let shop = sick(ASKS);
    let world = &*shop.world;
    world.pass_s(16);
    let (key, now) = (episode_key(Cycle::Health, &"shop".into()), engine::ports::Clock::now(world));
    let alarms = std::collections::BTreeMap::from([("shop-cpu".to_owned(), now)]);
    let episode = ready(Episodes::join(world, &key, &alarms, now, 7_200)).unwrap();
    ready(Episodes::mark_started(world, &key, &episode.id)).unwrap();
    world.pass_s(1);
    let mut machine = Machine::health(&shop, RUN);
    machine.people.push(Reply::no());
    let ended = machine.run(json!({"app": "shop", "trigger": "alarm", "alarms": ["shop-cpu"], "episode": episode.id}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(world.started().is_empty(), "{:?}", world.started());
}
