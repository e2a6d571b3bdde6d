//! Traffic flood: far more requests than in the hours before.
//!
//! The window against the median of the history before the last quarter of an hour, by a factor that no campaign
//! reaches.
//!
//! Never concludes from a history shorter than a quarter of an hour, nor from a few requests more on a quiet night.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::{Resource, ResourceKind};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "traffic_flood",
    find,
    next_step: "who sends the requests; a rate limit or a WAF rule if they are not customers",
};

/// Requests per minute under which even a large factor is no flood.
const REQUESTS_MIN: f64 = 600.0;
/// What is usual is read from before the last quarter of an hour.
const USUAL_AGO_S: i64 = 900;

fn find(context: &Context<'_>) -> Vec<Finding> {
    let groups = context.of_kind(ResourceKind::TargetGroup).map(|front| (front, "requests"));
    let apis = context.of_kind(ResourceKind::Api).map(|front| (front, "api_requests"));
    groups.chain(apis).filter_map(|(front, signal)| diagnose(context, front, signal)).collect()
}

fn diagnose(context: &Context<'_>, front: &Resource, signal: &str) -> Option<Finding> {
    let view = context.view;
    let now = view.known(signal, front)?;
    let usual = view.usual(view.series(signal, front).known()?, USUAL_AGO_S)?;
    let factor = context.policy().flood_factor;
    if now < REQUESTS_MIN || now < factor * usual {
        return None;
    }
    let summary =
        format!("{now:.0} requests a minute at {}, {:.1} times the usual {usual:.0}", front.name, now / usual.max(1.0));
    let evidence =
        vec![Evidence::against(signal, now, usual, format!("usual level beside it; {factor} times is a flood"))];
    let felt = context.symptom(&[front]).is_some_and(|score| score < context.policy().success_score);
    Some(finding(&RULE, front, if felt { Severity::High } else { Severity::Medium }, 0.8, summary, evidence))
}
