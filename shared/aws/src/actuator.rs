//! Applies changes to an application: the only adapter that writes to one. One file per kind in [`crate::changes`].
//!
//! A write is sent again only where the service has certainly not done it ([`crate::changes`]): after a lost answer the engine
//! looks before it acts again.

use crate::arn;
use crate::chances::Chances;
use crate::changes::{
    flush_cache, invalidate_cdn, redeploy_service, refresh_fleet, replace_instance, replace_task, set_fleet_capacity,
    set_service_count,
};
use crate::clients::{Clients, Lazy};
use crate::inventory::{caches, fleets, services};
use async_trait::async_trait;
use domain::change::{Action, Change};
use domain::changes::Pace;
use domain::execution::Cycle;
use domain::guard::Cleared;
use domain::resource::{Live, Resource};
use engine::ports::{Actuator as Port, PortError, PortResult};

/// See [`engine::ports::Actuator`].
#[derive(Clone, Debug)]
pub struct Actuator {
    autoscaling: Lazy<aws_sdk_autoscaling::Client>,
    cloudfront: Lazy<aws_sdk_cloudfront::Client>,
    ecs: Lazy<aws_sdk_ecs::Client>,
    elasticache: Lazy<aws_sdk_elasticache::Client>,
    scaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    chances: Chances,
}

impl Actuator {
    /// Acts in the account and Region of these clients.
    pub fn new(clients: &Clients) -> Self {
        Self {
            autoscaling: clients.autoscaling(),
            cloudfront: clients.cloudfront(),
            ecs: clients.ecs(),
            elasticache: clients.elasticache(),
            scaling: clients.scaling(),
            chances: clients.chances(),
        }
    }

    async fn read(&self, resource: &Resource) -> PortResult<Resource> {
        match &resource.live {
            Live::AutoScalingGroup(_) => fleets::read(&self.autoscaling, &resource.name, &resource.id).await,
            Live::EcsService(service) => {
                services::read(&self.ecs, &self.scaling, &service.cluster, &resource.name, &resource.id).await
            }
            Live::Cache(_) => caches::read(&self.elasticache, &resource.name, &resource.id).await,
            Live::Distribution => invalidate_cdn::read(&self.cloudfront, resource).await,
            other => Err(PortError::Rejected {
                operation: format!("read {} before a change", resource.id),
                why: format!("nothing is ever changed on a {}", other.kind()),
            }),
        }
    }
}

#[async_trait]
impl Port for Actuator {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        self.chances.read(|| self.read(resource)).await
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        match &cleared.change().action {
            Action::SetFleetCapacity { group, desired } => {
                set_fleet_capacity::set(&self.autoscaling, group, *desired).await
            }
            Action::SetServiceCount { cluster, service, desired } => {
                set_service_count::set(&self.ecs, cluster, service, *desired).await
            }
            Action::ReplaceInstance { group, instance } => {
                replace_instance::terminate(&self.autoscaling, group, instance).await
            }
            Action::RefreshFleet { group } => match cleared.live() {
                Live::AutoScalingGroup(fleet) => refresh_fleet::start(&self.autoscaling, group, Pace::of(fleet)).await,
                other => Err(mismatch(cleared.change(), other)),
            },
            Action::ReplaceTask { cluster, service, task } => {
                let change = cleared.change().id.as_str();
                replace_task::stop(&self.ecs, cluster, service, task, change).await
            }
            Action::RedeployService { cluster, service } => redeploy_service::deploy(&self.ecs, cluster, service).await,
            Action::FlushCache { cache } => match cleared.live() {
                Live::Cache(live) => flush_cache::flush(cache, live).await,
                other => Err(mismatch(cleared.change(), other)),
            },
            Action::InvalidateCdn { distribution } => {
                invalidate_cdn::invalidate(&self.cloudfront, distribution, cleared.change().id.as_str()).await
            }
            Action::SetVolumeType { .. }
            | Action::MarkForDeletion { .. }
            | Action::SnapshotVolume { .. }
            | Action::DeleteVolume { .. }
            | Action::DeleteDiskSnapshot { .. }
            | Action::ReleaseAddress { .. }
            | Action::SetLogRetention { .. }
            | Action::SetFleetSchedule { .. }
            | Action::CreateIndex { .. }
            | Action::AnalyzeTable { .. } => Err(of_another_cycle(cleared.change())),
        }
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        match (&change.action, prior) {
            (Action::SetFleetCapacity { group, .. }, Live::AutoScalingGroup(fleet)) => {
                set_fleet_capacity::set(&self.autoscaling, group, fleet.desired).await
            }
            (Action::SetServiceCount { cluster, service, .. }, Live::EcsService(before)) => {
                set_service_count::set(&self.ecs, cluster, service, before.desired).await
            }
            (Action::SetFleetCapacity { .. } | Action::SetServiceCount { .. }, other) => Err(mismatch(change, other)),
            (action, _) if !action.spec().cycles.contains(&Cycle::Health) => Err(of_another_cycle(change)),
            (action, _) => Err(PortError::Rejected {
                operation: format!("undo \"{action}\""),
                why: "this kind of change restores itself, there is no prior value to put back".to_owned(),
            }),
        }
    }
}

fn of_another_cycle(change: &Change) -> PortError {
    PortError::Rejected {
        operation: change.action.to_string(),
        why: "the health cycle makes no such change, and has no permission for it".to_owned(),
    }
}

pub(crate) fn mismatch(change: &Change, live: &Live) -> PortError {
    PortError::Rejected {
        operation: change.action.to_string(),
        why: format!("the captured state is that of a {}", live.kind()),
    }
}

/// The name by which a service call knows a resource id: the tail of an ARN.
pub(crate) fn short_name(id: &str) -> String {
    arn::named(id).map_or_else(|| id.to_owned(), |named| named.name)
}
