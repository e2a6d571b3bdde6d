//! Volumes of the older type gp2: gp3 costs a fifth less and gives every size what gp2 gives only large ones.
//!
//! gp2 has 3 I/O operations a second for a GiB, at least 100 and at most 16,000, with bursts to 3,000 below 1,000 GiB; its throughput
//! is at most 128 MiB a second up to 170 GiB and 250 MiB a second above. gp3 includes 3,000 operations and 125 MiB a second; what a
//! volume has beyond that is bought for it, so that it never has less than today. (AWS, EBS User Guide, "General Purpose SSD volumes".)

use super::View;
use crate::change::Action;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::savings::of_volume;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{GP3_IOPS_INCLUDED, GP3_MIBPS_INCLUDED, Live, ResourceKind, Volume};

/// Stable name.
pub(super) const NAME: &str = "gp2_volume";

/// Size up to which gp2 has the smaller throughput, and both throughputs.
const GP2_SMALL_GIB: u32 = 170;
const GP2_SMALL_MIBPS: u32 = 128;
const GP2_LARGE_MIBPS: u32 = 250;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.of_kind(ResourceKind::Volume).filter_map(|item| {
        let Live::Volume(volume) = &item.resource.live else { return None };
        // What nobody uses is no matter of its type.
        if volume.volume_type != "gp2" || volume.attached_to.is_empty() {
            return None;
        }
        let (iops, throughput_mibps) = as_good_as(volume);
        let name = &item.resource.name;
        let remedy = if volume.is_modifying {
            Remedy::Wait {
                why: "a modification of it is under way, or was finished less than six hours ago".to_owned(),
            }
        } else {
            let (volume, volume_type) = (name.clone(), "gp3".to_owned());
            Remedy::Change { action: Action::SetVolumeType { volume, volume_type, iops, throughput_mibps } }
        };
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            name: name.clone(),
            summary: format!(
                "{name} ({} GiB of gp2) would cost less as gp3 with {iops} IOPS and {throughput_mibps} MiB/s",
                volume.size_gib
            ),
            evidence: vec![Evidence::level("size_gib", f64::from(volume.size_gib), "paid by the GiB")],
            saving: saving(view, volume, iops, throughput_mibps),
            risk: Risk::Low,
            effort: Effort::None,
            confidence: 1.0,
            remedy,
            way_back: "its type is set back to gp2".to_owned(),
        })
    });
    found.collect()
}

/// At least what the volume has today, and what gp3 includes.
fn as_good_as(volume: &Volume) -> (u32, u32) {
    let by_size = volume.size_gib.saturating_mul(3).clamp(100, 16_000);
    let mibps = if volume.size_gib <= GP2_SMALL_GIB { GP2_SMALL_MIBPS } else { GP2_LARGE_MIBPS };
    (volume.iops.unwrap_or(by_size).max(by_size).max(GP3_IOPS_INCLUDED), mibps.max(GP3_MIBPS_INCLUDED))
}

/// The cost of today minus that of gp3 with what is bought on top.
fn saving(view: &View<'_>, volume: &Volume, iops: u32, mibps: u32) -> Observed<Saving> {
    let month = |sold: Vec<(Sold, f64)>| {
        let mut sum = UsdMicros::default();
        for (sold, units) in sold {
            match view.prices.month(&sold, units) {
                Observed::Known(amount) => sum = sum + amount,
                Observed::Missing(why) => return Observed::Missing(why),
            }
        }
        Observed::Known(sum)
    };
    let old = month(of_volume(&volume.volume_type, volume.size_gib, volume.iops, volume.throughput_mibps));
    match (old, month(of_volume("gp3", volume.size_gib, Some(iops), Some(mibps)))) {
        (Observed::Known(old), Observed::Known(new)) => Observed::Known(Saving::exactly(old - new)),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}
