//! Guards on disks, addresses and logs: still unused, marked long enough ago, backed up, and never with less than they have.

use super::Refusal;
use super::scope::busy;
use crate::change::{Action, day};
use crate::resource::{Address, DiskSnapshot, Live, LogGroup, Volume};
use crate::settle::delete_after;
use jiff::Timestamp;

/// Least I/O operations a second and least throughput in MiB a second of a `gp3` volume: included in its price.
const GP3_IOPS_MIN: u32 = 3_000;
const GP3_MIBPS_MIN: u32 = 125;

/// What speaks against a change of such a thing; `None` where the change is not of one, or the live state not of its kind.
pub(super) fn scope(action: &Action, live: &Live, now: Timestamp) -> Option<Result<(), Refusal>> {
    Some(match (action, live) {
        (Action::SetVolumeType { volume_type, iops, throughput_mibps, .. }, Live::Volume(volume)) => {
            set_type(volume, volume_type, *iops, *throughput_mibps)
        }
        (Action::MarkForDeletion { delete_after: wanted, .. }, live) => {
            let mark = delete_after(live)?;
            unused(live).and_then(|()| unmarked(mark, *wanted, now))
        }
        (Action::SnapshotVolume { .. }, Live::Volume(volume)) => {
            unused(live).and_then(|()| match &volume.final_snapshot {
                Some(snapshot) => nothing_to_do(format!("{} is its final snapshot", snapshot.id)),
                None => Ok(()),
            })
        }
        (Action::DeleteVolume { .. }, Live::Volume(volume)) => {
            unused(live).and_then(|()| grace_over(volume.delete_after, now)).and_then(|()| backed_up(volume))
        }
        (Action::DeleteDiskSnapshot { .. }, Live::DiskSnapshot(snapshot)) => {
            unused(live).and_then(|()| grace_over(snapshot.delete_after, now))
        }
        (Action::ReleaseAddress { .. }, Live::Address(address)) => {
            unused(live).and_then(|()| grace_over(address.delete_after, now))
        }
        (Action::SetLogRetention { days, .. }, Live::LogGroup(group)) => shorter(group, *days),
        _ => return None,
    })
}

/// Another type with at least the I/O that the volume has.
fn set_type(volume: &Volume, volume_type: &str, iops: u32, throughput_mibps: u32) -> Result<(), Refusal> {
    busy(volume.is_modifying, "a modification of the volume, or the six hours after one")?;
    if volume.volume_type == volume_type {
        return nothing_to_do(format!("the volume is a {volume_type} already"));
    }
    for (what, has, least, wanted) in [
        ("I/O operations a second", volume.iops, GP3_IOPS_MIN, iops),
        ("MiB a second", volume.throughput_mibps, GP3_MIBPS_MIN, throughput_mibps),
    ] {
        let least = if volume_type == "gp3" { least } else { 0 };
        let floor = has.unwrap_or(0).max(least);
        if wanted < floor {
            return Err(Refusal::LessThanToday { what: what.to_owned(), wanted, floor });
        }
    }
    Ok(())
}

/// That nothing uses it: read a moment ago, whatever was true when it was planned.
fn unused(live: &Live) -> Result<(), Refusal> {
    let by = match live {
        Live::Volume(Volume { attached_to, .. }) => attached_to.first(),
        Live::Address(Address { associated_with, .. }) => associated_with.as_ref(),
        Live::DiskSnapshot(DiskSnapshot { images, .. }) => images.first(),
        _ => None,
    };
    by.map_or(Ok(()), |by| Err(Refusal::InUse { by: by.clone() }))
}

/// A mark is not set twice, and never for a day that is over: its owner must have time to see it.
fn unmarked(mark: Option<Timestamp>, wanted: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    match mark {
        Some(at) => nothing_to_do(format!("it is marked already, for {}", day(at))),
        None if wanted <= now => Err(Refusal::Grace { until: wanted }),
        None => Ok(()),
    }
}

fn grace_over(mark: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    match mark {
        None => Err(Refusal::NotMarked),
        Some(until) if now < until => Err(Refusal::Grace { until }),
        Some(_) => Ok(()),
    }
}

fn backed_up(volume: &Volume) -> Result<(), Refusal> {
    match &volume.final_snapshot {
        Some(snapshot) if snapshot.is_complete => Ok(()),
        Some(snapshot) => Err(Refusal::NoBackup { why: format!("{} is not complete", snapshot.id) }),
        None => Err(Refusal::NoBackup { why: "there is no final snapshot".to_owned() }),
    }
}

fn shorter(group: &LogGroup, days: u32) -> Result<(), Refusal> {
    match group.retention_days {
        Some(now) if now <= days => nothing_to_do(format!("its events are kept for {now} days")),
        _ if days == 0 => Err(Refusal::LessThanToday { what: "days".to_owned(), wanted: 0, floor: 1 }),
        _ => Ok(()),
    }
}

fn nothing_to_do(why: String) -> Result<(), Refusal> {
    Err(Refusal::NothingToDo { why })
}
