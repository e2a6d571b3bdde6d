//! Volumes that are attached to nothing: marked, then after a time of grace copied to a final snapshot, then deleted.
//!
//! EC2 does not say since when a volume is detached. A volume publishes its operations while it is attached, so a history without
//! any value in the last days proves that it was not; the maintainer's own memory must have seen it unused for as long, too.

use super::{View, delete_or_wait, number};
use crate::change::Action;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind, Volume};

/// Stable name.
pub(super) const NAME: &str = "unattached_volume";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::Volume).filter_map(|item| {
        let Live::Volume(volume) = &item.resource.live else { return None };
        if !volume.attached_to.is_empty() {
            return None;
        }
        let days = view.long_unused_days(item)?;
        // Not read is not unused.
        let Observed::Known(history) = view.usage(item, Quantity::DiskOps) else { return None };
        if history.asked_h < view.policy.history_days_min * 24 {
            return None;
        }
        let quiet_days = history.last_at.map_or(i64::from(history.asked_h / 24), |at| view.estate.days_since(at));
        if quiet_days < i64::from(view.policy.unused_days) {
            return None;
        }
        let remedy = delete_or_wait(view, item, volume.delete_after, || next(volume, &item.resource.name));
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            name: item.resource.name.clone(),
            summary: format!(
                "{} ({} GiB of {}) is attached to nothing and was not used for {} days",
                item.resource.name,
                volume.size_gib,
                volume.volume_type,
                days.min(quiet_days)
            ),
            evidence: vec![Evidence::against(
                "unused_days",
                number(days.min(quiet_days)),
                f64::from(view.policy.unused_days),
                "no operation and no attachment seen",
            )],
            saving: saving(view, volume),
            risk: Risk::High,
            effort: Effort::None,
            confidence: 0.95,
            remedy,
            way_back: "removing the mark keeps it; once deleted, the final snapshot makes the same volume again"
                .to_owned(),
        })
    });
    found.collect()
}

/// After the time of grace: the final snapshot, and once that is complete the deletion.
fn next(volume: &Volume, id: &str) -> Remedy {
    match &volume.final_snapshot {
        None => Remedy::Change { action: Action::SnapshotVolume { volume: id.to_owned() } },
        Some(snapshot) if !snapshot.is_complete => {
            Remedy::Wait { why: format!("its final snapshot {} is not complete yet", snapshot.id) }
        }
        Some(_) => Remedy::Change { action: Action::DeleteVolume { volume: id.to_owned() } },
    }
}

/// The volume no longer costs, its final snapshot does: at most its whole size, at least nothing.
fn saving(view: &View<'_>, volume: &Volume) -> Observed<Saving> {
    let gib = f64::from(volume.size_gib);
    let cost = match view.prices.month(&Sold::VolumeGib(volume.volume_type.clone()), gib) {
        Observed::Known(cost) => cost,
        Observed::Missing(why) => return Observed::Missing(why),
    };
    let snapshot = view.prices.month(&Sold::SnapshotGib, gib).known().copied().unwrap_or_default();
    // Blocks that were never written cost nothing in a snapshot; how many those are nobody tells before it is taken.
    let low = (cost - snapshot).max(UsdMicros::default());
    Observed::Known(Saving { low, likely: (low + cost).times(0.5), high: cost })
}
