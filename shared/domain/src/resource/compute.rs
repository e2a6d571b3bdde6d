//! Live state of what runs an application: Auto Scaling groups and ECS services with their members.

use super::ScheduledAction;
use crate::ids::ResourceId;
use crate::observed::{Missing, Observed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// Smallest size its owner allows.
    pub min: u32,
    /// Largest size its owner allows.
    pub max: u32,
    /// Size that is wanted now.
    pub desired: u32,
    /// Its instances.
    pub instances: Vec<Instance>,
    /// An instance refresh is under way.
    pub refresh_in_progress: bool,
    /// When the newest instance refresh started, whatever became of it.
    pub last_refresh_at: Option<Timestamp>,
    /// ARNs of the target groups it feeds.
    pub target_groups: Vec<ResourceId>,
    /// Its scheduled actions; asked for by the cost cycle only.
    #[serde(default = "Fleet::schedules_unread", skip_serializing_if = "Observed::is_missing")]
    pub scheduled: Observed<Vec<ScheduledAction>>,
}

impl Fleet {
    /// Scheduled actions of a group that nobody has asked for them.
    pub fn schedules_unread() -> Observed<Vec<ScheduledAction>> {
        Observed::Missing(Missing::NotPublished("they were not asked for".to_owned()))
    }

    /// Instances that are in service and healthy.
    pub fn healthy(&self) -> u32 {
        let count = self.instances.iter().filter(|instance| instance.is_serving()).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// An instance of a fleet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// EC2 instance id.
    pub id: String,
    /// Lifecycle state `InService`.
    pub in_service: bool,
    /// Health status `Healthy`.
    pub healthy: bool,
    /// Protected from scale-in by its owner.
    pub protected: bool,
    /// EC2 instance type, where the service says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
}

impl Instance {
    /// In service and healthy.
    pub fn is_serving(&self) -> bool {
        self.in_service && self.healthy
    }
}

/// An ECS service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Name of its cluster.
    pub cluster: String,
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// A deployment is under way.
    pub deployment_in_progress: bool,
    /// When the newest deployment was created.
    pub last_deployment_at: Option<Timestamp>,
    /// Smallest and largest count that Application Auto Scaling and the configuration allow; none where neither says.
    pub bounds: Option<(u32, u32)>,
    /// Why the bounds in Application Auto Scaling could not be read, if so: then no count is known to be allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds_missing: Option<Missing>,
    /// Share of the wanted tasks that a deployment leaves running, in per cent. The default is that of ECS.
    #[serde(default = "min_healthy_pct")]
    pub min_healthy_pct: u32,
    /// Share of the wanted tasks that may run during a deployment, in per cent. The default is that of ECS.
    #[serde(default = "max_pct")]
    pub max_pct: u32,
    /// ARN of the task definition, where the tasks run on Fargate and so are billed by the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fargate_task: Option<String>,
    /// Its tasks, those that are being stopped left out; missing where they were not read.
    #[serde(default = "tasks_not_read")]
    pub tasks: Observed<Vec<Task>>,
}

/// A task of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Task id, the tail of its ARN.
    pub id: String,
    /// Since when it runs; none while it starts.
    pub started_at: Option<Timestamp>,
}

impl Task {
    /// It has started.
    pub fn is_running(&self) -> bool {
        self.started_at.is_some()
    }
}

fn tasks_not_read() -> Observed<Vec<Task>> {
    Observed::Missing(Missing::Failed("the tasks were not read".to_owned()))
}

fn min_healthy_pct() -> u32 {
    100
}

fn max_pct() -> u32 {
    200
}

impl Service {
    /// Tasks that a deployment leaves running, and tasks that may run during one: rounded up and down, as ECS does.
    pub fn during_deployment(&self) -> (u32, u32) {
        let share = |pct: u32| u64::from(self.desired) * u64::from(pct);
        let count = |tasks: u64| u32::try_from(tasks).unwrap_or(u32::MAX);
        (count(share(self.min_healthy_pct).div_ceil(100)), count(share(self.max_pct) / 100))
    }
}
