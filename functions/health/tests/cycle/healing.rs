//! A sick shop is made well, and every step leaves what the record needs.

use crate::machine::Machine;
use crate::shop::{RUN, SERVERS, Shop, Weather, surge};
use domain::execution::Status;
use domain::health::Decided;
use domain::outcome::Verdict;
use domain::snapshot::Snapshot;
use engine::act::Report;
use engine::ports::EntryState;
use health::validate::Validation;
use serde_json::json;

fn healed() -> (Shop, crate::machine::Ended) {
    let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    (shop, ended)
}

#[test]
fn a_surge_is_answered_measured_and_reported() {
    let (shop, ended) = healed();
    assert_eq!(ended.state, "Healthy", "{:?}\n{:#?}", ended.path, shop.record());
    let record = shop.record();
    assert_eq!((record.status, record.success_criteria_met), (Status::Completed, true));
    assert!((6..=8).contains(&shop.servers()), "{} servers for the work of four", shop.servers());
    assert!(
        record.iterations[0].score.unwrap() < 6.0 && record.iterations[0].score_after.unwrap() >= 8.0,
        "{record:#?}"
    );
    assert_eq!((record.iterations[0].applied, record.iterations[0].verified, record.iterations[0].undone), (1, 1, 0));
    assert_eq!(shop.lease(), None);
    let [message] = shop.world.messages().try_into().unwrap();
    assert!(message.text.contains("shop-web") && message.kind == lifecycle::finish::REPORT, "{}", message.text);
    shop.assert_sound("surge");
}

#[test]
fn success_needs_three_good_iterations_and_half_an_hour() {
    let (shop, ended) = healed();
    let record = shop.record();
    assert!(record.iterations.len() >= 3, "{record:#?}");
    assert!(record.iterations.iter().rev().take(3).all(|iteration| iteration.score_after.unwrap() >= 8.0));
    let stable_s = record.completed_at.unwrap().duration_since(record.iterations[0].measured_at.unwrap()).as_secs();
    assert!(stable_s >= 1_200, "{stable_s} s");
    assert_eq!(ended.path.iter().filter(|state| *state == "WaitForEffect").count(), record.iterations.len());
}

#[test]
fn the_baseline_is_recorded_before_anything_changes() {
    let (shop, ended) = healed();
    let place = |name: &str| ended.path.iter().position(|state| state == name).unwrap();
    assert!(place("Monitor") < place("Analyze") && place("Analyze") < place("Optimize"));
    let baseline: Snapshot = shop.document(1, "snapshot");
    assert!(shop.world.ledger().iter().all(|write| write.at >= baseline.taken_at));
    assert!(baseline.completeness() > 0.9, "{}", baseline.completeness());
}

#[test]
fn a_run_can_be_read_back_whole_from_its_documents() {
    let (shop, _) = healed();
    let decided: Decided = shop.document(1, "analysis");
    let finding = decided.analysis.findings.iter().find(|finding| finding.rule.as_str() == "saturation").unwrap();
    assert!(!finding.evidence.is_empty() && finding.summary.contains('%'), "{finding:#?}");
    let change = &decided.plan.changes[0];
    let report: Report = shop.document(1, "actions");
    assert_eq!(report.applied().count(), 1);
    let validation: Validation = shop.document(1, "validation");
    let outcome = &validation.outcomes[0];
    assert_eq!((&outcome.change, outcome.verdict, outcome.keep), (&change.id, Verdict::Verified, true));
    assert!(outcome.after.unwrap() < outcome.before.unwrap() - 20.0, "{outcome:#?}");
    assert_eq!(shop.world.results().len(), 1);
    let entry = shop.world.entry(&change.id).unwrap();
    assert_eq!((entry.state, entry.outcome.as_ref()), (EntryState::Kept, Some(outcome)));
    for iteration in 1..=shop.record().iterations.len() {
        let iteration = u32::try_from(iteration).unwrap();
        let (_, _): (Snapshot, Validation) =
            (shop.document(iteration, "after"), shop.document(iteration, "validation"));
    }
    assert!(shop.world.artifact_keys().contains(&"memory/shop/detectors.json".to_owned()));
}

#[test]
fn a_healthy_shop_is_left_alone_and_nobody_is_told() {
    let shop = Shop::auto(Weather::default());
    let ended = Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert_eq!(ended.state, "Healthy", "{:#?}", shop.record());
    assert_eq!((shop.world.ledger().len(), shop.world.messages().len(), shop.servers()), (0, 0, SERVERS));
    assert!(!ended.path.contains(&"Optimize".to_owned()));
    let decided: Decided = shop.document(1, "analysis");
    assert!(decided.analysis.no_opportunity_because.is_some(), "the proof that there is nothing to do");
}

#[test]
fn every_step_delivered_twice_is_the_same_run() {
    let (once, first) = healed();
    let shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let ended = Machine::health(&shop, RUN).twice().run(json!({"app": "shop"}));
    assert_eq!((&ended.path, shop.servers()), (&first.path, once.servers()));
    assert_eq!(shop.deeds(), once.deeds());
    assert_eq!(shop.record().iterations.len(), once.record().iterations.len());
    shop.assert_sound("twice");
}
