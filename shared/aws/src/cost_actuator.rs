//! Applies the changes of the cost cycle: with [`crate::Actuator`] the only adapter that writes to an application. One
//! file per kind in [`crate::changes`].
//!
//! A type of its own, so that each of the two functions that change applications links only the clients that its
//! changes need.

use crate::SystemClock;
use crate::actuator::mismatch;
use crate::arn;
use crate::chances::Chances;
use crate::changes::{
    delete_disk_snapshot, delete_volume, mark_for_deletion, release_address, set_fleet_capacity, set_fleet_schedule,
    set_log_retention, set_service_count, set_volume_type, snapshot_volume,
};
use crate::clients::{Clients, Lazy};
use crate::estates::{addresses, log_groups, snapshots, volumes};
use crate::inventory::{fleets, schedules, services};
use async_trait::async_trait;
use domain::change::{Action, Change, Reversal};
use domain::guard::Cleared;
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::resource::{Live, OFF_HOURS_START, OFF_HOURS_STOP, Resource};
use engine::ports::{Actuator as Port, Clock, PortError, PortResult};

/// See [`engine::ports::Actuator`].
#[derive(Clone, Debug)]
pub struct CostActuator {
    autoscaling: Lazy<aws_sdk_autoscaling::Client>,
    ec2: Lazy<aws_sdk_ec2::Client>,
    ecs: Lazy<aws_sdk_ecs::Client>,
    logs: Lazy<aws_sdk_cloudwatchlogs::Client>,
    scaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    clock: SystemClock,
    chances: Chances,
}

impl CostActuator {
    /// Acts in the account and Region of these clients.
    pub fn new(clients: &Clients, clock: SystemClock) -> Self {
        Self {
            autoscaling: clients.autoscaling(),
            ec2: clients.ec2(),
            ecs: clients.ecs(),
            logs: clients.logs(),
            scaling: clients.scaling(),
            clock,
            chances: clients.chances(),
        }
    }

    /// A group with its scheduled actions.
    async fn fleet(&self, name: &str, id: &ResourceId) -> PortResult<Resource> {
        let mut group = fleets::read(&self.autoscaling, name, id).await?;
        if let Live::AutoScalingGroup(fleet) = &mut group.live {
            let scheduled = schedules::of(&self.autoscaling, Some(name)).await?;
            fleet.scheduled = Observed::Known(scheduled.into_iter().map(|(_, action)| action).collect());
        }
        Ok(group)
    }

    async fn read(&self, resource: &Resource) -> PortResult<Resource> {
        let (id, name) = (&resource.id, resource.name.as_str());
        match &resource.live {
            Live::AutoScalingGroup(_) => self.fleet(name, id).await,
            Live::EcsService(service) => services::read(&self.ecs, &self.scaling, &service.cluster, name, id).await,
            Live::Volume(_) => volumes::read(&self.ec2, id, name, self.clock.now()).await,
            Live::DiskSnapshot(_) => snapshots::read(&self.ec2, id, name).await,
            Live::Address(_) => addresses::read(&self.ec2, id, name).await,
            Live::LogGroup(_) => log_groups::read(&self.logs, id, name).await,
            other => Err(PortError::Rejected {
                operation: format!("read {id} before a change"),
                why: format!("the cost cycle changes nothing on a {}", other.kind()),
            }),
        }
    }
}

#[async_trait]
impl Port for CostActuator {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        self.chances.read(|| self.read(resource)).await
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        match &cleared.change().action {
            Action::SetFleetCapacity { group, desired } => {
                set_fleet_capacity::set(&self.autoscaling, group, *desired).await
            }
            Action::SetFleetSchedule { group, off_hours } => {
                set_fleet_schedule::put(&self.autoscaling, group, &off_hours.actions()).await
            }
            Action::SetServiceCount { cluster, service, desired } => {
                set_service_count::set(&self.ecs, cluster, service, *desired).await
            }
            Action::SetVolumeType { volume, volume_type, iops, throughput_mibps } => {
                set_volume_type::set(&self.ec2, volume, volume_type, Some(*iops), Some(*throughput_mibps)).await
            }
            Action::MarkForDeletion { arn, delete_after } => {
                mark_for_deletion::mark(&self.ec2, &ec2_id(cleared.change(), arn)?, *delete_after).await
            }
            Action::SnapshotVolume { volume } => snapshot_volume::take(&self.ec2, volume).await,
            Action::DeleteVolume { volume } => delete_volume::delete(&self.ec2, volume).await,
            Action::DeleteDiskSnapshot { snapshot } => delete_disk_snapshot::delete(&self.ec2, snapshot).await,
            Action::ReleaseAddress { allocation } => release_address::release(&self.ec2, allocation).await,
            Action::SetLogRetention { group, days } => set_log_retention::set(&self.logs, group, *days).await,
            Action::ReplaceInstance { .. }
            | Action::RefreshFleet { .. }
            | Action::ReplaceTask { .. }
            | Action::RedeployService { .. }
            | Action::FlushCache { .. }
            | Action::InvalidateCdn { .. }
            | Action::CreateIndex { .. }
            | Action::AnalyzeTable { .. } => Err(PortError::Rejected {
                operation: cleared.change().action.to_string(),
                why: "the cost cycle makes no such change, and has no permission for it".to_owned(),
            }),
        }
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        match (&change.action, prior) {
            (Action::SetFleetCapacity { group, .. }, Live::AutoScalingGroup(fleet)) => {
                set_fleet_capacity::set(&self.autoscaling, group, fleet.desired).await
            }
            (Action::SetFleetSchedule { group, off_hours }, Live::AutoScalingGroup(before)) => {
                let now = fleets::read(&self.autoscaling, group, &change.resource).await?;
                let Live::AutoScalingGroup(fleet) = &now.live else { return Err(mismatch(change, &now.live)) };
                // Sizes first: should the rest fail, the schedule still stands, and the undo goes on with the next run.
                if let Some(sizes) = off_hours.sizes_back(before, fleet) {
                    set_fleet_schedule::resize(&self.autoscaling, group, sizes).await?;
                }
                set_fleet_schedule::delete(&self.autoscaling, group, &[OFF_HOURS_STOP, OFF_HOURS_START]).await
            }
            (Action::SetServiceCount { cluster, service, .. }, Live::EcsService(before)) => {
                set_service_count::set(&self.ecs, cluster, service, before.desired).await
            }
            (Action::SetVolumeType { volume, .. }, Live::Volume(before)) => {
                let (iops, throughput) = (before.iops, before.throughput_mibps);
                set_volume_type::set(&self.ec2, volume, &before.volume_type, iops, throughput).await
            }
            (Action::MarkForDeletion { arn, .. }, before) => {
                let id = ec2_id(change, arn)?;
                let mark = match before {
                    Live::Volume(volume) => volume.delete_after,
                    Live::DiskSnapshot(snapshot) => snapshot.delete_after,
                    Live::Address(address) => address.delete_after,
                    other => return Err(mismatch(change, other)),
                };
                match mark {
                    Some(at) => mark_for_deletion::mark(&self.ec2, &id, at).await,
                    None => mark_for_deletion::unmark(&self.ec2, &id).await,
                }
            }
            (Action::SnapshotVolume { volume }, Live::Volume(before)) => {
                snapshot_volume::remove(&self.ec2, volume, before.final_snapshot.as_ref()).await
            }
            (action, other) if action.spec().reversal == Reversal::Undoable => Err(mismatch(change, other)),
            (action, _) => Err(PortError::Rejected {
                operation: format!("undo \"{action}\""),
                why: "nothing brings back what this kind of change has done".to_owned(),
            }),
        }
    }
}

/// The id by which EC2 knows what an ARN names.
fn ec2_id(change: &Change, arn: &str) -> PortResult<String> {
    arn::named(arn).map(|named| named.name).ok_or_else(|| PortError::Rejected {
        operation: change.action.to_string(),
        why: format!("\"{arn}\" names nothing that can be marked"),
    })
}
