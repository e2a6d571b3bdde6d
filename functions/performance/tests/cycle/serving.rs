//! What the server of a database says of itself reaches people, and takes nothing else along when it can't be read.

use crate::machine::Machine;
use crate::server::calm;
use crate::shop::Shop;
use domain::observed::{Missing, Observed};
use domain::performance::vitals::{Busy, Look};
use engine::ports::PortError;
use maintainer_performance::identify::Decided;
use maintainer_performance::profile::Profiles;
use serde_json::json;

fn decided(shop: &Shop) -> (Decided, String) {
    let ended = Machine::performance(shop, "performance-1").run(json!({"app": "shop"}));
    assert!(shop.has_index(), "the index is built whatever else is found: {:?}", ended.path);
    let message = shop.world.messages().pop().unwrap();
    (shop.document("performance-1", 1, "analysis"), message.text)
}

/// A job that has left its transaction open.
fn forgotten(mut look: Look) -> Look {
    let Observed::Known(sessions) = &mut look.sessions else { panic!("they are known") };
    sessions.busy = vec![Busy {
        pid: 4_711,
        since: "2026-01-01T00:00:00.000000Z".to_owned(),
        user: "shop".to_owned(),
        application: "job\u{202e}\n".to_owned(),
        state: "idle in transaction".to_owned(),
        transaction_s: Some(9_000.0),
        state_s: Some(9_000.0),
        holds_back: 1e6,
        blocked_by: Vec::new(),
        waits_s: None,
    }];
    look
}

#[test]
fn a_session_that_idles_in_a_transaction_is_told_and_the_index_is_built_all_the_same() {
    let shop = Shop::auto();
    *shop.look.lock().unwrap() = |at| Ok(forgotten(calm(at)));
    let (decided, _) = decided(&shop);
    let findings = &decided.analysis.findings;
    let finding = findings.iter().find(|finding| finding.rule.as_str() == "idle_in_transaction").unwrap();
    assert!(finding.summary.contains("process 4711") && !finding.summary.contains('\u{202e}'), "{}", finding.summary);
    assert!(finding.summary.contains("ALTER DATABASE \"shop\" SET idle_in_transaction_session_timeout = '300s'"));
    let profiles: Profiles = shop.document("performance-1", 1, "profile");
    let vitals = profiles["orders"].vitals.clone().unwrap();
    assert!(vitals.seconds().is_some_and(|seconds| (900.0..910.0).contains(&seconds)), "both ends of the window");
    shop.assert_sound("told");
}

#[test]
fn a_calm_server_is_not_spoken_of() {
    let shop = Shop::auto();
    let (decided, _) = decided(&shop);
    assert!(decided.analysis.unmeasured.is_empty(), "{:?}", decided.analysis.unmeasured);
    assert!(decided.analysis.findings.iter().all(|finding| finding.rule.as_str() == "missing_index"), "{decided:#?}");
}

#[test]
fn a_part_that_may_not_be_read_is_one_sentence_with_the_command_that_grants_it() {
    let shop = Shop::auto();
    *shop.look.lock().unwrap() = |at| {
        let denied = Missing::Denied("pg_monitor to the user that reads: GRANT pg_monitor TO <user>".to_owned());
        Ok(Look { sessions: Observed::Missing(denied), ..forgotten(calm(at)) })
    };
    let (decided, _) = decided(&shop);
    let unmeasured = decided.analysis.unmeasured.join("\n");
    assert!(unmeasured.contains("sessions of orders (access denied: grant pg_monitor"), "{unmeasured}");
    *shop.look.lock().unwrap() = |at| Ok(calm(at));
}

#[test]
fn a_server_that_can_not_be_looked_at_changes_nothing_else() {
    let shop = Shop::auto();
    *shop.look.lock().unwrap() = |_| Err(PortError::Throttled { operation: "look at the server of orders".into() });
    let (decided, _) = decided(&shop);
    assert!(decided.analysis.unmeasured.join("\n").contains("the server of orders (throttled"), "{decided:#?}");
    shop.assert_sound("not looked at");
}
