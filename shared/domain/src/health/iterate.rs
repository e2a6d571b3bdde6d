//! iterate: go on, succeeded, or a person must look. Decides from the record of the iterations alone.
//!
//! Success needs a measured score of 8 or more at the end of three iterations in a row and for 30 minutes. A score that
//! is missing is never a success. Escalation: not measurable, under 4 after three iterations, no improvement in three
//! iterations, or six iterations used up. An iteration in which nothing was changed because an answer was lost counts for none
//! of the last three, twice in a run.

use super::policy::Policy;
use crate::execution::IterationRecord;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Iterations with a lost answer that a run is not charged for.
const ANSWERS_LOST_FREE: usize = 2;

/// How a run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "next")]
pub enum Next {
    /// Measure again.
    Continue,
    /// The target is verified as reached.
    Succeeded {
        /// One sentence with the numbers.
        why: String,
    },
    /// A person must look.
    Escalate {
        /// One sentence with the numbers.
        why: String,
    },
}

/// Decides after the last of these iterations. `now` only bounds what a clock that jumped may claim: a measurement from
/// the future proves nothing.
pub fn iterate(iterations: &[IterationRecord], policy: &Policy, now: Timestamp) -> Next {
    if let Some(why) = success(iterations, policy, now) {
        return Next::Succeeded { why };
    }
    let blind = count(iterations.iter().rev().take_while(|iteration| iteration.score_after.is_none()).count());
    if blind >= policy.unmeasured_iterations_max {
        return escalate(format!(
            "the application could not be measured in {blind} iterations in a row, so nobody can say whether it is well"
        ));
    }
    let iterations = &charged(iterations);
    let Some(last) = iterations.last() else { return Next::Continue };
    let done = count(iterations.len());
    if let Some(score) = last.score_after
        && done >= policy.escalate_after_iterations
    {
        if score < policy.escalate_under_score {
            return escalate(format!(
                "the score is {score:.1} after {done} iterations, under {}: {}",
                policy.escalate_under_score,
                deeds(iterations)
            ));
        }
        if let Some(from) = not_improved(iterations, score, policy) {
            return escalate(format!(
                "the score went from {from:.1} to {score:.1} in {} iterations, less than {} better: {}",
                policy.escalate_after_iterations,
                policy.improvement_points,
                deeds(iterations)
            ));
        }
    }
    if done >= policy.iterations_max {
        let score = last.score_after.map_or_else(|| "not known".to_owned(), |score| format!("{score:.1}"));
        return escalate(format!(
            "{done} iterations are used up and the score is {score}, not {} for {} min: {}",
            policy.success_score,
            policy.stable_s / 60,
            deeds(iterations)
        ));
    }
    Next::Continue
}

/// The iterations that count towards an escalation.
fn charged(iterations: &[IterationRecord]) -> Vec<IterationRecord> {
    let mut free = ANSWERS_LOST_FREE;
    let is_charged = |iteration: &&IterationRecord| {
        let is_free = iteration.answer_lost && free > 0;
        free -= usize::from(is_free);
        !is_free
    };
    iterations.iter().filter(is_charged).cloned().collect()
}

fn escalate(why: String) -> Next {
    Next::Escalate { why }
}

/// Why the run has succeeded, if it has.
fn success(iterations: &[IterationRecord], policy: &Policy, now: Timestamp) -> Option<String> {
    let good = |score: Option<f64>| score.is_some_and(|score| score >= policy.success_score);
    let in_a_row = count(iterations.iter().rev().take_while(|iteration| good(iteration.score_after)).count());
    if in_a_row < policy.success_iterations {
        return None;
    }
    // Every measurement of the run, newest first; both of an iteration count.
    let measured = iterations
        .iter()
        .rev()
        .flat_map(|iteration| [(iteration.measured_at, iteration.score_after), (Some(iteration.at), iteration.score)]);
    let stretch: Vec<Timestamp> =
        measured.take_while(|(at, score)| at.is_some() && good(*score)).filter_map(|(at, _)| at).collect();
    let (newest, oldest) = (*stretch.first()?, *stretch.last()?);
    let stable_s = newest.duration_since(oldest).as_secs();
    if newest > now || stable_s < i64::from(policy.stable_s) {
        return None;
    }
    let score = iterations.last()?.score_after?;
    Some(format!(
        "the score is {score:.1}, at least {} in {in_a_row} iterations in a row and for {} min",
        policy.success_score,
        stable_s / 60
    ))
}

/// The score some iterations ago, when none since was good or a step better.
fn not_improved(iterations: &[IterationRecord], score: f64, policy: &Policy) -> Option<f64> {
    let back = usize::try_from(policy.escalate_after_iterations).unwrap_or(usize::MAX);
    let from = iterations.get(iterations.len().checked_sub(back)?)?.score?;
    let best = iterations.iter().rev().take(back).filter_map(|iteration| iteration.score_after).fold(score, f64::max);
    (best < policy.success_score && best - from < policy.improvement_points).then_some(from)
}

/// What was done, in numbers.
fn deeds(iterations: &[IterationRecord]) -> String {
    let sum = |of: fn(&IterationRecord) -> u32| iterations.iter().map(of).fold(0, u32::saturating_add);
    format!(
        "{} changes made, {} verified, {} undone, {} refused",
        sum(|i| i.applied),
        sum(|i| i.verified),
        sum(|i| i.undone),
        sum(|i| i.refused)
    )
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    const START: Timestamp = Timestamp::constant(1_767_225_600, 0);

    fn at(minutes: i64) -> Timestamp {
        START + SignedDuration::from_mins(minutes)
    }

    /// Iterations of eleven minutes with these scores before and after.
    fn run(scores: &[(Option<f64>, Option<f64>)]) -> Vec<IterationRecord> {
        (1_u32..)
            .zip(scores)
            .map(|(iteration, (score, score_after))| IterationRecord {
                iteration,
                at: at(11 * i64::from(iteration - 1)),
                score: *score,
                score_after: *score_after,
                measured_at: Some(at(11 * i64::from(iteration - 1) + 10)),
                applied: 1,
                verified: 1,
                undone: 0,
                refused: 0,
                answer_lost: false,
            })
            .collect()
    }

    fn after(scores: &[(f64, f64)]) -> Next {
        let scores: Vec<_> = scores.iter().map(|(before, after)| (Some(*before), Some(*after))).collect();
        iterate(&run(&scores), &Policy::default(), at(200))
    }

    #[test]
    fn the_stop_criteria_of_the_specification() {
        let cases: [(&[(f64, f64)], &str); 9] = [
            (&[(9.0, 9.0), (9.0, 9.0)], "continue"),
            (&[(9.0, 9.0), (9.0, 9.0), (9.0, 9.0)], "succeeded"),
            // Three good ends, but only since minute 10: 22 minutes.
            (&[(2.0, 9.0), (9.0, 9.0), (9.0, 9.0)], "continue"),
            (&[(2.0, 9.0), (9.0, 9.0), (9.0, 9.0), (9.0, 9.0)], "succeeded"),
            (&[(9.0, 9.0), (9.0, 7.9), (9.0, 9.0), (9.0, 9.0)], "continue"),
            (&[(1.0, 2.0), (2.0, 3.0), (3.0, 3.9)], "escalate"),
            (&[(1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], "continue"),
            (&[(6.5, 6.6), (6.6, 6.8), (6.8, 7.0)], "escalate"),
            (&[(4.0, 5.5), (5.5, 6.0), (6.0, 6.5), (6.5, 7.0), (7.0, 7.5), (7.5, 7.9)], "escalate"),
        ];
        for (scores, expected) in cases {
            let next = after(scores);
            let name = serde_json::to_value(&next).unwrap()["next"].as_str().unwrap().to_owned();
            assert_eq!(name, expected, "{scores:?} {next:?}");
        }
    }

    #[test]
    fn an_application_that_cannot_be_measured_is_handed_over_and_never_called_well() {
        let blind = run(&[(None, None), (None, None)]);
        let Next::Escalate { why } = iterate(&blind, &Policy::default(), at(100)) else { panic!("{blind:?}") };
        assert!(why.contains("could not be measured in 2 iterations"), "{why}");
        let once = run(&[(Some(9.0), None)]);
        assert_eq!(iterate(&once, &Policy::default(), at(100)), Next::Continue);
        let gap = run(&[(Some(9.0), Some(9.0)), (None, Some(9.0)), (Some(9.0), Some(9.0))]);
        assert_eq!(iterate(&gap, &Policy::default(), at(100)), Next::Continue, "a gap breaks the stretch");
    }

    #[test]
    fn iterations_with_a_lost_answer_are_not_charged_twice_in_a_run() {
        let next = |lost: &[usize], scores: &[(f64, f64)]| {
            let scores: Vec<_> = scores.iter().map(|(before, after)| (Some(*before), Some(*after))).collect();
            let mut run = run(&scores);
            lost.iter().for_each(|place| run[*place].answer_lost = true);
            iterate(&run, &Policy::default(), at(200))
        };
        let slow = [(4.0, 5.5), (5.5, 6.0), (6.0, 6.5), (6.5, 7.0), (7.0, 7.5), (7.5, 7.9)];
        assert!(matches!(next(&[], &slow), Next::Escalate { .. }));
        assert_eq!(next(&[1], &slow), Next::Continue);
        let flat = [(1.0, 1.0); 3];
        assert!(matches!(next(&[], &flat), Next::Escalate { .. }));
        assert_eq!(next(&[0], &flat), Next::Continue);
        assert_eq!(next(&[0, 1, 2], &flat), Next::Continue, "one of the three is charged");
        assert!(matches!(next(&[0, 1, 2, 3, 4], &[(1.0, 1.0); 5]), Next::Escalate { .. }), "three of the five are");
        assert!(matches!(next(&[2], &[(9.0, 9.0); 3]), Next::Succeeded { .. }), "well is well");
    }

    #[test]
    fn a_measurement_from_the_future_proves_nothing() {
        let scores = [(Some(9.0), Some(9.0)); 3];
        assert_eq!(iterate(&run(&scores), &Policy::default(), at(5)), Next::Continue);
    }
}
