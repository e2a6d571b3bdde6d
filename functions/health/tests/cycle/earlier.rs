//! What a verdict reads of earlier weeks, where it stands, and who says it.

use crate::machine::Machine;
use crate::shop::{RUN, Shop, Weather, ready, surge};
use domain::execution::Workflow;
use domain::outcome::Verdict;
use domain::snapshot::Snapshot;
use engine::ports::{Entry, EntryState};
use health::earlier::weeks;
use health::observe;
use health::validate::Validation;
use serde_json::json;
use testkit::build;

const DAY_S: i64 = 86_400;

fn shop() -> Shop {
    Shop::auto(Weather { load: surge, ..Weather::default() })
}

#[test]
fn the_weeks_that_a_verdict_rests_on_are_in_the_run_and_in_its_message() {
    let shop = shop();
    Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    let after: Snapshot = shop.document(1, "after");
    let seen: Vec<_> = after.weeks.iter().map(|week| (week.days_ago, week.shift_s, week.measurements.len())).collect();
    // Response time, requests, errors, CPU and size: of 175 minutes and all signals only these.
    assert_eq!(seen, [(7, 7 * DAY_S, 5), (14, 14 * DAY_S, 5)]);
    let longest = after.weeks.iter().flat_map(|week| &week.measurements).filter_map(|one| one.series.known());
    let longest = longest.map(|series| series.values.len()).max().unwrap();
    assert!((10..=40).contains(&longest), "{longest} minutes");
    let outcome = &shop.document::<Validation>(1, "validation").outcomes[0];
    let says = "7 and 14 days ago the same minutes did not move";
    assert!(outcome.verdict == Verdict::Verified && outcome.why.contains(says), "{}", outcome.why);
    assert!(shop.world.messages()[0].text.contains(says), "{}", shop.world.messages()[0].text);
}

#[test]
fn without_a_change_to_judge_no_week_is_read() {
    let shop = Shop::auto(Weather::default());
    Machine::health(&shop, RUN).run(json!({"app": "shop"}));
    assert!(shop.document::<Snapshot>(1, "after").weeks.is_empty());
}

/// A change that was made, and in this state since, so many seconds from now.
fn entry(at_s: i64, state: EntryState) -> Entry {
    let (fleet, at) = (build::fleet("shop-web", 4), build::after_s(at_s));
    Entry {
        app: "shop".into(),
        workflow: Workflow::Health,
        change: build::change("earlier", build::set_fleet("shop-web", 5)),
        execution: "run-0".into(),
        iteration: 1,
        state,
        prior: fleet,
        fence: 1,
        intended_at: at,
        applied_at: Some(at),
        looked_at: None,
        settled_at: Some(at),
        outcome: None,
        approval: None,
        note: String::new(),
        taken_over_by: None,
        rolled_back: false,
    }
}

#[test]
fn a_week_in_which_the_maintainer_was_at_work_is_none_like_others() {
    let shop = shop();
    let app = shop.config.resolve_tagged(&"shop".into());
    let see = observe::World { clock: &*shop.world, inventory: &*shop.world, telemetry: &*shop.world };
    let after = ready(observe::observe(&app, None, &see)).unwrap();
    let disturbed = |journal: &[Entry]| -> Vec<Option<String>> {
        let weeks = ready(weeks(&[entry(-600, EntryState::Applied)], journal, &after, &app, &see));
        weeks.into_iter().map(|week| week.disturbed).collect()
    };
    assert_eq!(disturbed(&[]), [None, None]);
    let [week, fortnight] = disturbed(&[entry(-300 - 7 * DAY_S, EntryState::Kept)]).try_into().unwrap();
    assert!(week.is_some_and(|why| why.starts_with("the maintainer itself did")) && fortnight.is_none());
    let [week, fortnight] = disturbed(&[entry(-300 - 14 * DAY_S, EntryState::Undone)]).try_into().unwrap();
    assert!(week.is_none() && fortnight.is_some());
    assert_eq!(disturbed(&[entry(-300 - 7 * DAY_S, EntryState::NotApplied)]), [None, None], "it never happened");
}
