//! Secrets that nobody has read for a quarter. Their values are never looked at.
//!
//! Secrets Manager notes the day on which a value was last read. Left alone: what is rotated (a rotation reads), what a service of AWS
//! has made, and copies of a secret of another Region, which wait for its failure.

use super::{View, number};
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::resource::{Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "unused_secret";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::Secret).filter_map(|item| {
        let Live::Secret(secret) = &item.resource.live else { return None };
        if secret.is_owned_by_service || secret.is_rotated || secret.is_replica {
            return None;
        }
        // One that was just made, or changed, is about to be read.
        let touched =
            [Some(item.created_at?), secret.last_accessed, secret.last_changed].into_iter().flatten().max()?;
        let days = view.estate.days_since(touched);
        if days < i64::from(view.policy.forgotten_days) {
            return None;
        }
        let name = item.resource.name.clone();
        let read = match secret.last_accessed {
            Some(at) => format!("was last read {} days ago", view.estate.days_since(at)),
            None => "was never read".to_owned(),
        };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!("the secret {name} {read}"),
            evidence: vec![Evidence::against(
                "untouched_days",
                number(days),
                f64::from(view.policy.forgotten_days),
                "neither read nor changed",
            )],
            saving: view.prices.month(&Sold::Secret, 1.0).map(Saving::exactly),
            risk: Risk::Medium,
            effort: Effort::Minutes,
            confidence: 0.7,
            remedy: Remedy::Advice { what: advice(item.resource.id.as_str()) },
            way_back: "for 30 days aws secretsmanager restore-secret brings it back as it was".to_owned(),
            name,
        })
    });
    found.collect()
}

fn advice(arn: &str) -> String {
    format!(
        "Ask who knows it. Then, with the longest time to think better of it:\n\
         aws secretsmanager delete-secret --secret-id {arn} --recovery-window-in-days 30\n\
         Whoever still reads it gets an error that says so, and this brings it back:\n\
         aws secretsmanager restore-secret --secret-id {arn}"
    )
}
