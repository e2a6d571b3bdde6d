//! Volumes for which more I/O was bought than they ever used: operations a second of gp3, io1 and io2, throughput of gp3.
//!
//! What counts is the busiest minute, as EBS publishes it, and that in no minute the volume was asked for more than it has
//! (`VolumeIOPSExceededCheck`, `VolumeThroughputExceededCheck`). Both are known of volumes on Nitro instances alone (EBS User Guide,
//! "CloudWatch metrics for Amazon EBS"), so of others nothing is claimed. Within a minute nobody knows the peak: what is left is
//! twice the busiest one, rounded up. Advice only: a performance is taken away, and the way back is a modification of its own, which EC2 allows some hours later.

use super::View;
use super::whole::whole;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{GP3_IOPS_INCLUDED, GP3_MIBPS_INCLUDED, Live, ResourceKind, Volume};

/// Stable name.
pub(super) const NAME: &str = "oversized_volume_io";

/// What is left, as a multiple of the busiest minute.
const HEADROOM: f64 = 2.0;
const S_PER_MIN: f64 = 60.0;
const MIB: f64 = 1_048_576.0;
/// Operations that io1 and io2 must have, and above which those of io2 have another price.
const PROVISIONED_IOPS_MIN: u32 = 100;
const IO2_FIRST_TIER_IOPS: u32 = 32_000;
/// Operations a second that gp3 must have for each MiB a second (EBS User Guide, "General Purpose SSD volumes").
const GP3_IOPS_PER_MIBPS: u32 = 4;
/// To what the numbers are rounded up.
const IOPS_STEP: u32 = 100;
const MIBPS_STEP: u32 = 25;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::Volume).filter_map(|item| one(view, item)).collect()
}

/// Operations a second, or MiB a second.
struct Io {
    /// Bought now.
    has: u32,
    /// In the busiest minute.
    peak: f64,
    /// Enough.
    wants: u32,
}

impl Io {
    /// Known only where both histories are whole and it was never short.
    fn of(
        view: &View<'_>,
        item: &Item,
        has: u32,
        (least, step): (u32, u32),
        of: (Quantity, Quantity, f64),
    ) -> Option<Self> {
        let (busiest, exceeded, units) = of;
        let never_short = whole(view, item, exceeded).known().is_some_and(|history| history.max <= 0.0);
        let peak = whole(view, item, busiest).known()?.max / S_PER_MIN / units;
        never_short.then(|| Self { has, peak, wants: rounded(HEADROOM * peak, step).max(least).min(has) })
    }
}

/// Rounded up to a multiple.
fn rounded(number: f64, step: u32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive number, and a float saturates"
    )]
    let steps = (number / f64::from(step)).ceil() as u32;
    steps.saturating_mul(step)
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let Live::Volume(volume) = &item.resource.live else { return None };
    // EBS says of no volume on several instances whether it was short.
    if volume.attached_to.len() != 1 || volume.is_modifying {
        return None;
    }
    let bytes = throughput(view, item, volume).filter(|io| io.wants < io.has);
    // Operations that the throughput needs: EC2 sells gp3 no more than a quarter of a MiB a second for each.
    let mibps = bytes.as_ref().map_or(volume.throughput_mibps.unwrap_or(GP3_MIBPS_INCLUDED), |io| io.wants);
    let needed = if volume.volume_type == "gp3" { mibps.saturating_mul(GP3_IOPS_PER_MIBPS) } else { 0 };
    let ops = operations(view, item, volume, needed).filter(|io| io.wants < io.has);
    if ops.is_none() && bytes.is_none() {
        return None;
    }
    let name = item.resource.name.clone();
    let each = [(&ops, "IOPS"), (&bytes, "MiB/s")];
    let known = each.iter().filter_map(|(io, unit)| Some((io.as_ref()?, *unit)));
    let told: Vec<String> = known
        .clone()
        .map(|(io, unit)| {
            format!("{} {unit} and used at most {:.0} in any minute: {} would do", io.has, io.peak, io.wants)
        })
        .collect();
    let flags = |to: fn(&Io) -> u32| {
        let flag =
            |io: &Option<Io>, flag: &str| io.as_ref().map(|io| format!(" --{flag} {}", to(io))).unwrap_or_default();
        format!("aws ec2 modify-volume --volume-id {name}{}{}", flag(&ops, "iops"), flag(&bytes, "throughput"))
    };
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!("{name} ({}) has {}", volume.volume_type, told.join("; ")),
        evidence: known
            .map(|(io, unit)| {
                Evidence::against(
                    if unit == "IOPS" { "iops_max" } else { "mib_per_s_max" },
                    io.peak,
                    f64::from(io.has),
                    "the busiest minute, and it was never short",
                )
            })
            .collect(),
        saving: saving(view, volume, ops.as_ref(), bytes.as_ref()),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.8,
        remedy: Remedy::Advice {
            what: format!(
                "While it is in use; look at the volume's queue (VolumeQueueLength) and VolumeIOPSExceededCheck after it:\n{}",
                flags(|io| io.wants)
            ),
        },
        way_back: format!("once EC2 allows another modification: {}", flags(|io| io.has)),
        name,
    })
}

fn operations(view: &View<'_>, item: &Item, volume: &Volume, needed: u32) -> Option<Io> {
    let least = match volume.volume_type.as_str() {
        "gp3" => GP3_IOPS_INCLUDED,
        "io1" | "io2" => PROVISIONED_IOPS_MIN,
        _ => return None,
    };
    let least = least.max(needed.div_ceil(IOPS_STEP) * IOPS_STEP);
    Io::of(view, item, volume.iops?, (least, IOPS_STEP), (Quantity::BusiestOps, Quantity::OpsExceeded, 1.0))
}

fn throughput(view: &View<'_>, item: &Item, volume: &Volume) -> Option<Io> {
    if volume.volume_type != "gp3" {
        return None;
    }
    let quantities = (Quantity::BusiestBytes, Quantity::BytesExceeded, MIB);
    Io::of(view, item, volume.throughput_mibps?, (GP3_MIBPS_INCLUDED, MIBPS_STEP), quantities)
}

fn saving(view: &View<'_>, volume: &Volume, ops: Option<&Io>, bytes: Option<&Io>) -> Observed<Saving> {
    let kind = &volume.volume_type;
    // Of what io2 has above its first price only the first is claimed.
    let most = if kind == "io2" { IO2_FIRST_TIER_IOPS } else { u32::MAX };
    let gone = |io: &Io, most: u32| f64::from(io.has.min(most) - io.wants.min(most));
    let ops = ops.map(|io| (Sold::VolumeIops(kind.clone()), gone(io, most)));
    let bytes = bytes.map(|io| (Sold::VolumeMibps(kind.clone()), gone(io, u32::MAX)));
    let mut sum = UsdMicros::default();
    for (sold, units) in ops.into_iter().chain(bytes) {
        match view.prices.month(&sold, units) {
            Observed::Known(amount) => sum = sum + amount,
            Observed::Missing(why) => return Observed::Missing(why),
        }
    }
    Observed::Known(Saving::exactly(sum))
}
