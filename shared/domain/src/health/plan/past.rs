//! What was tried before and did not help is not planned again for a while.

use super::{Desk, Proposal};
use crate::outcome::Verdict;
use jiff::Timestamp;

/// Seconds for which a change without a verdict counts as still being verified.
const OPEN_S: i64 = 3_600;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// Why the past speaks against a proposal, if it does.
pub(super) fn bars(desk: &Desk<'_>, proposal: &Proposal) -> Option<String> {
    let kind = proposal.action.kind();
    let now = desk.snapshot.taken_at;
    let same = desk.tried.iter().filter(|tried| tried.kind == kind && tried.resource == proposal.resource);
    let ago_s = |at: Timestamp| now.duration_since(at).as_secs();
    let name = proposal.action.spec().name;
    for tried in same.clone() {
        let (bars_s, says) = match tried.verdict {
            Some(Verdict::Regressed) => (i64::from(desk.policy.regressed_bars_h) * HOUR_S, "made things worse"),
            Some(Verdict::Inconclusive) => {
                (i64::from(desk.policy.inconclusive_bars_h) * HOUR_S, "could not be seen to help")
            }
            None => (OPEN_S, "is not verified yet"),
            Some(Verdict::Verified) => continue,
        };
        if ago_s(tried.at) < bars_s {
            let minutes = ago_s(tried.at).max(0) / 60;
            let hours = bars_s / HOUR_S;
            return Some(format!("{name} was tried here {minutes} min ago and {says}; not again within {hours} h"));
        }
    }
    let times = u32::try_from(same.filter(|tried| ago_s(tried.at) < DAY_S).count()).unwrap_or(u32::MAX);
    let most = desk.limits.repeats_per_day_max;
    (times >= most)
        .then(|| format!("{name} was made here {times} times within a day, {most} are allowed: the cause is elsewhere"))
}
