//! IAM actions by adapter, gathered for the contract test that compares them with the roles of the template.

use domain::change::ChangeKind;

/// What an adapter needs, and on what.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Name of the adapter.
    pub adapter: &'static str,
    /// What the actions concern: a table, a bucket, a parameter, or `application` for the application under care.
    pub on: &'static str,
    /// IAM actions.
    pub actions: &'static [&'static str],
}

/// Every adapter.
pub const TABLE: &[Needs] = &[
    Needs { adapter: "approvals", on: "approvals table", actions: crate::approvals::PERMISSIONS },
    Needs { adapter: "artifacts", on: "artifacts bucket", actions: crate::artifacts::PERMISSIONS },
    Needs { adapter: "billing", on: "bill", actions: crate::billing::PERMISSIONS },
    Needs { adapter: "calendars", on: "change calendars", actions: crate::calendars::PERMISSIONS },
    Needs { adapter: "circuit", on: "leases table", actions: crate::circuit::PERMISSIONS },
    Needs { adapter: "config_source", on: "configuration bucket", actions: crate::config_source::PERMISSIONS },
    Needs { adapter: "dead_letters", on: "dead-letter queue", actions: crate::dead_letters::PERMISSIONS },
    Needs { adapter: "episodes", on: "leases table", actions: crate::episodes::PERMISSIONS },
    Needs { adapter: "estates", on: "application", actions: crate::estates::PERMISSIONS },
    Needs { adapter: "executions", on: "workflow_executions table", actions: crate::executions::PERMISSIONS },
    Needs { adapter: "executions", on: "optimization_results table", actions: crate::executions::RESULT_PERMISSIONS },
    Needs { adapter: "inventory", on: "application", actions: crate::inventory::PERMISSIONS },
    Needs { adapter: "journal", on: "changes table", actions: crate::journal::PERMISSIONS },
    Needs { adapter: "journal", on: "leases table", actions: crate::journal::LEASE_PERMISSIONS },
    Needs { adapter: "leases", on: "leases table", actions: crate::leases::PERMISSIONS },
    Needs { adapter: "liveness", on: "executions", actions: crate::liveness::PERMISSIONS },
    Needs { adapter: "notifier", on: "topic and event bus", actions: crate::notifier::PERMISSIONS },
    Needs { adapter: "places", on: "member role", actions: crate::places::PERMISSIONS },
    Needs { adapter: "places", on: "member role for changes", actions: crate::places::PERMISSIONS },
    Needs { adapter: "prices", on: "application", actions: crate::prices::PERMISSIONS },
    Needs { adapter: "prices", on: "price list", actions: crate::prices::LIST_PERMISSIONS },
    Needs { adapter: "runs", on: "state machine", actions: crate::runs::PERMISSIONS },
    Needs { adapter: "savings_book", on: "optimization_results table", actions: crate::savings_book::PERMISSIONS },
    Needs { adapter: "secrets", on: "database secret", actions: crate::secrets::PERMISSIONS },
    Needs { adapter: "signing_key", on: "signing key", actions: crate::signing_key::PERMISSIONS },
    Needs { adapter: "starter", on: "state machine", actions: crate::starter::PERMISSIONS },
    Needs { adapter: "performance_starter", on: "state machine", actions: crate::starter::PERMISSIONS },
    Needs { adapter: "switch", on: "kill switch parameter", actions: crate::switch::PERMISSIONS },
    Needs { adapter: "telemetry", on: "application", actions: crate::telemetry::PERMISSIONS },
    Needs { adapter: "unit_prices", on: "price list", actions: crate::unit_prices::PERMISSIONS },
    Needs { adapter: "waker", on: "state machine", actions: crate::waker::PERMISSIONS },
    Needs { adapter: "watch", on: "leases table", actions: crate::watch::PERMISSIONS },
];

/// IAM actions that reading, applying and undoing one kind of change needs.
pub fn of_change(kind: ChangeKind) -> &'static [&'static str] {
    match kind {
        ChangeKind::SetFleetCapacity => crate::changes::set_fleet_capacity::PERMISSIONS,
        // By SQL: the secret of the user that owns the tables is all that IAM knows of it.
        ChangeKind::CreateIndex | ChangeKind::AnalyzeTable => crate::secrets::PERMISSIONS,
        ChangeKind::SetServiceCount => crate::changes::set_service_count::PERMISSIONS,
        ChangeKind::ReplaceInstance => crate::changes::replace_instance::PERMISSIONS,
        ChangeKind::RefreshFleet => crate::changes::refresh_fleet::PERMISSIONS,
        ChangeKind::ReplaceTask => crate::changes::replace_task::PERMISSIONS,
        ChangeKind::RedeployService => crate::changes::redeploy_service::PERMISSIONS,
        ChangeKind::FlushCache => crate::changes::flush_cache::PERMISSIONS,
        ChangeKind::InvalidateCdn => crate::changes::invalidate_cdn::PERMISSIONS,
        ChangeKind::SetVolumeType => crate::changes::set_volume_type::PERMISSIONS,
        ChangeKind::MarkForDeletion => crate::changes::mark_for_deletion::PERMISSIONS,
        ChangeKind::SnapshotVolume => crate::changes::snapshot_volume::PERMISSIONS,
        ChangeKind::DeleteVolume => crate::changes::delete_volume::PERMISSIONS,
        ChangeKind::DeleteDiskSnapshot => crate::changes::delete_disk_snapshot::PERMISSIONS,
        ChangeKind::ReleaseAddress => crate::changes::release_address::PERMISSIONS,
        ChangeKind::SetFleetSchedule => crate::changes::set_fleet_schedule::PERMISSIONS,
        ChangeKind::SetLogRetention => crate::changes::set_log_retention::PERMISSIONS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_adapter_needs_what_the_change_declares() {
        for spec in domain::changes::TABLE {
            let declared: BTreeSet<&str> = spec.permissions.iter().copied().collect();
            let needed: BTreeSet<&str> = of_change(spec.kind).iter().copied().collect();
            assert_eq!(needed, declared, "{}", spec.name);
        }
    }

    #[test]
    fn every_action_is_written_once_and_as_iam_writes_it() {
        for needs in TABLE {
            let unique: BTreeSet<&str> = needs.actions.iter().copied().collect();
            assert_eq!(unique.len(), needs.actions.len(), "{}", needs.adapter);
            assert!(
                needs.actions.iter().all(|action| action.split(':').count() == 2 && !action.contains('*')),
                "{}",
                needs.adapter
            );
        }
    }
}
