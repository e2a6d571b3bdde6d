//! iterate: whether another phase comes. Decides from the record of the phases alone.

use crate::execution::IterationRecord;
use serde::{Deserialize, Serialize};

/// Phases of a run at most: one for each class of risk, and one more for what comes to light.
const PHASES_MAX: usize = 4;

/// How a run goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "next")]
pub enum Next {
    /// The next phase.
    Continue,
    /// Everything that may be done is done, and nobody suffers.
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

/// Decides after the last of these phases.
///
/// A phase that was taken back, in whole or in part, ends the run: a person hears of it before anything with more risk is tried.
pub fn iterate(phases: &[IterationRecord]) -> Next {
    let sum = |of: fn(&IterationRecord) -> u32| phases.iter().map(of).fold(0, u32::saturating_add);
    let (applied, undone, refused) = (sum(|p| p.applied), sum(|p| p.undone), sum(|p| p.refused));
    let Some(last) = phases.last() else { return Next::Continue };
    let told = format!("{applied} changes made in {} phase(s), {undone} taken back, {refused} held back", phases.len());
    if last.undone > 0 {
        return Next::Escalate {
            why: format!("phase {} was taken back because users suffered: {told}", last.iteration),
        };
    }
    if last.answer_lost && phases.len() < PHASES_MAX {
        return Next::Continue;
    }
    if last.applied == 0 || phases.len() >= PHASES_MAX {
        return Next::Succeeded { why: told };
    }
    Next::Continue
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn phase(iteration: u32, (applied, undone, refused): (u32, u32, u32)) -> IterationRecord {
        IterationRecord {
            iteration,
            at: Timestamp::UNIX_EPOCH,
            score: None,
            score_after: None,
            measured_at: None,
            applied,
            verified: 0,
            undone,
            refused,
            answer_lost: false,
        }
    }

    #[test]
    fn phases_go_on_until_nothing_is_done_or_users_suffer() {
        assert_eq!(iterate(&[]), Next::Continue);
        assert_eq!(iterate(&[phase(1, (2, 0, 0))]), Next::Continue);
        assert!(
            matches!(iterate(&[phase(1, (0, 0, 3))]), Next::Succeeded { .. }),
            "all held back: no second try in a day"
        );
        let Next::Escalate { why } = iterate(&[phase(1, (2, 0, 0)), phase(2, (1, 1, 0))]) else { panic!() };
        assert!(
            why.contains("phase 2 was taken back") && why.contains("3 changes made in 2 phase(s), 1 taken back"),
            "{why}"
        );
        let many: Vec<_> = (1..=4).map(|number| phase(number, (1, 0, 0))).collect();
        assert!(matches!(iterate(&many[..3]), Next::Continue) && matches!(iterate(&many), Next::Succeeded { .. }));
    }

    #[test]
    fn a_lost_answer_is_no_reason_to_stop() {
        let lost = IterationRecord { answer_lost: true, ..phase(1, (0, 0, 0)) };
        assert_eq!(iterate(&[lost]), Next::Continue);
    }
}
