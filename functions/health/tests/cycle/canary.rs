//! A restart of many, through every step of the cycle: one first, then the others, or nobody.

use crate::machine::Machine;
use crate::shop::{RUN, SERVERS, Shop, Weather};
use domain::change::ChangeKind;
use domain::health::Decided;
use domain::outcome::Verdict;
use domain::rollout::Rollout;
use engine::ports::EntryState;
use jiff::Timestamp;
use serde_json::json;
use testkit::build;

/// Something behind the servers has taken two seconds for ten minutes, whatever is done.
fn slow_for_good(_: u32, at: Timestamp) -> f64 {
    if at < build::after_s(-600) { 0.0 } else { 2.0 }
}

/// The same, but a quarter of it goes with the first member, and the rest with the others.
fn slow_in_every_member(_: u32, at: Timestamp) -> f64 {
    match at {
        _ if at < build::after_s(-600) => 0.0,
        _ if at < build::after_s(120) => 2.0,
        _ if at < build::after_s(1_000) => 1.5,
        _ => 0.0,
    }
}

fn shop(behind_s: fn(u32, Timestamp) -> f64, config: &str) -> Shop {
    Shop::new(Weather { behind_s, ..Weather::default() }, config)
}

const AUTO: &str = "applications:\n  shop:\n    mode: auto\n";

/// Kinds and verdicts of the changes of the run, in order.
fn changes(shop: &Shop) -> Vec<(ChangeKind, Option<Verdict>)> {
    let mut entries = shop.world.journal();
    entries.sort_by_key(|entry| entry.intended_at);
    let of = |outcome: &domain::outcome::Outcome| outcome.verdict;
    entries.iter().map(|entry| (entry.change.action.kind(), entry.outcome.as_ref().map(of))).collect()
}

#[test]
fn a_canary_that_does_not_help_is_not_followed_and_a_person_is_told_why() {
    let shop = shop(slow_for_good, AUTO);
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert_eq!(changes(&shop), [(ChangeKind::ReplaceInstance, Some(Verdict::Inconclusive))]);
    let decided: Decided = shop.document(2, "analysis");
    let reasons: Vec<&str> = decided.plan.passed_over.iter().map(|passed| passed.reason.as_str()).collect();
    let says = format!("one of {SERVERS} went first");
    assert!(
        reasons.iter().any(|why| why.contains(&says) && why.contains("others are left as they are")),
        "{reasons:?}"
    );
    let message = shop.world.messages().pop().unwrap();
    assert!(message.text.contains("kept, the others were left as they are"), "{}", message.text);
    shop.assert_sound("a canary in vain");
}

#[test]
fn a_canary_that_helps_is_followed_by_the_rest_in_the_next_iteration_of_the_same_run() {
    // Longer than an iteration: the cool-down must not hold the rest up.
    let shop = shop(slow_in_every_member, &format!("{AUTO}    limits: {{cooldown_s: 3600, repeats_per_day_max: 1}}\n"));
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "Healthy", "{:?} {:#?}", ended.path, shop.record());
    let verified = Some(Verdict::Verified);
    assert_eq!(changes(&shop), [(ChangeKind::ReplaceInstance, verified), (ChangeKind::RefreshFleet, verified)]);
    let entries = shop.world.journal();
    assert!(entries.iter().all(|entry| entry.execution == RUN.into() && entry.state == EntryState::Kept));
    let canary = entries.iter().find(|entry| entry.iteration == 1).unwrap();
    let rest = entries.iter().find(|entry| entry.iteration == 2).unwrap();
    assert_eq!(canary.change.rollout, Some(Rollout::Canary { of: SERVERS, then: ChangeKind::RefreshFleet }));
    assert_eq!(rest.change.rollout, Some(Rollout::Rest { canary: canary.id().clone() }));
    shop.assert_sound("a canary that helps");
}

#[test]
fn a_canary_needs_the_mode_of_what_would_follow_it() {
    let mode = "{low: auto, medium: auto, high: auto, refresh_fleet: observe}";
    let shop = shop(slow_for_good, &format!("applications:\n  shop:\n    mode: {mode}\n"));
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!((ended.state.as_str(), shop.deeds().len()), ("HandedToPeople", 0), "{:?}", ended.path);
    assert!(shop.record().iterations[0].refused > 0);
}
