//! Sets the desired count of an ECS service. Undone by setting the prior count, if nobody else has set another since.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SetServiceCount,
    name: "set_service_count",
    risk: Risk::Low,
    cycles: &[Cycle::Health, Cycle::Cost],
    direction: Way::ByValue,
    reversal: Reversal::Undoable,
    permissions: &[
        "application-autoscaling:DescribeScalableTargets",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "ecs:UpdateService",
    ],
    settle_s: 180,
    when_inconclusive: WhenInconclusive::Undo,
};
