//! What a change moves on the bill: so many units of something that is sold, more or fewer, from the change on.

use crate::change::Action;
use crate::cost::money::UsdMicros;
use crate::cost::prices::Sold;
use crate::observed::{Missing, Observed};
use crate::resource::{Fleet, GP3_IOPS_INCLUDED, GP3_MIBPS_INCLUDED, Live};

const GIB: f64 = 1_073_741_824.0;

/// Units of something that a change adds, or takes away where they are negative.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// What is sold.
    pub(super) sold: Sold,
    /// Units that are expected to come or to go: GiB, addresses, instances.
    pub(super) units: f64,
    /// As many as can come or go at most, with the same sign.
    pub(super) most: f64,
}

impl Part {
    fn exactly(sold: Sold, units: f64) -> Self {
        Self { sold, units, most: units }
    }
}

/// What a volume is paid for: its size, and what was bought on top of what its type includes.
pub(crate) fn of_volume(kind: &str, size_gib: u32, iops: Option<u32>, mibps: Option<u32>) -> Vec<(Sold, f64)> {
    let mut sold = vec![(Sold::VolumeGib(kind.to_owned()), f64::from(size_gib))];
    let included = match kind {
        "gp3" => GP3_IOPS_INCLUDED,
        "io1" | "io2" => 0,
        // The I/O of the other types is in the price of their size.
        _ => return sold,
    };
    let more = [
        (Sold::VolumeIops(kind.to_owned()), iops.unwrap_or_default().saturating_sub(included)),
        (Sold::VolumeMibps(kind.to_owned()), mibps.unwrap_or_default().saturating_sub(GP3_MIBPS_INCLUDED)),
    ];
    sold.extend(more.into_iter().filter(|(_, units)| *units > 0).map(|(sold, units)| (sold, f64::from(units))));
    sold
}

/// What a change moves on the bill, from the resource as it was right before and the saving that was expected of it; `month` says
/// what a unit costs a month. Empty where it ends no cost by itself, as a mark for deletion; missing with its reason where the bill
/// can't show it.
pub(super) fn parts(
    action: &Action,
    prior: &Live,
    expected: UsdMicros,
    month: impl Fn(&Sold) -> Observed<UsdMicros>,
) -> Observed<Vec<Part>> {
    let gone = |sold: Vec<(Sold, f64)>| sold.into_iter().map(|(sold, units)| Part::exactly(sold, -units));
    // Nobody knows how much of it there is: as much as the saving was expected from.
    let priced = |sold: Sold, most: f64| {
        month(&sold).map(|month| vec![Part { units: -micros(expected) / micros(month).max(1.0), most: -most, sold }])
    };
    Observed::Known(match (action, prior) {
        (Action::SetVolumeType { volume_type, iops, throughput_mibps, .. }, Live::Volume(volume)) => {
            let old = of_volume(&volume.volume_type, volume.size_gib, volume.iops, volume.throughput_mibps);
            let new = of_volume(volume_type, volume.size_gib, Some(*iops), Some(*throughput_mibps));
            gone(old).chain(new.into_iter().map(|(sold, units)| Part::exactly(sold, units))).collect()
        }
        (Action::DeleteVolume { .. }, Live::Volume(volume)) => {
            gone(of_volume(&volume.volume_type, volume.size_gib, volume.iops, volume.throughput_mibps)).collect()
        }
        (Action::SnapshotVolume { .. }, Live::Volume(volume)) => {
            vec![Part::exactly(Sold::SnapshotGib, f64::from(volume.size_gib))]
        }
        (Action::DeleteDiskSnapshot { .. }, Live::DiskSnapshot(snapshot)) => {
            return priced(Sold::SnapshotGib, f64::from(snapshot.size_gib));
        }
        (Action::ReleaseAddress { .. }, Live::Address(_)) => vec![Part::exactly(Sold::IdleAddressHour, -1.0)],
        (Action::SetLogRetention { .. }, Live::LogGroup(group)) => {
            #[expect(clippy::cast_precision_loss, reason = "bytes of a log group fit")]
            let gib = group.stored_bytes as f64 / GIB;
            return priced(Sold::LogGib, gib);
        }
        (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(fleet)) => {
            let Some(kind) = only_type(fleet) else { return unshown("the group has no single instance type") };
            vec![Part::exactly(Sold::InstanceHour(kind), f64::from(*desired) - f64::from(fleet.desired))]
        }
        (Action::SetFleetSchedule { .. }, Live::AutoScalingGroup(fleet)) => {
            let Some(kind) = only_type(fleet) else { return unshown("the group has no single instance type") };
            return priced(Sold::InstanceHour(kind), f64::from(fleet.desired));
        }
        (Action::MarkForDeletion { .. }, _) => Vec::new(),
        _ => return unshown("its price is not followed on the bill"),
    })
}

/// The instance type of a fleet all of whose instances have one.
fn only_type(fleet: &Fleet) -> Option<String> {
    let mut types = fleet.instances.iter().map(|instance| instance.instance_type.as_ref());
    let first = types.next()??;
    types.all(|kind| kind == Some(first)).then(|| first.clone())
}

fn unshown<T>(why: &str) -> Observed<T> {
    Observed::Missing(Missing::Failed(why.to_owned()))
}

#[expect(clippy::cast_precision_loss, reason = "millionths of a dollar fit")]
fn micros(amount: UsdMicros) -> f64 {
    amount.0 as f64
}
