//! What a change is: an absolute, reversible modification with risk, expectation, guard data and undo.
//!
//! The kinds of changes are in [`crate::changes`], one file each and one table.

use crate::execution::Cycle;
use crate::ids::{ChangeId, ExecutionId, ResourceId, RuleId, SignalId};
use crate::mode::Risk;
use crate::performance::index::IndexSpec;
use crate::resource::{Live, OffHours};
use crate::rollout::{self, Rollout};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// One planned modification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Its name: the same in plan, journal, record and report.
    pub id: ChangeId,
    /// What to do. Values are absolute, never deltas, so that doing it twice is doing it once.
    pub action: Action,
    /// The resource it modifies.
    pub resource: ResourceId,
    /// The rule whose finding asked for it.
    pub because: RuleId,
    /// Why, in one sentence with numbers.
    pub reason: String,
    /// What should become better, and by how much.
    pub expected: Expectation,
    /// Running cost that it adds, in US cents a month; negative saves. `None` when the price is not known.
    pub cost_usd_cents_month: Option<i64>,
    /// Its part in a remedy that touches many members; none for a remedy of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
}

impl Change {
    /// The remedy that this is a part of, by its kind: that of the whole fleet for a canary, else its own.
    pub fn remedy(&self) -> ChangeKind {
        match &self.rollout {
            Some(Rollout::Canary { then, .. }) => *then,
            Some(Rollout::Rest { .. }) | None => self.action.kind(),
        }
    }

    /// What it does, in words, with its part in a rollout.
    pub fn in_words(&self) -> String {
        rollout::in_words(&self.action, self.rollout.as_ref())
    }
}

/// The id of a change: the same when a step is repeated, another for another run, iteration, kind or resource.
///
/// The digest keeps it short and free of whatever an ARN may hold; 64 bits are plenty for the changes of one application.
pub fn id(execution: &ExecutionId, iteration: u32, kind: ChangeKind, resource: &ResourceId) -> ChangeId {
    let mut hash = Sha256::new();
    for part in [execution.as_str(), resource.as_str()] {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(iteration.to_be_bytes());
    let name = crate::changes::spec(kind).name;
    hash.update(name.as_bytes());
    let digest: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    ChangeId::new(format!("{name}-{iteration}-{digest}"))
}

/// The signal that verifies a change, and the effect that is expected of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// The signal that must get better.
    pub signal: SignalId,
    /// On which resource it is measured.
    pub resource: ResourceId,
    /// Which way is better.
    pub better: Better,
    /// The level before the change, in the signal's unit.
    pub before: f64,
    /// The level that is expected after it.
    pub after: f64,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Smaller values are better.
    Lower,
    /// Larger values are better.
    Higher,
}

impl Better {
    /// By which a level is multiplied so that less of it is better.
    pub fn sign(self) -> f64 {
        match self {
            Self::Lower => 1.0,
            Self::Higher => -1.0,
        }
    }
}

/// Everything that the maintainer can do to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Action {
    /// Set the desired capacity of an Auto Scaling group.
    SetFleetCapacity {
        /// Group name.
        group: String,
        /// Wanted size.
        desired: u32,
    },
    /// Give an Auto Scaling group off hours.
    SetFleetSchedule {
        /// Group name.
        group: String,
        /// When it is off, and its sizes when it is not.
        off_hours: Box<OffHours>,
    },
    /// Set the desired count of an ECS service.
    SetServiceCount {
        /// Cluster name.
        cluster: String,
        /// Service name.
        service: String,
        /// Wanted tasks.
        desired: u32,
    },
    /// Terminate one instance of a group; the group launches another.
    ReplaceInstance {
        /// Group name.
        group: String,
        /// EC2 instance id.
        instance: String,
    },
    /// Restart a fleet by replacing its instances in turn.
    RefreshFleet {
        /// Group name.
        group: String,
    },
    /// Stop one task of an ECS service; the service starts another.
    ReplaceTask {
        /// Cluster name.
        cluster: String,
        /// Service name.
        service: String,
        /// Task id.
        task: String,
    },
    /// Restart an ECS service by a new deployment of the same task definition.
    RedeployService {
        /// Cluster name.
        cluster: String,
        /// Service name.
        service: String,
    },
    /// Empty a Redis or Valkey cache.
    FlushCache {
        /// Cache name.
        cache: String,
    },
    /// Invalidate everything in a CloudFront distribution.
    InvalidateCdn {
        /// Distribution id.
        distribution: String,
    },
    /// Change the type of an EBS volume, with the I/O that it has.
    SetVolumeType {
        /// Volume id.
        volume: String,
        /// Wanted type.
        volume_type: String,
        /// Wanted I/O operations a second.
        iops: u32,
        /// Wanted throughput in MiB a second.
        throughput_mibps: u32,
    },
    /// Mark a resource with a tag that says from when on it may be deleted. Removing the tag keeps it.
    MarkForDeletion {
        /// ARN of the resource.
        arn: String,
        /// From when on.
        delete_after: Timestamp,
    },
    /// Take the final snapshot of a volume.
    SnapshotVolume {
        /// Volume id.
        volume: String,
    },
    /// Delete a volume whose time of grace is over and whose final snapshot is complete.
    DeleteVolume {
        /// Volume id.
        volume: String,
    },
    /// Delete a snapshot whose time of grace is over.
    DeleteDiskSnapshot {
        /// Snapshot id.
        snapshot: String,
    },
    /// Give an address back whose time of grace is over.
    ReleaseAddress {
        /// Allocation id.
        allocation: String,
    },
    /// Let events of a log group expire.
    SetLogRetention {
        /// Log group name.
        group: String,
        /// Wanted days.
        days: u32,
    },
    /// Build an index of a Postgres table without holding up writes.
    CreateIndex {
        /// The database, by its name in the configuration.
        database: String,
        /// The index.
        index: Box<IndexSpec>,
    },
    /// Renew what the planner knows of a Postgres table.
    AnalyzeTable {
        /// The database, by its name in the configuration.
        database: String,
        /// Schema of the table.
        schema: String,
        /// Table.
        table: String,
    },
}

impl Action {
    /// The kind of this action, the key of [`crate::changes::TABLE`].
    pub fn kind(&self) -> ChangeKind {
        match self {
            Self::SetFleetCapacity { .. } => ChangeKind::SetFleetCapacity,
            Self::SetFleetSchedule { .. } => ChangeKind::SetFleetSchedule,
            Self::SetServiceCount { .. } => ChangeKind::SetServiceCount,
            Self::ReplaceInstance { .. } => ChangeKind::ReplaceInstance,
            Self::RefreshFleet { .. } => ChangeKind::RefreshFleet,
            Self::ReplaceTask { .. } => ChangeKind::ReplaceTask,
            Self::RedeployService { .. } => ChangeKind::RedeployService,
            Self::FlushCache { .. } => ChangeKind::FlushCache,
            Self::InvalidateCdn { .. } => ChangeKind::InvalidateCdn,
            Self::SetVolumeType { .. } => ChangeKind::SetVolumeType,
            Self::MarkForDeletion { .. } => ChangeKind::MarkForDeletion,
            Self::SnapshotVolume { .. } => ChangeKind::SnapshotVolume,
            Self::DeleteVolume { .. } => ChangeKind::DeleteVolume,
            Self::DeleteDiskSnapshot { .. } => ChangeKind::DeleteDiskSnapshot,
            Self::ReleaseAddress { .. } => ChangeKind::ReleaseAddress,
            Self::SetLogRetention { .. } => ChangeKind::SetLogRetention,
            Self::CreateIndex { .. } => ChangeKind::CreateIndex,
            Self::AnalyzeTable { .. } => ChangeKind::AnalyzeTable,
        }
    }

    /// The declaration of this kind of change.
    pub fn spec(&self) -> &'static ChangeSpec {
        crate::changes::spec(self.kind())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetFleetCapacity { group, desired } => write!(f, "set the capacity of {group} to {desired}"),
            Self::SetFleetSchedule { group, off_hours } => {
                write!(f, "give {group} off hours ({})", off_hours.time_zone)
            }
            Self::SetServiceCount { service, desired, .. } => write!(f, "set the task count of {service} to {desired}"),
            Self::ReplaceInstance { group, instance } => write!(f, "replace instance {instance} of {group}"),
            Self::RefreshFleet { group } => write!(f, "restart {group} by an instance refresh"),
            Self::ReplaceTask { service, task, .. } => write!(f, "replace task {task} of {service}"),
            Self::RedeployService { service, .. } => write!(f, "restart {service} by a new deployment"),
            Self::FlushCache { cache } => write!(f, "clear the cache {cache}"),
            Self::InvalidateCdn { distribution } => write!(f, "invalidate the CDN {distribution}"),
            Self::SetVolumeType { volume, volume_type, .. } => write!(f, "make volume {volume} a {volume_type}"),
            Self::MarkForDeletion { arn, delete_after } => {
                let name = arn.rsplit(['/', ':']).next().unwrap_or(arn);
                write!(f, "mark {name} for deletion after {}", day(*delete_after))
            }
            Self::SnapshotVolume { volume } => write!(f, "take a final snapshot of volume {volume}"),
            Self::DeleteVolume { volume } => write!(f, "delete volume {volume}"),
            Self::DeleteDiskSnapshot { snapshot } => write!(f, "delete snapshot {snapshot}"),
            Self::ReleaseAddress { allocation } => write!(f, "release address {allocation}"),
            Self::SetLogRetention { group, days } => write!(f, "keep the events of {group} for {days} days"),
            Self::CreateIndex { database, index } => write!(f, "build an index in {database} on {index}"),
            Self::AnalyzeTable { database, schema, table } => write!(f, "analyze {schema}.{table} in {database}"),
        }
    }
}

/// The day of a moment, by the clock of Greenwich: `2026-11-27`.
pub fn day(at: Timestamp) -> String {
    jiff::tz::Offset::UTC.to_datetime(at).date().to_string()
}

/// The kinds of changes, one per file in [`crate::changes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// See [`Action::SetFleetCapacity`].
    SetFleetCapacity,
    /// See [`Action::SetFleetSchedule`].
    SetFleetSchedule,
    /// See [`Action::SetServiceCount`].
    SetServiceCount,
    /// See [`Action::ReplaceInstance`].
    ReplaceInstance,
    /// See [`Action::RefreshFleet`].
    RefreshFleet,
    /// See [`Action::ReplaceTask`].
    ReplaceTask,
    /// See [`Action::RedeployService`].
    RedeployService,
    /// See [`Action::FlushCache`].
    FlushCache,
    /// See [`Action::InvalidateCdn`].
    InvalidateCdn,
    /// See [`Action::SetVolumeType`].
    SetVolumeType,
    /// See [`Action::MarkForDeletion`].
    MarkForDeletion,
    /// See [`Action::SnapshotVolume`].
    SnapshotVolume,
    /// See [`Action::DeleteVolume`].
    DeleteVolume,
    /// See [`Action::DeleteDiskSnapshot`].
    DeleteDiskSnapshot,
    /// See [`Action::ReleaseAddress`].
    ReleaseAddress,
    /// See [`Action::SetLogRetention`].
    SetLogRetention,
    /// See [`Action::CreateIndex`].
    CreateIndex,
    /// See [`Action::AnalyzeTable`].
    AnalyzeTable,
}

/// What a kind of change declares about itself.
#[derive(Clone, Copy, Debug)]
pub struct ChangeSpec {
    /// The kind.
    pub kind: ChangeKind,
    /// Stable name, as in records and configuration.
    pub name: &'static str,
    /// Its risk class.
    pub risk: Risk,
    /// Cycles that make it: the act function of each holds its permissions.
    pub cycles: &'static [Cycle],
    /// Which way it moves what it modifies.
    pub direction: Way,
    /// How it goes back.
    pub reversal: Reversal,
    /// IAM actions that applying, capturing and undoing it need.
    pub permissions: &'static [&'static str],
    /// Seconds from applying to a fair measurement.
    pub settle_s: u32,
    /// What to do when verification can't tell.
    pub when_inconclusive: WhenInconclusive,
}

/// Which way a kind of change moves what it modifies. What takes away waits while anything speaks against that
/// ([`crate::arbitration`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its value says it, compared with the live one.
    ByValue,
    /// The same state comes back, or nothing that serves anybody changes.
    Neutral,
    /// It always takes something away, or makes it cheaper.
    Reduces,
}

/// How a change goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversal {
    /// The prior value is stored and can be restored.
    Undoable,
    /// The platform brings the same state back by itself (a restart, a replacement, a cache that fills).
    SelfRestoring,
    /// Nothing brings it back: always needs an approval.
    Irreversible,
}

/// The written rule for an inconclusive verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenInconclusive {
    /// Harmless and cheap: keep it.
    Keep,
    /// It costs money or capacity: undo it.
    Undo,
}

/// What was captured before a change, so that it can be restored exactly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// The live state right before the change, after the guard had passed on it.
    pub live: Live,
}
