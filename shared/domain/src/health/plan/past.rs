//! What was tried before and did not help is not planned again for a while, and never for the others where it did not help one.

use super::{Desk, Proposal, Tried, canary};
use crate::outcome::Verdict;
use crate::rollout::Rollout;
use jiff::Timestamp;

/// Seconds for which a change without a verdict counts as still being verified.
const OPEN_S: i64 = 3_600;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// Why the past speaks against a proposal, if it does. A canary and its rest are one remedy.
pub(super) fn bars(desk: &Desk<'_>, proposal: &Proposal) -> Option<String> {
    let kind = proposal.action.kind();
    let now = desk.snapshot.taken_at;
    let same = || desk.tried.iter().filter(|tried| tried.remedy() == kind && tried.resource == proposal.resource);
    let ago_s = |at: Timestamp| now.duration_since(at).as_secs();
    for tried in same() {
        let (bars_s, says) = match tried.verdict {
            Some(Verdict::Regressed) => (i64::from(desk.policy.regressed_bars_h) * HOUR_S, "made things worse"),
            Some(Verdict::Inconclusive) => {
                (i64::from(desk.policy.inconclusive_bars_h) * HOUR_S, "could not be seen to help")
            }
            None => (OPEN_S, "is not verified yet"),
            Some(Verdict::Verified) => continue,
        };
        if ago_s(tried.at) < bars_s {
            let (minutes, hours) = (ago_s(tried.at).max(0) / 60, bars_s / HOUR_S);
            return Some(match &tried.rollout {
                Some(Rollout::Canary { of, .. }) => stopped(tried, *of, says, minutes, hours),
                _ => {
                    let name = proposal.action.spec().name;
                    format!("{name} was tried here {minutes} min ago and {says}; not again within {hours} h")
                }
            });
        }
    }
    let times = again_and_again(desk, proposal)?.len();
    let (name, most) = (proposal.action.spec().name, desk.limits.repeats_per_day_max);
    Some(format!("{name} was made here {times} times within a day, {most} are allowed: the cause is elsewhere"))
}

/// The same remedy on the same resource within a day, if it was made as often as is allowed.
pub(super) fn again_and_again<'a>(desk: &Desk<'a>, proposal: &Proposal) -> Option<Vec<&'a Tried>> {
    let kind = proposal.action.kind();
    let pending = canary::spoken_for(desk, proposal).map(|canary| &canary.id);
    let counts = |tried: &&Tried| {
        let is_same = tried.remedy() == kind && tried.resource == proposal.resource;
        let is_recent = desk.snapshot.taken_at.duration_since(tried.at).as_secs() < DAY_S;
        is_same && is_recent && Some(&tried.id) != pending && !matches!(tried.rollout, Some(Rollout::Rest { .. }))
    };
    let made: Vec<&Tried> = desk.tried.iter().filter(counts).collect();
    let times = u32::try_from(made.len()).unwrap_or(u32::MAX);
    (times >= desk.limits.repeats_per_day_max).then_some(made)
}

/// Why nothing follows a canary.
fn stopped(canary: &Tried, of: u32, says: &str, minutes: i64, hours: i64) -> String {
    let numbers = if canary.why.is_empty() { String::new() } else { format!(" ({})", canary.why) };
    format!(
        "one of {of} went first {minutes} min ago and {says}{numbers}, so the others are left as they are; \
         not again within {hours} h"
    )
}
