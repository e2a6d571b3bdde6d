//! Alarms on things that are gone: they have had no data since, and never will.
//!
//! An alarm without data alone is no waste: an application may count its errors only when there are some. So what it watches must have been
//! looked up, and not be there. Alarms that a scaling policy has made go with it, and are left to it. A custom metric of something that is
//! gone costs nothing: it is paid for by the hours in which it is published.

use super::{View, number};
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::resource::{Live, ResourceKind};
use crate::text::shell_word;

/// Stable name.
pub(super) const NAME: &str = "dead_alarm";

/// How the alarms of target tracking begin.
const OF_SCALING: &str = "TargetTracking-";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::Alarm).filter_map(|item| {
        let Live::Alarm(alarm) = &item.resource.live else { return None };
        let watched = alarm.watched.as_ref().filter(|watched| !watched.exists)?;
        let days = view.estate.days_since(alarm.without_data_since?);
        if days < i64::from(view.policy.unused_days) || item.resource.name.starts_with(OF_SCALING) {
            return None;
        }
        let name = item.resource.name.clone();
        let sold = Sold::AlarmMetric { is_high_resolution: alarm.is_high_resolution };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!("the alarm {name} watches {watched}, which is gone, and has had no data for {days} days"),
            evidence: vec![Evidence::against(
                "without_data_days",
                number(days),
                f64::from(view.policy.unused_days),
                "what it watches was looked up and is not there",
            )],
            saving: view.prices.month(&sold, f64::from(alarm.metrics)).map(Saving::exactly),
            risk: Risk::Low,
            effort: Effort::Minutes,
            confidence: 0.95,
            remedy: Remedy::Advice { what: advice(&name) },
            way_back: "putting it again from what was kept of it".to_owned(),
            name,
        })
    });
    found.collect()
}

fn advice(name: &str) -> String {
    let name = shell_word(name);
    format!(
        "aws cloudwatch describe-alarms --alarm-names {name} > alarm.json\naws cloudwatch delete-alarms --alarm-names {name}"
    )
}
