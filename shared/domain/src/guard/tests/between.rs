//! The guards between cycles: what they let pass, and what they refuse with which words.

use super::*;
use crate::approval::{Approval, Via};
use crate::arbitration::{Direction, Incident, Made, Restraints, Stands};
use crate::change::ChangeKind;
use crate::execution::Workflow;
use crate::guard::{Refusal, clear};

/// A fleet of four under these facts, set to a size.
fn sized(desired: u32, edit: impl FnOnce(&mut Facts)) -> Option<Refusal> {
    let mut facts = on_fleet(4, 0);
    edit(&mut facts);
    clear(&resize(desired), &facts, &limits()).err()
}

fn made(stands: Stands, direction: Direction, ago_min: i64) -> Made {
    Made {
        id: "c0".into(),
        by: Workflow::Health,
        kind: ChangeKind::SetFleetCapacity,
        resource: "asg/web".into(),
        direction,
        stands,
        at: ago_s(60 * ago_min),
    }
}

fn restraints() -> [(Restraints, Refusal); 3] {
    let surge = "sale: 2026-01-02 to 2026-01-03 UTC".to_owned();
    let incident = Incident::AtWork { run: "run-9".into() };
    let unjudged = made(Stands::Unjudged, Direction::Grows, 5);
    let refused = Refusal::Unjudged { change: "c0".into(), by: Workflow::Health, resource: "asg/web".into() };
    let none = Restraints::default;
    [
        (Restraints { surge: Some(surge.clone()), ..none() }, Refusal::Surge { surge }),
        (Restraints { incident: Some(incident.clone()), ..none() }, Refusal::Incident { incident }),
        (Restraints { unjudged: Some(unjudged), ..none() }, refused),
    ]
}

#[test]
fn nothing_is_made_smaller_under_a_restraint_and_everything_else_is_still_done() {
    for (restraints, refused) in restraints() {
        let under = |desired| sized(desired, |facts| facts.restraints = restraints.clone());
        assert_eq!(under(3), Some(refused.clone()), "smaller");
        assert_eq!(under(5), None, "larger, {refused}");
        let restarted = Facts { restraints: restraints.clone(), ..on_fleet(4, 0) };
        assert_eq!(clear(&replace(1), &restarted, &limits()).err(), None, "a restart, {refused}");
        assert_eq!(clear(&refresh(), &restarted, &limits()).err(), None, "{refused}");
    }
    assert_eq!(sized(3, |_| ()), None, "without any of them");
}

#[test]
fn what_another_cycle_has_verified_a_while_ago_is_not_taken_back() {
    let refused = sized(3, |facts| facts.takes_back = Some(made(Stands::Kept, Direction::Grows, 90)));
    let expected = Refusal::TakesBack {
        change: "c0".into(),
        by: Workflow::Health,
        since_min: 90,
        min_h: limits().reversal_bars_h,
    };
    assert_eq!(refused, Some(expected));
}

#[test]
fn what_a_person_has_had_rolled_back_is_made_again_only_with_a_yes() {
    let given =
        Approval::Given { request: "q".into(), by: "ops".into(), remark: String::new(), via: Via::Link, at: ago_s(60) };
    let needs = Refusal::RolledBack { change: "c0".into(), since_min: 90, min_h: 24 };
    let cases = [
        (Consent::NotAsked, Some(needs.clone())),
        (Consent::Given(Approval::Earned { verified: 9 }), Some(needs.clone())),
        (Consent::Given(given), None),
        (Consent::Denied { by: "ops".into(), at: ago_s(60) }, Some(Refusal::Denied { by: "ops".into() })),
        (Consent::Awaiting { asked_at: ago_s(60) }, Some(Refusal::AwaitingAnswer { asked_at: ago_s(60) })),
        (Consent::Unanswered { asked_at: ago_s(60) }, Some(Refusal::Unanswered { asked_at: ago_s(60) })),
    ];
    for (consent, expected) in cases {
        let told = format!("{consent:?}");
        let refused = sized(6, |facts| {
            facts.rolled_back = Some(made(Stands::RolledBack, Direction::Grows, 90));
            facts.consent = consent;
        });
        assert_eq!(refused, expected, "{told}");
    }
    assert!(needs.is_for_want_of_consent(), "so a person is asked");
    assert!(restraints().iter().all(|(_, refusal)| !refusal.is_for_want_of_consent()), "no yes ends an incident");
}

#[test]
fn every_refusal_between_cycles_says_its_numbers_and_what_ends_it() {
    let said = |refusal: Refusal| refusal.to_string();
    let [surge, incident, unjudged] = restraints().map(|(_, refusal)| said(refusal));
    assert_eq!(
        surge,
        "a surge is announced (sale: 2026-01-02 to 2026-01-03 UTC): nothing is made smaller before its end"
    );
    assert_eq!(
        incident,
        "an incident is open, run run-9 is at work on it: nothing is made smaller before a run has found the application \
         well and its alarms are silent"
    );
    assert_eq!(
        unjudged,
        "change c0 of the health cycle on asg/web is still being verified: nothing is made smaller before it is judged"
    );
    let takes_back = Refusal::TakesBack { change: "c0".into(), by: Workflow::Health, since_min: 90, min_h: 24 };
    assert_eq!(
        said(takes_back),
        "it would take back change c0, which the health cycle verified 90 min ago: that stands for 24 h, unless a \
         person orders its rollback"
    );
    assert_eq!(
        said(Refusal::RolledBack { change: "c0".into(), since_min: 90, min_h: 24 }),
        "a person had the same rolled back 90 min ago (c0): within 24 h it needs a yes"
    );
    assert_eq!(
        said(Refusal::ResourceBudget { per: "hour".into(), used: 4, max: 4 }),
        "4 of 4 changes of this resource per hour are used"
    );
}
