use super::*;
use crate::change::Better;
use crate::ids::{RuleId, SignalId};
use crate::resource::{Fleet, Live};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);
const TERMS: Terms = Terms { answer_within_s: 3_600, use_within_s: 3_600, ask_again_s: 14_400, earn_after: 3 };

fn ago_s(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

fn fleet(desired: u32) -> Live {
    Live::AutoScalingGroup(Fleet {
        min: 1,
        max: 20,
        desired,
        instances: Vec::new(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    })
}

fn resize(desired: u32) -> Change {
    Change {
        id: ChangeId::from("c1"),
        action: Action::SetFleetCapacity { group: "web".into(), desired },
        resource: ResourceId::from("asg/web"),
        because: RuleId::from("saturation"),
        reason: "CPU is at 91 %".into(),
        expected: Expectation {
            signal: SignalId::from("fleet_cpu_pct"),
            resource: ResourceId::from("asg/web"),
            better: Better::Lower,
            before: 91.0,
            after: 60.0,
        },
        cost_usd_cents_month: None,
        rollout: None,
    }
}

/// A request of run `mine` for seven servers, asked ten minutes ago and open for an hour.
fn request() -> Request {
    let change = resize(7);
    Request {
        id: RequestId::from("mine-1"),
        app: AppId::from("shop"),
        execution: ExecutionId::from("mine"),
        execution_arn: String::new(),
        place: None,
        endpoints: Vec::new(),
        cycle: Default::default(),
        iteration: 1,
        evidence: Vec::new(),
        score: Some(3.1),
        questions: vec![Question {
            change: change.id,
            action: change.action,
            resource: change.resource,
            before: Some("4".into()),
            size: Some(4),
            reason: change.reason,
            expected: change.expected,
            risk: Risk::Low,
            reversal: Reversal::Undoable,
            cost_usd_cents_month: None,
            rollout: None,
        }],
        asked_at: ago_s(600),
        expires_at: ago_s(-3_000),
        state: RequestState::Open,
        answer: None,
    }
}

fn answered(approved: &[&str], at: Timestamp) -> Request {
    let approved = approved.iter().map(|id| ChangeId::from(*id)).collect();
    let answer = Answer { approved, by: "ada".into(), remark: "go".into(), via: Via::Link, at };
    Request { state: RequestState::Answered, answer: Some(answer), ..request() }
}

fn said(change: &Change, execution: &str, requests: &[Request]) -> Consent {
    consent(change, &fleet(4), &ExecutionId::from(execution), requests, &TERMS, NOW)
}

fn is_given(consent: &Consent) -> bool {
    matches!(consent, Consent::Given(Approval::Given { .. }))
}

#[test]
fn a_yes_holds_for_the_run_that_asked_and_within_its_time() {
    let yes = |seconds| answered(&["c1"], ago_s(seconds));
    assert!(is_given(&said(&resize(7), "mine", &[yes(60)])));
    assert!(is_given(&said(&resize(7), "mine", &[yes(3_599)])));
    assert_eq!(said(&resize(7), "mine", &[yes(3_600)]), Consent::NotAsked, "too old to be used");
    assert_eq!(said(&resize(7), "other", &[yes(60)]), Consent::NotAsked, "another run asks for itself");
}

#[test]
fn a_yes_covers_what_it_showed_and_a_smaller_step_the_same_way() {
    let yes = [answered(&["c1"], ago_s(60))];
    for (desired, expected) in [(7, true), (6, true), (5, true), (8, false), (3, false)] {
        assert_eq!(is_given(&said(&resize(desired), "mine", &yes)), expected, "{desired}");
    }
    let other = Change { resource: ResourceId::from("asg/api"), ..resize(7) };
    assert_eq!(said(&other, "mine", &yes), Consent::NotAsked, "another resource");
    let restart = Change { action: Action::RefreshFleet { group: "web".into() }, ..resize(7) };
    assert_eq!(said(&restart, "mine", &yes), Consent::NotAsked, "another kind");
}

#[test]
fn a_yes_to_a_canary_is_a_yes_to_another_member_and_to_nothing_that_follows() {
    let canary = |number: u32| Change {
        action: Action::ReplaceInstance { group: "web".into(), instance: format!("i-{number}") },
        rollout: Some(Rollout::Canary { of: 4, then: ChangeKind::RefreshFleet }),
        ..resize(7)
    };
    let mut yes = answered(&["c1"], ago_s(60));
    (yes.questions[0].action, yes.questions[0].rollout) = (canary(1).action, canary(1).rollout);
    let yes = [yes];
    assert!(is_given(&said(&canary(1), "mine", &yes)));
    assert!(is_given(&said(&canary(2), "mine", &yes)), "the worst of four like ones is another by now");
    let sick = Change { rollout: None, ..canary(2) };
    assert_eq!(said(&sick, "mine", &yes), Consent::NotAsked, "a sick member that nothing follows");
    let rest = Change { action: Action::RefreshFleet { group: "web".into() }, rollout: None, ..resize(7) };
    assert_eq!(said(&rest, "mine", &yes), Consent::NotAsked, "the others are asked for by themselves");
}

#[test]
fn regression_a_yes_to_growing_is_no_yes_to_shrinking() {
    // Seven instead of four was shown; somebody else has made nine of them meanwhile.
    let yes = [answered(&["c1"], ago_s(60))];
    for (live, desired, expected) in
        [(5, 7, true), (5, 6, true), (3, 7, true), (9, 8, false), (9, 7, false), (3, 2, false)]
    {
        let said = consent(&resize(desired), &fleet(live), &ExecutionId::from("mine"), &yes, &TERMS, NOW);
        assert_eq!(is_given(&said), expected, "from {live} to {desired}");
    }
}

#[test]
fn a_no_holds_for_every_run_until_one_may_ask_again() {
    let no = |seconds| answered(&[], ago_s(seconds));
    let denied = Consent::Denied { by: "ada".into(), at: ago_s(14_399) };
    assert_eq!(said(&resize(7), "mine", &[no(14_399)]), denied);
    assert_eq!(said(&resize(9), "other", &[no(14_399)]), denied, "a no is a no to the kind, not to the number");
    assert_eq!(said(&resize(7), "mine", &[no(14_400)]), Consent::NotAsked);
}

#[test]
fn silence_means_no_from_the_very_moment_on() {
    let until = |seconds| Request { expires_at: ago_s(seconds), asked_at: ago_s(20_000), ..request() };
    assert_eq!(said(&resize(7), "mine", &[until(-1)]), Consent::Awaiting { asked_at: ago_s(20_000) });
    assert_eq!(said(&resize(7), "mine", &[until(0)]), Consent::Unanswered { asked_at: ago_s(20_000) });
    assert_eq!(said(&resize(7), "mine", &[until(14_400)]), Consent::NotAsked, "long ago");
}

#[test]
fn the_newest_word_counts() {
    let old_yes = Request { asked_at: ago_s(5_000), ..answered(&["c1"], ago_s(600)) };
    let new_no = Request { asked_at: ago_s(500), ..answered(&[], ago_s(400)) };
    for order in [[old_yes.clone(), new_no.clone()], [new_no, old_yes]] {
        assert!(matches!(said(&resize(7), "mine", &order), Consent::Denied { .. }));
    }
}

fn past(with_approval: bool, verdict: Option<Verdict>, minutes_ago: i64) -> Past {
    Past { kind: ChangeKind::SetFleetCapacity, with_approval, verdict, at: ago_s(60 * minutes_ago) }
}

#[test]
fn autonomy_is_earned_by_approved_and_verified_changes_and_lost_by_one_regression() {
    let kind = ChangeKind::SetFleetCapacity;
    let good = |minutes_ago| past(true, Some(Verdict::Verified), minutes_ago);
    let history = vec![good(50), good(40), past(true, Some(Verdict::Inconclusive), 35), good(30)];
    assert_eq!(earned(kind, &history), 3);
    assert_eq!(earned(ChangeKind::FlushCache, &history), 0, "of this kind only");
    let by_itself = vec![past(false, Some(Verdict::Verified), 50)];
    assert_eq!(earned(kind, &by_itself), 0, "only what a person stood for counts");
    let mut lost = history.clone();
    lost.push(past(true, Some(Verdict::Regressed), 35));
    assert_eq!(earned(kind, &lost), 1, "one since");
    lost.push(past(false, Some(Verdict::Regressed), 1));
    assert_eq!(earned(kind, &lost), 0);
}

/// Two runs of one application ask for the same, each while the other works or waits. Neither must be kept from using its yes
/// by the question of the other, or both ask for ever and nothing is done.
#[test]
fn regression_a_yes_holds_while_another_run_asks_for_the_same() {
    let other = |state, answer: Option<Answer>| Request {
        execution: "other".into(),
        asked_at: ago_s(30),
        state,
        answer,
        ..request()
    };
    let mine = answered(&["c1"], ago_s(60));
    let yes = answered(&["c1"], ago_s(10)).answer;
    for (state, answer) in [(RequestState::Open, None), (RequestState::Withdrawn, None), (RequestState::Answered, yes)]
    {
        let requests = [mine.clone(), other(state, answer)];
        assert!(is_given(&said(&resize(7), "mine", &requests)), "{state:?}");
    }
    // A no is a no, whoever was asked, and so is silence; and without a yes of one's own an open question is waited for.
    let no = answered(&[], ago_s(10)).answer;
    let denied = said(&resize(7), "mine", &[mine.clone(), other(RequestState::Answered, no)]);
    assert!(matches!(denied, Consent::Denied { .. }), "{denied:?}");
    let silent = said(&resize(7), "mine", &[mine, other(RequestState::Lapsed, None)]);
    assert!(matches!(silent, Consent::Unanswered { .. }), "{silent:?}");
    let open = said(&resize(7), "mine", &[answered(&["c1"], ago_s(3_700)), other(RequestState::Open, None)]);
    assert!(matches!(open, Consent::Awaiting { .. }), "{open:?}");
}

#[test]
fn an_approval_says_who_and_which_way() {
    let Consent::Given(approval) = said(&resize(7), "mine", &[answered(&["c1"], ago_s(60))]) else { panic!() };
    assert_eq!(approval.to_string(), "approved by ada by the link at 2025-12-31T23:59:00Z: go");
}

proptest! {
    /// Without a yes of this very run there is no consent, whatever was asked and answered.
    #[test]
    fn prop_only_a_yes_of_the_same_run_is_a_yes(
        states in proptest::collection::vec((0_u8..4, any::<bool>(), any::<bool>(), 0_i64..20_000), 0..6),
        desired in 1_u32..12,
    ) {
        let requests: Vec<Request> = states.iter().map(|(state, is_mine, is_yes, ago)| {
            let base = answered(if *is_yes { &["c1"] } else { &[] }, ago_s(*ago));
            let states = [RequestState::Open, RequestState::Answered, RequestState::Lapsed, RequestState::Withdrawn];
            let state = states[usize::from(*state)];
            let answer = if state == RequestState::Answered { base.answer.clone() } else { None };
            let execution = ExecutionId::from(if *is_mine { "mine" } else { "other" });
            Request { state, answer, execution, asked_at: ago_s(*ago + 10), ..base }
        }).collect();
        let consent = said(&resize(desired), "mine", &requests);
        if is_given(&consent) {
            let yes = states.iter().any(|(state, is_mine, is_yes, ago)| *state == 1 && *is_mine && *is_yes && *ago < 3_600);
            prop_assert!(yes && (4..=7).contains(&desired));
        }
    }
}
