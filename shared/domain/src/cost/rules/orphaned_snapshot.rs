//! Old snapshots of volumes that are gone: marked, then after a time of grace deleted.
//!
//! Left alone: what an image is made from, what a policy will delete by itself, final snapshots of the maintainer's own
//! (a backup), and copies, whose volume id means nothing (EC2 API, `CopySnapshot`), so that nobody can tell whether
//! theirs is gone.

use super::{View, delete_or_wait, number};
use crate::change::Action;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{DiskSnapshot, FINAL_SNAPSHOT_TAG, Live, ResourceKind};
use std::collections::HashMap;

/// Stable name.
pub(super) const NAME: &str = "orphaned_snapshot";

/// The volume that EC2 names for a copy.
const VOLUME_OF_COPIES: &str = "vol-ffffffff";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let mut of_volume: HashMap<&str, u32> = HashMap::new();
    for item in view.estate.of_kind(ResourceKind::DiskSnapshot) {
        if let Live::DiskSnapshot(snapshot) = &item.resource.live {
            *of_volume.entry(snapshot.volume.as_str()).or_default() += 1;
        }
    }
    let found = view.expendable(ResourceKind::DiskSnapshot).filter_map(|item| {
        let Live::DiskSnapshot(snapshot) = &item.resource.live else { return None };
        let is_ours = item.resource.tags.contains_key(FINAL_SNAPSHOT_TAG);
        if is_ours || !is_orphan(snapshot) {
            return None;
        }
        let days = view.estate.days_since(item.created_at?);
        if days < i64::from(view.policy.snapshot_days) || view.is_unused_for_short(item) {
            return None;
        }
        let name = item.resource.name.clone();
        let delete = || Remedy::Change { action: Action::DeleteDiskSnapshot { snapshot: name.clone() } };
        let chain = of_volume.get(snapshot.volume.as_str()).copied().unwrap_or(1);
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            name: name.clone(),
            summary: format!(
                "{name} is {days} days old, its volume {} ({} GiB) is gone, and no image is made from it",
                snapshot.volume, snapshot.size_gib
            ),
            evidence: vec![Evidence::against(
                "age_days",
                number(days),
                f64::from(view.policy.snapshot_days),
                "no volume, no image, no policy",
            )],
            saving: saving(view, snapshot, chain),
            risk: Risk::High,
            effort: Effort::None,
            confidence: 0.8,
            remedy: delete_or_wait(view, item, snapshot.delete_after, delete),
            way_back: "removing the mark keeps it; once deleted, nothing brings it back".to_owned(),
        })
    });
    found.collect()
}

fn is_orphan(snapshot: &DiskSnapshot) -> bool {
    !snapshot.volume_exists && snapshot.images.is_empty() && !snapshot.has_policy && snapshot.volume != VOLUME_OF_COPIES
}

/// EC2 says how large the volume was, not what a snapshot stores: at most that, at least nothing, where all its blocks
/// are those of other snapshots. Most likely half of the volume was written, and the snapshots of one volume share
/// that.
fn saving(view: &View<'_>, snapshot: &DiskSnapshot, chain: u32) -> Observed<Saving> {
    view.prices.month(&Sold::SnapshotGib, f64::from(snapshot.size_gib)).map(|high| Saving {
        low: Default::default(),
        likely: high.times(0.5 / f64::from(chain.max(1))),
        high,
    })
}
