//! The same remedy on the same resource again and again: a finding with what it was made for each time, told as any other.

use super::past::again_and_again;
use super::{Desk, Proposal, Tried};
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::RuleId;
use crate::outcome::Verdict;

/// Rule id of a remedy that is asked for again and again.
pub(in crate::health) const REPEATED: &str = "repeated_remedy";
/// What a person should look at next.
pub(in crate::health) const NEXT_STEP: &str =
    "what brings it back, such as a leak, a release or something it depends on: the remedy only hides that";

/// Adds the finding if this proposal asks once more for what was made as often as is allowed.
pub(super) fn note(desk: &Desk<'_>, proposal: &Proposal, findings: &mut Vec<Finding>) {
    let Some(made) = again_and_again(desk, proposal) else { return };
    let name = proposal.action.spec().name;
    let helped = made.iter().filter(|tried| tried.verdict == Some(Verdict::Verified)).count();
    let summary = format!(
        "{name} was made here {} times within a day, helped {helped} times, and is asked for again because of {}",
        made.len(),
        proposal.because
    );
    let is_told = |finding: &Finding| finding.resource == proposal.resource && finding.summary == summary;
    if findings.iter().any(is_told) {
        return;
    }
    findings.push(Finding {
        rule: RuleId::from(REPEATED),
        resource: proposal.resource.clone(),
        member: None,
        severity: Severity::High,
        // It is counted, not inferred.
        confidence: 1.0,
        summary,
        evidence: made.into_iter().map(|tried| evidence(name, tried)).collect(),
    });
}

/// One time that it was made: what for, and what it brought.
fn evidence(name: &str, tried: &Tried) -> Evidence {
    let verdict = tried.verdict.map_or_else(|| "not judged yet".to_owned(), |verdict| verdict.to_string());
    Evidence::level(tried.signal.as_str(), tried.level, format!("before {name} at {:.0}, {verdict}", tried.at))
}
