//! Queue backlog: more messages wait than allowed, or the oldest waits too long, because they come faster than they are
//! worked off.
//!
//! The flow decides: new messages against finished ones over the window. A backlog that drains in time is mentioned and
//! left alone.
//!
//! Never concludes from depth alone that consumers are too few: when they are fewer than wanted, or finish nothing at
//! all, more of them may not help, and the finding says so.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::health::view::View;
use crate::resource::{Resource, ResourceKind};

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "queue_backlog",
    find,
    next_step: "why messages come faster than they are worked off, and messages that fail again and again",
};

/// How a queue flows over the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Messages that wait now.
    pub depth: f64,
    /// Age of the oldest in seconds, where known.
    pub oldest_s: Option<f64>,
    /// New messages per minute.
    pub sent_per_min: f64,
    /// Finished messages per minute.
    pub deleted_per_min: f64,
}

impl Flow {
    /// Minutes until the queue is empty at this flow; `None` when it does not drain.
    pub fn empty_in_min(&self) -> Option<f64> {
        let drains = self.deleted_per_min - self.sent_per_min;
        (drains > 0.0).then(|| self.depth / drains)
    }
}

/// The flow of a queue; `None` where depth or one of the rates is not known.
pub fn flow(view: &View<'_>, queue: &Resource) -> Option<Flow> {
    // Depth is a state and no rate: the newest value holds, a mean would lag behind a queue that fills.
    let depth = view.series("queue_depth", queue);
    let (_, depth) = *view.window(depth.known()?).last()?;
    Some(Flow {
        depth,
        oldest_s: view.known("queue_oldest_s", queue),
        sent_per_min: view.known("queue_sent", queue)?,
        deleted_per_min: view.known("queue_deleted", queue)?,
    })
}

fn find(context: &Context<'_>) -> Vec<Finding> {
    context.of_kind(ResourceKind::Queue).filter_map(|queue| diagnose(context, queue)).collect()
}

fn diagnose(context: &Context<'_>, queue: &Resource) -> Option<Finding> {
    let flow = flow(context.view, queue)?;
    let (depth_max, age_max_s) = (context.objectives.queue_depth_max, context.objectives.queue_age_max_s);
    let deep = flow.depth > depth_max;
    let old = flow.oldest_s.is_some_and(|age| age > age_max_s);
    if !deep && !old {
        return None;
    }
    let drains_in_time = flow.empty_in_min().is_some_and(|min| 60.0 * min <= context.policy().backlog_drain_s);
    let rates = format!("{:.0} messages a minute come, {:.0} are worked off", flow.sent_per_min, flow.deleted_per_min);
    let outlook = match flow.empty_in_min() {
        Some(minutes) => format!("empty in {minutes:.0} min"),
        None => "it does not drain".to_owned(),
    };
    let age = flow.oldest_s.map_or_else(String::new, |age| format!(", the oldest for {age:.0} s"));
    let summary = format!("{:.0} messages wait in {}{age}: {rates}, {outlook}", flow.depth, queue.name);
    let mut evidence = vec![
        Evidence::against("queue_depth", flow.depth, depth_max, "bound beside it"),
        Evidence::against(
            "queue_deleted",
            flow.deleted_per_min,
            flow.sent_per_min,
            "worked off a minute, new ones beside it",
        ),
    ];
    evidence.extend(flow.oldest_s.map(|age| Evidence::against("queue_oldest_s", age, age_max_s, "bound beside it")));
    let severity = if drains_in_time { Severity::Low } else { Severity::High };
    Some(finding(&RULE, queue, severity, 0.9, summary, evidence))
}
