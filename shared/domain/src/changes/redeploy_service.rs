//! Restarts an ECS service by a new deployment of the task definition that it already runs.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::RedeployService,
    name: "redeploy_service",
    risk: Risk::Medium,
    cycles: &[Cycle::Health],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &[
        "application-autoscaling:DescribeScalableTargets",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
        "ecs:UpdateService",
    ],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Keep,
};
