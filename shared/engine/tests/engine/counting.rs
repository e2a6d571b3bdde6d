//! What counts as a change, and for how long.

use domain::change::{Action, Change, ChangeKind};
use domain::ids::{AppId, ExecutionId};
use domain::outcome::Verdict;
use domain::rollout::Rollout;
use engine::facts::Tally;
use engine::ports::{Entry, EntryState};
use testkit::build;

/// An entry of `run-1` on the fleet, applied that many seconds before [`now`].
fn entry(id: &str, state: EntryState, seconds_ago: i64) -> Entry {
    let at = build::after_s(NOW_S - seconds_ago);
    Entry {
        app: AppId::from("shop"),
        change: Change { cost_usd_cents_month: Some(500), ..build::change(id, build::set_fleet("web", 4)) },
        execution: ExecutionId::from("run-1"),
        workflow: domain::execution::Workflow::Health,
        iteration: 1,
        state,
        prior: build::fleet("web", 2),
        fence: 1,
        intended_at: at,
        applied_at: Some(at),
        looked_at: None,
        settled_at: None,
        outcome: None,
        approval: None,
        note: String::new(),
        taken_over_by: None,
        rolled_back: false,
    }
}

const NOW_S: i64 = 10 * 86_400;

fn tally(entries: &[Entry]) -> Tally {
    let change = build::change("next", build::set_fleet("web", 6));
    Tally::of(entries, "run-1", &change, build::after_s(NOW_S), None)
}

#[test]
fn counts_by_run_hour_and_day_up_to_their_ends() {
    let entries = [
        entry("a", EntryState::Kept, 3_599),
        entry("b", EntryState::Kept, 3_600),
        entry("c", EntryState::Kept, 86_399),
        entry("d", EntryState::Kept, 86_400),
    ];
    let tally = tally(&entries);
    assert_eq!((tally.in_execution, tally.last_hour, tally.last_day), (4, 1, 3));
}

#[test]
fn counts_what_is_uncertain_and_not_what_never_happened() {
    let entries = [entry("a", EntryState::Intended, 60), entry("b", EntryState::NotApplied, 60)];
    let tally = tally(&entries);
    assert_eq!((tally.in_execution, tally.last_hour), (1, 1));
    assert_eq!(tally.open_change, Some("a".into()));
}

#[test]
fn counts_an_entry_from_the_future() {
    assert_eq!(tally(&[entry("a", EntryState::Kept, -600)]).last_hour, 1);
}

#[test]
fn counts_an_undo_by_when_it_was_undone() {
    let undone =
        |ago_s| Entry { settled_at: Some(build::after_s(NOW_S - ago_s)), ..entry("a", EntryState::Undone, 90_000) };
    assert_eq!(tally(&[undone(86_399)]).undos_last_day, 1);
    assert_eq!(tally(&[undone(86_400)]).undos_last_day, 0);
    assert_eq!(tally(&[undone(60)]).resource_changed_at, Some(build::after_s(NOW_S - 60)), "restoring is changing");
    assert_eq!(tally(&[undone(60)]).last_day, 0);
}

#[test]
fn what_was_undone_before_a_person_closed_the_circuit_breaker_does_not_count() {
    let undone =
        |ago_s| Entry { settled_at: Some(build::after_s(NOW_S - ago_s)), ..entry("a", EntryState::Undone, 90_000) };
    let change = build::change("next", build::set_fleet("web", 6));
    let count = |closed_ago_s: i64| {
        let closed = Some(build::after_s(NOW_S - closed_ago_s));
        Tally::of(&[undone(600), undone(300)], "run-1", &change, build::after_s(NOW_S), closed).undos_last_day
    };
    assert_eq!((count(601), count(600), count(300), count(100_000)), (2, 1, 0, 2));
}

#[test]
fn counts_the_same_remedy_on_the_same_resource_as_a_repeat() {
    let other_kind = Entry {
        change: build::change("b", Action::RefreshFleet { group: "web".into() }),
        ..entry("b", EntryState::Kept, 60)
    };
    let other_resource =
        Entry { change: build::change("c", build::set_fleet("api", 4)), ..entry("c", EntryState::Kept, 60) };
    let tally = tally(&[entry("a", EntryState::Kept, 900), other_kind, other_resource]);
    assert_eq!(tally.repeats_last_day, 1);
    assert_eq!(tally.resource_changed_at, Some(build::after_s(NOW_S - 60)));
    assert_eq!(tally.last_day, 3);
}

/// A canary of `web`, and the refresh of all that follows it.
fn rollout(canary_ago_s: i64, verdict: Verdict, rest_ago_s: Option<i64>) -> (Vec<Entry>, Change) {
    let part = Rollout::Canary { of: 4, then: ChangeKind::RefreshFleet };
    let canary = Change { rollout: Some(part), ..build::change("canary", build::replace("web", 1)) };
    let outcome = build::outcome(&canary, verdict, true, build::after_s(NOW_S - canary_ago_s));
    let rest = Change {
        rollout: Some(Rollout::Rest { canary: canary.id.clone() }),
        ..build::change("rest", Action::RefreshFleet { group: "web".into() })
    };
    let canary = Entry { change: canary, outcome: Some(outcome), ..entry("canary", EntryState::Kept, canary_ago_s) };
    let made = rest_ago_s.map(|ago_s| Entry { change: rest.clone(), ..entry("rest", EntryState::Kept, ago_s) });
    ([canary].into_iter().chain(made).collect(), rest)
}

fn tally_for(change: &Change, entries: &[Entry]) -> Tally {
    Tally::of(entries, "run-1", change, build::after_s(NOW_S), None)
}

#[test]
fn a_verified_canary_holds_neither_cool_down_nor_repeat_against_its_rest() {
    let (entries, rest) = rollout(60, Verdict::Verified, None);
    let tally = tally_for(&rest, &entries);
    assert_eq!((tally.resource_changed_at, tally.repeats_last_day), (None, 0));
    assert_eq!((tally.in_execution, tally.last_hour), (1, 1), "it was a change all the same");
    for verdict in [Verdict::Inconclusive, Verdict::Regressed] {
        let (entries, rest) = rollout(60, verdict, None);
        let tally = tally_for(&rest, &entries);
        assert_eq!((tally.resource_changed_at, tally.repeats_last_day), (Some(build::after_s(NOW_S - 60)), 1));
    }
    let other = Change { rollout: None, ..rest };
    assert_eq!(tally_for(&other, &rollout(60, Verdict::Verified, None).0).repeats_last_day, 1, "not its rest");
}

#[test]
fn a_canary_and_its_rest_count_as_one_repeat_of_the_remedy() {
    let (entries, rest) = rollout(3_000, Verdict::Verified, Some(1_800));
    let next = Change { rollout: None, ..rest };
    let tally = tally_for(&next, &entries);
    assert_eq!((tally.repeats_last_day, tally.last_day), (1, 2));
    let sick = build::change("sick", build::replace("web", 2));
    assert_eq!(tally_for(&sick, &entries).repeats_last_day, 0, "replacing a sick member is another remedy");
}

#[test]
fn adds_up_what_this_run_spends_and_lets_no_saving_pay_for_it() {
    let saving = Entry {
        change: Change { cost_usd_cents_month: Some(-900), ..build::change("b", build::set_fleet("api", 1)) },
        ..entry("b", EntryState::Kept, 60)
    };
    let undone = entry("c", EntryState::Undone, 60);
    let undone = Entry { settled_at: Some(undone.intended_at), ..undone };
    let of_another_run = Entry { execution: ExecutionId::from("run-0"), ..entry("d", EntryState::Kept, 60) };
    let tally = tally(&[entry("a", EntryState::Kept, 900), saving, undone, of_another_run]);
    assert_eq!(tally.spent_usd_cents_month, 500);
}

/// A change of a fleet that costs or saves so much.
fn costing(id: &str, group: &str, cents: i64, state: EntryState, of: &str) -> Entry {
    let change = Change { cost_usd_cents_month: Some(cents), ..build::change(id, build::set_fleet(group, 4)) };
    Entry { change, execution: ExecutionId::from(of), ..entry(id, state, 86_400) }
}

#[test]
fn what_an_application_has_been_charged_is_set_off_only_against_savings_of_the_same_resource() {
    let entries = [
        costing("a", "web", 700, EntryState::Kept, "run-1"),
        costing("b", "web", -300, EntryState::Kept, "run-2"),
        costing("c", "api", -5_000, EntryState::Kept, "run-3"),
        costing("d", "batch", 200, EntryState::Intended, "run-4"),
        costing("e", "batch", 9_000, EntryState::Undone, "run-5"),
        costing("f", "batch", 9_000, EntryState::NotApplied, "run-6"),
    ];
    let wanted = |group: &str, cents: i64| costing("z", group, cents, EntryState::Intended, "run-9").change;
    let spent = |change: &Change| tally_for(change, &entries).app_spent_usd_cents_month;
    assert_eq!(spent(&wanted("web", 100)), 400 + 200, "what is uncertain counts, what does not stand does not");
    assert_eq!(spent(&wanted("other", 100)), 400 + 200);
    assert_eq!(spent(&wanted("api", 100)), 400 + 200 - 100, "what was saved here may be spent here again");
    assert_eq!(spent(&wanted("api", 6_000)), 400 + 200 - 5_000, "and not more than that");
    let unpriced = Change { cost_usd_cents_month: None, ..wanted("api", 0) };
    assert_eq!(spent(&unpriced), 400 + 200);
}
