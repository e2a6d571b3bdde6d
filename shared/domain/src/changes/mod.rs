//! The changes the maintainer can make: one file each, one line each in [`TABLE`].
//!
//! A change is listed with its risk, its way back, its permissions and how long it takes to settle. Applying one is an
//! adapter's work; deciding on one is a rule's.

mod analyze_table;
mod create_index;
mod delete_disk_snapshot;
mod delete_volume;
mod flush_cache;
mod invalidate_cdn;
mod mark_for_deletion;
mod redeploy_service;
mod refresh_fleet;
mod release_address;
mod replace_instance;
mod replace_task;
mod set_fleet_capacity;
mod set_fleet_schedule;
mod set_log_retention;
mod set_service_count;
mod set_volume_type;
mod snapshot_volume;

pub use refresh_fleet::Pace;

use crate::change::{ChangeKind, ChangeSpec};

/// Every kind of change.
pub const TABLE: &[ChangeSpec] = &[
    set_fleet_capacity::SPEC,
    set_service_count::SPEC,
    replace_instance::SPEC,
    refresh_fleet::SPEC,
    replace_task::SPEC,
    redeploy_service::SPEC,
    flush_cache::SPEC,
    invalidate_cdn::SPEC,
    set_volume_type::SPEC,
    mark_for_deletion::SPEC,
    snapshot_volume::SPEC,
    delete_volume::SPEC,
    delete_disk_snapshot::SPEC,
    release_address::SPEC,
    set_log_retention::SPEC,
    set_fleet_schedule::SPEC,
    create_index::SPEC,
    analyze_table::SPEC,
];

/// The declaration of one kind.
pub const fn spec(kind: ChangeKind) -> &'static ChangeSpec {
    match kind {
        ChangeKind::SetFleetCapacity => &set_fleet_capacity::SPEC,
        ChangeKind::SetFleetSchedule => &set_fleet_schedule::SPEC,
        ChangeKind::SetServiceCount => &set_service_count::SPEC,
        ChangeKind::ReplaceInstance => &replace_instance::SPEC,
        ChangeKind::RefreshFleet => &refresh_fleet::SPEC,
        ChangeKind::ReplaceTask => &replace_task::SPEC,
        ChangeKind::RedeployService => &redeploy_service::SPEC,
        ChangeKind::FlushCache => &flush_cache::SPEC,
        ChangeKind::InvalidateCdn => &invalidate_cdn::SPEC,
        ChangeKind::SetVolumeType => &set_volume_type::SPEC,
        ChangeKind::MarkForDeletion => &mark_for_deletion::SPEC,
        ChangeKind::SnapshotVolume => &snapshot_volume::SPEC,
        ChangeKind::DeleteVolume => &delete_volume::SPEC,
        ChangeKind::DeleteDiskSnapshot => &delete_disk_snapshot::SPEC,
        ChangeKind::ReleaseAddress => &release_address::SPEC,
        ChangeKind::SetLogRetention => &set_log_retention::SPEC,
        ChangeKind::CreateIndex => &create_index::SPEC,
        ChangeKind::AnalyzeTable => &analyze_table::SPEC,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_under_its_own_name() {
        for row in TABLE {
            assert_eq!(spec(row.kind).name, row.name);
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
            assert!(!row.permissions.is_empty(), "{} needs permissions", row.name);
            let serialized = serde_json::to_value(row.kind).unwrap();
            assert_eq!(serialized, row.name, "the name in records is the name in configuration");
        }
    }
}
