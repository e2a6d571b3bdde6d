//! Disks, addresses, logs and schedules: what becomes of them when they are changed.

use domain::change::Action;
use domain::observed::Observed;
use domain::performance::index::IndexState;
use domain::resource::{FinalSnapshot, Live};

/// The state after a change, where the change is one of such a thing.
pub(super) fn after(action: &Action, before: &Live) -> Option<Live> {
    let mut after = before.clone();
    match (action, &mut after) {
        (Action::SetVolumeType { volume_type, iops, throughput_mibps, .. }, Live::Volume(volume)) => {
            volume.volume_type.clone_from(volume_type);
            (volume.iops, volume.throughput_mibps) = (Some(*iops), Some(*throughput_mibps));
        }
        (Action::MarkForDeletion { delete_after, .. }, live) => mark(live, Some(*delete_after))?,
        (Action::SnapshotVolume { volume: id }, Live::Volume(volume)) => {
            volume.final_snapshot = Some(FinalSnapshot { id: format!("snap-of-{id}"), is_complete: true });
        }
        (Action::SetFleetSchedule { off_hours, .. }, Live::AutoScalingGroup(fleet)) => {
            fleet.scheduled = Observed::Known(off_hours.actions().to_vec());
        }
        (Action::CreateIndex { .. }, Live::Index(index)) => index.state = IndexState::Valid,
        (Action::AnalyzeTable { .. }, Live::Statistics(of)) => of.modified = 0.0,
        (Action::SetLogRetention { days, .. }, Live::LogGroup(group)) => group.retention_days = Some(*days),
        (Action::DeleteVolume { .. }, Live::Volume(_))
        | (Action::DeleteDiskSnapshot { .. }, Live::DiskSnapshot(_))
        | (Action::ReleaseAddress { .. }, Live::Address(_)) => {}
        _ => return None,
    }
    Some(after)
}

/// True for a change after which the resource is gone.
pub(super) fn is_gone(action: &Action) -> bool {
    matches!(action, Action::DeleteVolume { .. } | Action::DeleteDiskSnapshot { .. } | Action::ReleaseAddress { .. })
}

/// True where the service can put the prior value back.
pub(super) fn may_go_back(before: &Live, action: &Action) -> bool {
    !is_gone(action) && after(action, before).is_some()
}

/// The state after an undo: only what the change had set goes back.
pub(super) fn put_back(before: &Live, prior: &Live, action: &Action) -> Live {
    let mut after = before.clone();
    match (&mut after, prior) {
        (Live::Volume(volume), Live::Volume(prior)) => match action {
            Action::SetVolumeType { .. } => {
                volume.volume_type.clone_from(&prior.volume_type);
                (volume.iops, volume.throughput_mibps) = (prior.iops, prior.throughput_mibps);
            }
            Action::SnapshotVolume { .. } => volume.final_snapshot.clone_from(&prior.final_snapshot),
            _ => volume.delete_after = prior.delete_after,
        },
        (Live::Index(index), Live::Index(prior)) => index.state = prior.state,
        (Live::LogGroup(group), Live::LogGroup(prior)) => *group = prior.clone(),
        (Live::DiskSnapshot(snapshot), Live::DiskSnapshot(prior)) => snapshot.delete_after = prior.delete_after,
        (Live::Address(address), Live::Address(prior)) => address.delete_after = prior.delete_after,
        _ => {}
    }
    after
}

fn mark(live: &mut Live, delete_after: Option<jiff::Timestamp>) -> Option<()> {
    match live {
        Live::Volume(volume) => volume.delete_after = delete_after,
        Live::DiskSnapshot(snapshot) => snapshot.delete_after = delete_after,
        Live::Address(address) => address.delete_after = delete_after,
        _ => return None,
    }
    Some(())
}
