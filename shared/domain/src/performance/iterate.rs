//! iterate: whether another bottleneck is looked for. Decides from the record of the iterations and the last verdicts.

use super::policy::Policy;
use crate::execution::IterationRecord;
use crate::outcome::{Outcome, Verdict};

/// How a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The next bottleneck.
    Continue,
    /// What could be done is done.
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

/// Decides after the last of these iterations. What made something slower is a person's affair at once; what did not help is followed by
/// another try, until the iterations of a day are spent.
pub fn iterate(iterations: &[IterationRecord], last: &[Outcome], policy: &Policy) -> Next {
    let sum = |of: fn(&IterationRecord) -> u32| iterations.iter().map(of).fold(0, u32::saturating_add);
    let (applied, verified, undone) = (sum(|i| i.applied), sum(|i| i.verified), sum(|i| i.undone));
    let Some(newest) = iterations.last() else { return Next::Continue };
    let told = format!(
        "{applied} change(s) made, {verified} verified, {undone} taken back, in {} iteration(s)",
        iterations.len()
    );
    if let Some(worse) = last.iter().find(|outcome| outcome.verdict == Verdict::Regressed) {
        return Next::Escalate { why: format!("{}: {told}", worse.why) };
    }
    let is_over = iterations.len() >= usize::try_from(policy.iterations_per_day_max).unwrap_or(usize::MAX);
    if newest.applied == 0 && !newest.answer_lost {
        return Next::Succeeded { why: told };
    }
    match (is_over, verified) {
        (false, _) => Next::Continue,
        (true, 0) if applied > 0 => Next::Escalate { why: format!("nothing helped: {told}") },
        (true, _) => Next::Succeeded { why: told },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn iteration(iteration: u32, (applied, verified, undone): (u32, u32, u32)) -> IterationRecord {
        IterationRecord {
            iteration,
            at: Timestamp::UNIX_EPOCH,
            score: None,
            score_after: None,
            measured_at: None,
            applied,
            verified,
            undone,
            refused: 0,
            answer_lost: false,
        }
    }

    fn outcome(verdict: Verdict) -> Outcome {
        Outcome {
            change: "create_index-1-a".into(),
            signal: "db_statement_mean_ms".into(),
            resource: "index/shop/a".into(),
            verdict,
            before: None,
            after: None,
            interval: None,
            improvement_pct: None,
            keep: verdict == Verdict::Verified,
            why: "writes got slower".into(),
            measured_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_run_goes_on_while_something_helps_or_is_worth_another_try() {
        let policy = Policy::default();
        let (one, two, three) = (iteration(1, (1, 1, 0)), iteration(2, (1, 0, 1)), iteration(3, (1, 0, 1)));
        assert_eq!(iterate(&[], &[], &policy), Next::Continue);
        assert_eq!(iterate(std::slice::from_ref(&one), &[outcome(Verdict::Verified)], &policy), Next::Continue);
        let tried = [iteration(1, (1, 0, 1)), two.clone()];
        assert_eq!(iterate(&tried, &[outcome(Verdict::Inconclusive)], &policy), Next::Continue);
        assert!(matches!(iterate(&[one.clone(), iteration(2, (0, 0, 0))], &[], &policy), Next::Succeeded { .. }));
        assert!(matches!(iterate(&[one, two.clone(), three.clone()], &[], &policy), Next::Succeeded { .. }));
        let none = [iteration(1, (1, 0, 1)), two, three];
        assert!(matches!(iterate(&none, &[outcome(Verdict::Inconclusive)], &policy), Next::Escalate { .. }));
    }

    #[test]
    fn what_made_something_slower_is_told_at_once() {
        let Next::Escalate { why } =
            iterate(&[iteration(1, (1, 0, 1))], &[outcome(Verdict::Regressed)], &Policy::default())
        else {
            panic!("a person must look")
        };
        assert!(why.contains("writes got slower") && why.contains("1 taken back"), "{why}");
    }
}
