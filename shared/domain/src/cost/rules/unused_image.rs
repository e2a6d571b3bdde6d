//! Machine images of the account's own from which nothing was launched for a quarter, and which nothing names.
//!
//! Left alone: what an instance runs from, what a launch template (default or latest version) or a launch configuration names, what
//! everybody may launch, and what a policy will delete by itself. A snapshot of several images is no saving of one of them.

use super::{View, number};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::resource::{Image, Live, ResourceKind};
use std::collections::HashMap;

/// Stable name.
pub(super) const NAME: &str = "unused_image";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let mut shared: HashMap<&str, u32> = HashMap::new();
    for item in view.estate.of_kind(ResourceKind::Image) {
        if let Live::Image(image) = &item.resource.live {
            image.snapshots.iter().for_each(|snapshot| *shared.entry(&snapshot.id).or_default() += 1);
        }
    }
    let found = view.expendable(ResourceKind::Image).filter_map(|item| {
        let Live::Image(image) = &item.resource.live else { return None };
        if image.is_public || image.has_policy || !image.used_by.is_empty() {
            return None;
        }
        let touched = [Some(item.created_at?), image.last_launched].into_iter().flatten().max()?;
        let days = view.estate.days_since(touched);
        if days < i64::from(view.policy.forgotten_days) {
            return None;
        }
        let own = image.snapshots.iter().filter(|snapshot| shared.get(snapshot.id.as_str()) == Some(&1));
        let size_gib: f64 = own.map(|snapshot| f64::from(snapshot.size_gib)).sum();
        let name = item.resource.name.clone();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "the {}image {name} ({}, {size_gib:.0} GiB) is {} days old, nothing names it, and {}",
                if image.is_disabled { "disabled " } else { "" },
                image.title,
                view.estate.days_since(item.created_at?),
                match image.last_launched {
                    Some(at) => format!("it was last launched {} days ago", view.estate.days_since(at)),
                    None => "nothing is known to have been launched from it".to_owned(),
                }
            ),
            evidence: vec![Evidence::against(
                "unlaunched_days",
                number(days),
                f64::from(view.policy.forgotten_days),
                "no instance, launch template or launch configuration",
            )],
            // As for snapshots: at most all that the volumes had room for, at least nothing, most likely half.
            saving: view.prices.month(&Sold::SnapshotGib, size_gib).map(|high| Saving {
                low: UsdMicros::default(),
                likely: high.times(0.5),
                high,
            }),
            risk: Risk::Medium,
            effort: Effort::Minutes,
            confidence: if image.last_launched.is_some() { 0.8 } else { 0.7 },
            remedy: Remedy::Advice { what: advice(&name, image) },
            way_back: "a disabled image is enabled again at once; one that is deregistered with its snapshots is gone"
                .to_owned(),
            name,
        })
    });
    found.collect()
}

fn advice(name: &str, image: &Image) -> String {
    let snapshots: Vec<String> = image
        .snapshots
        .iter()
        .map(|snapshot| format!("aws ec2 delete-snapshot --snapshot-id {}", snapshot.id))
        .collect();
    let disable = format!(
        "Disable it first: nobody can launch it, and nothing is lost.\naws ec2 disable-image --image-id {name}\n"
    );
    format!(
        "Other accounts that may launch it, and would miss it:\naws ec2 describe-image-attribute --image-id {name} --attribute \
         launchPermission\n{}When a month has passed and nobody has missed it (aws ec2 enable-image brings it back):\n\
         aws ec2 deregister-image --image-id {name}\n{}",
        if image.is_disabled { "" } else { &disable },
        snapshots.join("\n")
    )
}
