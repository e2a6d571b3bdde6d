//! plan: one phase. The least risk first; the next class of risk comes only after the one before was watched and found harmless.

use super::opportunity::{Opportunity, Remedy};
use super::policy::Policy;
use crate::change::{Action, Better, Change, ChangeKind, Expectation, id};
use crate::guard::Limits;
use crate::ids::{ExecutionId, ResourceId, SignalId};
use crate::outcome::Verdict;
use crate::plan::{PassedOver, Plan};
use jiff::Timestamp;

/// The signal that a saving is expressed in: what is paid for nothing, in US dollars a month.
pub const WASTE: &str = "waste_usd_month";

/// Days for which a change that was taken back is not made again.
const TAKEN_BACK_DAYS: i64 = 30;

/// An earlier change of the application, as the planner looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// The run that made it.
    pub execution: ExecutionId,
    /// Its kind.
    pub kind: ChangeKind,
    /// Its resource.
    pub resource: ResourceId,
    /// It stands, as far as the journal knows.
    pub stands: bool,
    /// Its verdict, where there is one.
    pub verdict: Option<Verdict>,
    /// When it was made.
    pub at: Timestamp,
}

/// The next phase of a run: the changes of the lowest class of risk of which something is left to do, largest saving first.
///
/// Opportunities come as [`super::rules::find`] gives them, largest saving first. What was tried in this run is not tried again in it;
/// what was taken back is left alone for a month; and whoever has removed a mark for deletion keeps the resource.
pub fn plan(
    opportunities: &[Opportunity],
    past: &[Past],
    policy: &Policy,
    limits: &Limits,
    (execution, iteration): (&ExecutionId, u32),
    now: Timestamp,
) -> Plan {
    let mut plan = Plan::default();
    let mut open: Vec<(&Opportunity, &Action)> = Vec::new();
    for opportunity in opportunities {
        let Remedy::Change { action } = &opportunity.remedy else {
            plan.passed_over.push(left_to_others(opportunity));
            continue;
        };
        match why_not(action, opportunity, past, execution, policy, now) {
            Some(reason) => plan.passed_over.push(passed_over(opportunity, action.to_string(), reason)),
            None => open.push((opportunity, action)),
        }
    }
    let Some(risk) = open.iter().map(|(_, action)| action.spec().risk).min() else { return plan };
    let most = usize::try_from(limits.changes_per_execution_max).unwrap_or(usize::MAX);
    for (opportunity, action) in open {
        let reason = if action.spec().risk > risk {
            format!("a later phase: what has {risk} risk is done and watched first")
        } else if plan.changes.len() >= most {
            format!("a later run: {most} changes are allowed in one")
        } else {
            plan.changes.push(change(opportunity, action, execution, iteration));
            continue;
        };
        plan.passed_over.push(passed_over(opportunity, action.to_string(), reason));
    }
    plan
}

fn why_not(
    action: &Action,
    opportunity: &Opportunity,
    past: &[Past],
    execution: &ExecutionId,
    policy: &Policy,
    now: Timestamp,
) -> Option<String> {
    let kind = action.kind();
    let mut same = past.iter().filter(|past| past.kind == kind && past.resource == opportunity.resource).rev();
    let newest = same.next()?;
    let days = now.duration_since(newest.at).as_secs().div_euclid(86_400);
    if newest.execution == *execution {
        return Some("it was tried in this run already".to_owned());
    }
    if kind == ChangeKind::MarkForDeletion && newest.stands {
        return Some(format!("it was marked {days} days ago and its owner has removed the mark: it stays"));
    }
    if kind == ChangeKind::SetFleetSchedule && newest.stands {
        return Some(format!(
            "it got off hours {days} days ago and somebody has deleted them: it stays on for {TAKEN_BACK_DAYS} days"
        ));
    }
    let bars = TAKEN_BACK_DAYS.max(i64::from(policy.grace_days));
    if newest.verdict == Some(Verdict::Regressed) && days < bars {
        return Some(format!("it was taken back {days} days ago because users suffered; it rests for {bars} days"));
    }
    None
}

fn change(opportunity: &Opportunity, action: &Action, execution: &ExecutionId, iteration: u32) -> Change {
    let saving = opportunity.saving.known().map(|saving| saving.likely);
    // Whole cents lie far below the precision of a float.
    #[expect(clippy::cast_precision_loss, reason = "an amount in cents")]
    let usd = saving.map_or(0.0, |saving| saving.cents() as f64 / 100.0);
    Change {
        id: id(execution, iteration, action.kind(), &opportunity.resource),
        action: action.clone(),
        resource: opportunity.resource.clone(),
        because: opportunity.rule.clone(),
        reason: opportunity.summary.clone(),
        expected: Expectation {
            signal: SignalId::from(WASTE),
            resource: opportunity.resource.clone(),
            better: Better::Lower,
            before: usd,
            after: 0.0,
        },
        // A mark or a final snapshot saves nothing by itself: what is deleted later does.
        cost_usd_cents_month: saving.map(|saving| if saves(action) { -saving.cents() } else { 0 }),
        rollout: None,
    }
}

/// True where the change itself ends the cost.
fn saves(action: &Action) -> bool {
    !matches!(action, Action::MarkForDeletion { .. } | Action::SnapshotVolume { .. })
}

/// An opportunity that the maintainer does nothing about.
pub(super) fn left_to_others(opportunity: &Opportunity) -> PassedOver {
    let (remedy, reason) = match &opportunity.remedy {
        Remedy::Advice { what } => (what.clone(), "a person does it".to_owned()),
        Remedy::Patch { text } => (text.clone(), "its template does it: not changed behind its back".to_owned()),
        Remedy::Wait { why } => (opportunity.summary.clone(), why.clone()),
        Remedy::Change { action } => (action.to_string(), String::new()),
    };
    passed_over(opportunity, remedy, reason)
}

fn passed_over(opportunity: &Opportunity, remedy: String, reason: String) -> PassedOver {
    PassedOver { because: opportunity.rule.clone(), resource: opportunity.resource.clone(), remedy, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::money::UsdMicros;
    use crate::cost::opportunity::{Effort, Saving};
    use crate::ids::RuleId;
    use crate::mode::Risk;
    use crate::observed::Observed;
    use jiff::SignedDuration;

    const NOW: Timestamp = Timestamp::constant(1_767_571_200, 0);

    fn opportunity(name: &str, usd: i64, remedy: Remedy) -> Opportunity {
        Opportunity {
            rule: RuleId::from("a_rule"),
            resource: ResourceId::from(name),
            name: name.to_owned(),
            summary: format!("{name} is waste"),
            evidence: Vec::new(),
            saving: Observed::Known(Saving::exactly(UsdMicros(usd * 1_000_000))),
            risk: Risk::Low,
            effort: Effort::None,
            confidence: 1.0,
            remedy,
            way_back: String::new(),
        }
    }

    fn gp3(volume: &str) -> Action {
        let (volume, volume_type) = (volume.to_owned(), "gp3".to_owned());
        Action::SetVolumeType { volume, volume_type, iops: 3_000, throughput_mibps: 125 }
    }

    fn does(action: Action) -> Remedy {
        Remedy::Change { action }
    }

    fn planned(opportunities: &[Opportunity], past: &[Past]) -> Plan {
        let limits = Limits { changes_per_execution_max: 2, ..Limits::default() };
        plan(opportunities, past, &Policy::default(), &limits, (&ExecutionId::from("run-2"), 1), NOW)
    }

    fn past(of: &Opportunity, execution: &str, days: i64) -> Past {
        let Remedy::Change { action } = &of.remedy else { unreachable!("it is a change") };
        Past {
            execution: ExecutionId::from(execution),
            kind: action.kind(),
            resource: of.resource.clone(),
            stands: true,
            verdict: Some(Verdict::Verified),
            at: NOW - SignedDuration::from_hours(24 * days),
        }
    }

    #[test]
    fn a_phase_has_one_class_of_risk_and_no_more_changes_than_a_run_may_make() {
        let release = does(Action::ReleaseAddress { allocation: "a".to_owned() });
        let all = [
            opportunity("a", 90, release),
            opportunity("v1", 30, does(gp3("v1"))),
            opportunity("v2", 20, does(gp3("v2"))),
            opportunity("v3", 10, does(gp3("v3"))),
            opportunity("x", 5, Remedy::Advice { what: "look at x".to_owned() }),
        ];
        let plan = planned(&all, &[]);
        let names: Vec<&str> = plan.changes.iter().map(|change| change.resource.as_str()).collect();
        assert_eq!(names, ["v1", "v2"]);
        assert_eq!(plan.changes[0].cost_usd_cents_month, Some(-3_000));
        let why =
            |name: &str| plan.passed_over.iter().find(|line| line.resource.as_str() == name).unwrap().reason.clone();
        assert!(why("a").contains("later phase") && why("v3").contains("later run"), "{plan:?}");
        assert_eq!(why("x"), "a person does it");
    }

    #[test]
    fn what_was_tried_taken_back_or_unmarked_is_left_alone() {
        let volume = opportunity("v1", 30, does(gp3("v1")));
        let mark = opportunity("v2", 20, does(Action::MarkForDeletion { arn: "v2".to_owned(), delete_after: NOW }));
        let one = |of: &Opportunity, past: Past| planned(std::slice::from_ref(of), &[past]).changes.len();
        assert_eq!(one(&volume, past(&volume, "run-2", 0)), 0, "in this run");
        assert_eq!(one(&volume, past(&volume, "run-1", 1)), 1, "somebody has set it back: it is worth another try");
        let regressed = |days| Past { verdict: Some(Verdict::Regressed), ..past(&volume, "run-1", days) };
        assert_eq!((one(&volume, regressed(29)), one(&volume, regressed(30))), (0, 1));
        assert_eq!(one(&mark, past(&mark, "run-1", 7)), 0, "its owner has removed the mark");
        let undone = Past { stands: false, ..past(&mark, "run-1", 7) };
        assert_eq!(one(&mark, undone), 1, "the maintainer itself has taken it back");
        let of_another = Past { resource: ResourceId::from("v9"), ..past(&mark, "run-1", 7) };
        assert_eq!(one(&mark, of_another), 1);
    }

    #[test]
    fn a_mark_saves_nothing_yet() {
        let mark = opportunity("v2", 20, does(Action::MarkForDeletion { arn: "v2".to_owned(), delete_after: NOW }));
        let plan = planned(&[mark], &[]);
        assert_eq!((plan.changes[0].cost_usd_cents_month, plan.changes[0].expected.before), (Some(0), 20.0));
    }
}
