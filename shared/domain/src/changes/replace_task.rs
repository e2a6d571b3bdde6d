//! Stops one task of an ECS service, which starts another. The service restores itself; the guard is its health.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::ReplaceTask,
    name: "replace_task",
    risk: Risk::Medium,
    cycles: &[Cycle::Health],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &[
        "application-autoscaling:DescribeScalableTargets",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "ecs:StopTask",
    ],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Keep,
};
