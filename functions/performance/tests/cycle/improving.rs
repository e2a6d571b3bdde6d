//! What the cycle builds, what it keeps, and what it takes back.

use crate::machine::{Ended, Machine, questions, yes};
use crate::shop::{AUTO, HELPS, Shop, Traits};
use domain::execution::Status;
use domain::outcome::Verdict;
use engine::ports::{EntryState, PortError};
use maintainer_performance::identify::Decided;
use serde_json::json;

fn run(shop: &Shop, name: &'static str) -> Ended {
    Machine::performance(shop, name).run(json!({"app": "shop"}))
}

#[test]
fn a_missing_index_is_found_built_measured_and_kept() {
    let shop = Shop::auto();
    let ended = run(&shop, "performance-1");
    assert_eq!(ended.state, "Improved", "{:?}", ended.path);
    assert!(shop.has_index());
    let entry = &shop.world.journal()[0];
    let outcome = entry.outcome.as_ref().unwrap();
    assert_eq!((entry.state, outcome.verdict), (EntryState::Kept, Verdict::Verified), "{}", outcome.why);
    assert!(outcome.improvement_pct.unwrap() > 95.0, "{outcome:?}");
    assert!(outcome.why.contains("120.00 ms and take 2.00 ms"), "{}", outcome.why);
    let record = shop.record("performance-1");
    assert_eq!((record.status, record.iterations.len()), (Status::Completed, 2), "a second window finds nothing more");
    let decided: Decided = shop.document("performance-1", 1, "analysis");
    assert!(decided.matrix.contains("build") && decided.planner_calls > 0, "{}", decided.matrix);
    let waits = ended.path.iter().filter(|state| state.starts_with("WatchTraffic")).count();
    assert_eq!(waits, 3, "before and after the change, and before what was not to be done: {:?}", ended.path);
    let message = shop.world.messages().pop().unwrap();
    assert!(message.subject.contains("1 change(s) in its databases"), "{}", message.subject);
    shop.assert_sound("improved");
}

#[test]
fn old_statistics_are_renewed_before_any_index_and_kept_where_they_helped() {
    let shop = Shop::new(AUTO, Traits { modified: 4e5, analyzed_ms: 3.0, ..HELPS });
    let ended = run(&shop, "performance-1");
    assert_eq!(ended.state, "Improved", "{:?}", ended.path);
    let journal = shop.world.journal();
    let made: Vec<String> = journal.iter().map(|entry| entry.change.action.to_string()).collect();
    assert_eq!(made, ["analyze public.orders in orders"], "no index is missing any more");
    let outcome = journal[0].outcome.as_ref().unwrap();
    assert_eq!((journal[0].state, outcome.verdict), (EntryState::Kept, Verdict::Verified), "{}", outcome.why);
    let decided: Decided = shop.document("performance-1", 1, "analysis");
    let told = |rule: &str| decided.analysis.findings.iter().filter(|finding| finding.rule.as_str() == rule).count();
    assert_eq!((told("stale_statistics"), told("missing_index")), (1, 1), "{:#?}", decided.analysis.findings);
    shop.assert_sound("analyzed");
}

#[test]
fn statistics_that_changed_nothing_are_kept_and_the_index_comes_next() {
    let shop = Shop::new(AUTO, Traits { modified: 4e5, ..HELPS });
    let ended = run(&shop, "performance-1");
    assert_eq!(ended.state, "Improved", "{:?}", ended.path);
    let journal = shop.world.journal();
    let verdicts: Vec<_> = journal.iter().map(|entry| (entry.state, entry.outcome.as_ref().unwrap().verdict)).collect();
    let expected = [(EntryState::Kept, Verdict::Inconclusive), (EntryState::Kept, Verdict::Verified)];
    assert_eq!(verdicts, expected, "{journal:#?}");
    assert!(shop.has_index());
    shop.assert_sound("analyzed, then built");
}

#[test]
fn regression_a_server_without_counted_statements_is_told_of_by_what_it_says_of_itself() {
    let shop = Shop::auto();
    let lacking = PortError::Denied {
        operation: "read the statements of orders".to_owned(),
        permission: "CREATE EXTENSION pg_stat_statements".to_owned(),
    };
    *shop.uncounted.lock().unwrap() = Some(lacking);
    let ended = run(&shop, "performance-1");
    assert_eq!(ended.state, "Improved", "{:?}", ended.path);
    let decided: Decided = shop.document("performance-1", 1, "analysis");
    let unmeasured = decided.analysis.unmeasured.join("\n");
    assert!(unmeasured.contains("statements of orders") && unmeasured.contains("CREATE EXTENSION"), "{unmeasured}");
    // What may be over soon is tried again: the run does not begin without what it is for.
    *shop.uncounted.lock().unwrap() =
        Some(PortError::Throttled { operation: "read the statements of orders".to_owned() });
    assert_ne!(run(&shop, "performance-2").state, "Improved");
    shop.assert_sound("uncounted");
}

#[test]
fn an_index_that_does_not_help_as_believed_is_dropped_and_not_built_again() {
    let shop = Shop::new(AUTO, Traits { with_index_ms: 110.0, ..HELPS });
    let ended = run(&shop, "performance-1");
    assert_eq!(ended.state, "Improved", "{:?}", ended.path);
    assert!(!shop.has_index());
    let entry = &shop.world.journal()[0];
    assert_eq!((entry.state, entry.outcome.as_ref().unwrap().verdict), (EntryState::Undone, Verdict::Inconclusive));
    let decided: Decided = shop.document("performance-1", 2, "analysis");
    assert!(
        decided.analysis.findings.iter().any(|finding| finding.summary.contains("it was tried on")),
        "{decided:#?}"
    );
    shop.assert_sound("dropped");
}

#[test]
fn an_index_that_makes_writes_too_slow_is_dropped_and_people_are_told() {
    let shop = Shop::new(AUTO, Traits { write_with_index_ms: 90.0, ..HELPS });
    let ended = run(&shop, "performance-1");
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert!(!shop.has_index());
    let outcome = shop.world.journal()[0].outcome.clone().unwrap();
    assert_eq!(outcome.verdict, Verdict::Regressed, "{}", outcome.why);
    let message = shop.world.messages().pop().unwrap();
    assert!(message.text.contains("other statements on the table got slower"), "{}", message.text);
    shop.assert_sound("too slow");
}

#[test]
fn an_index_from_which_users_suffer_is_dropped_whatever_its_queries_gain() {
    let shop = Shop::new(AUTO, Traits { users: 1.5, ..HELPS });
    assert_eq!(run(&shop, "performance-1").state, "HandedToPeople");
    assert!(!shop.has_index());
    let outcome = shop.world.journal()[0].outcome.clone().unwrap();
    assert!(outcome.verdict == Verdict::Regressed && outcome.why.contains("users suffer"), "{}", outcome.why);
}

#[test]
fn traffic_that_stays_away_proves_nothing() {
    let shop = Shop::new(AUTO, Traits { later_calls: 0.5, ..HELPS });
    run(&shop, "performance-1");
    assert!(!shop.has_index());
    let outcome = shop.world.journal()[0].outcome.clone().unwrap();
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
    assert!(outcome.why.contains("fewer than 20 times"), "{}", outcome.why);
}

#[test]
fn traffic_that_doubles_after_a_good_change_does_not_spoil_it() {
    let shop = Shop::new(AUTO, Traits { later_calls: 80.0, ..HELPS });
    assert_eq!(run(&shop, "performance-1").state, "Improved");
    assert!(shop.has_index());
}

/// Load goes away right after a useless index: everything gets twice as fast, what it can't reach too.
#[test]
fn a_database_that_gets_faster_by_itself_does_not_make_a_useless_index_good() {
    let shop = Shop::new(AUTO, Traits { with_index_ms: 120.0, blocks: 1_000.0, later: 0.5, users: 1.0, ..HELPS });
    run(&shop, "performance-1");
    assert!(!shop.has_index());
    let outcome = shop.world.journal()[0].outcome.clone().unwrap();
    assert_eq!(outcome.verdict, Verdict::Inconclusive, "{}", outcome.why);
    assert!(outcome.why.contains("with 4 statements on other tables moving by -50.0 %"), "{}", outcome.why);
    shop.assert_sound("faster by itself");
}

/// Load comes right after a good index: everything takes half as long again.
#[test]
fn a_database_that_gets_slower_by_itself_does_not_spoil_a_good_index() {
    let shop = Shop::new(AUTO, Traits { later: 1.5, users: 1.5, ..HELPS });
    assert_eq!(run(&shop, "performance-1").state, "Improved");
    assert!(shop.has_index());
    shop.assert_sound("slower by itself");
}

#[test]
fn counters_that_are_reset_in_between_leave_nothing_changed() {
    let shop = Shop::auto();
    let machine = Machine::performance(&shop, "performance-1").stopped_at("Profile");
    machine.run(json!({"app": "shop"}));
    shop.world.end("performance-1", engine::ports::Life::Stopped);
    shop.reset();
    let ended = run(&shop, "performance-2");
    assert_eq!(ended.state, "Improved", "the next window is a whole one: {:?}", ended.path);
    assert!(shop.has_index());
    shop.assert_sound("reset");
}

#[test]
fn what_it_would_do_is_shown_and_nothing_done() {
    let shop = Shop::auto();
    let ended = Machine::performance(&shop, "performance-1").run(json!({"app": "shop", "mode": "observe"}));
    assert_eq!(ended.state, "Previewed", "{:?}", ended.path);
    let preview = ended.output["preview"].to_string();
    assert!(preview.contains("build an index in orders on public.orders (customer_id)"), "{preview}");
    assert!(!shop.has_index() && shop.world.ledger().is_empty());
    shop.assert_sound("observed");
}

#[test]
fn a_person_is_asked_and_what_is_built_then_rests_on_a_new_window() {
    let shop = Shop::new("mode: approve", HELPS);
    let mut machine = Machine::performance(&shop, "performance-1");
    machine.people.push(yes());
    let ended = machine.run(json!({"app": "shop"}));
    assert_eq!(questions(&shop), 1);
    let opened = ended.path.iter().filter(|state| *state == "OpenWindow").count();
    assert!(opened >= 2, "measured anew after the answer: {:?}", ended.path);
    shop.assert_sound("asked");
}

#[test]
fn a_table_that_is_protected_by_name_gets_no_index() {
    let shop = Shop::new("mode: auto\n    protected: [orders]", HELPS);
    run(&shop, "performance-1");
    assert!(!shop.has_index() && shop.world.ledger().is_empty());
    shop.assert_sound("protected");
}

#[test]
fn a_database_that_does_not_answer_is_one_sentence_and_changes_nothing() {
    for error in [
        PortError::Denied { operation: "connect to orders".into(), permission: "the login: correct the secret".into() },
        PortError::Rejected {
            operation: "read pg_stat_statements of orders".into(),
            why: "the extension is not there: CREATE EXTENSION".into(),
        },
        PortError::Throttled { operation: "connect to orders".into() },
    ] {
        let shop = Shop::auto();
        *shop.refuses.lock().unwrap() = Some(error.clone());
        let ended = run(&shop, "performance-1");
        assert_eq!(ended.state, "RunFailed", "{error}: {:?}", ended.path);
        let message = shop.world.messages().pop().unwrap();
        assert!(message.text.contains(&error.to_string()), "{}", message.text);
        assert!(shop.world.ledger().is_empty());
        shop.assert_sound("no answer");
    }
}

#[test]
fn what_a_person_rolls_back_is_dropped_and_not_built_again() {
    let shop = Shop::auto();
    run(&shop, "performance-1");
    shop.world.end("performance-1", engine::ports::Life::Succeeded);
    let ended =
        Machine::rollback(&shop, "back-1").run(json!({"execution_id": "performance-1", "remark": "not this one"}));
    assert_eq!(ended.state, "RolledBack", "{:?}", ended.path);
    assert!(ended.path.contains(&"RollBackIndexes".to_owned()), "by the function that may: {:?}", ended.path);
    assert!(!shop.has_index());
    shop.assert_sound("rolled back");
    run(&shop, "performance-2");
    assert!(!shop.has_index(), "a person did not want it");
}
