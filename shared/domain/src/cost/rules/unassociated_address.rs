//! Elastic IP addresses that are associated with nothing: marked, then after a time of grace released.
//!
//! An address of a stopped instance is associated, and stays. Released addresses don't come back: a name or a list of
//! allowed addresses that still has it would point to a stranger, so the release needs an approval whatever the mode.

use super::{View, delete_or_wait, number};
use crate::change::Action;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::resource::{Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "unassociated_address";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::Address).filter_map(|item| {
        let Live::Address(address) = &item.resource.live else { return None };
        if address.associated_with.is_some() {
            return None;
        }
        let days = view.long_unused_days(item)?;
        let allocation = item.resource.name.clone();
        let release = || Remedy::Change { action: Action::ReleaseAddress { allocation } };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            name: item.resource.name.clone(),
            summary: format!("{} is associated with nothing and was not for {days} days", address.public_ip),
            evidence: vec![Evidence::against(
                "unused_days",
                number(days),
                f64::from(view.policy.unused_days),
                "no association seen",
            )],
            saving: view.prices.month(&Sold::IdleAddressHour, 1.0).map(Saving::exactly),
            risk: Risk::High,
            effort: Effort::None,
            confidence: 0.9,
            remedy: delete_or_wait(view, item, address.delete_after, release),
            way_back: "removing the mark keeps it; once released, another address takes its place".to_owned(),
        })
    });
    found.collect()
}
