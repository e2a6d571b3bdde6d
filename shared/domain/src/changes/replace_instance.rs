//! Terminates one instance without shrinking its group, which launches another. The group restores itself; the guard is fleet health.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::ReplaceInstance,
    name: "replace_instance",
    risk: Risk::Medium,
    cycles: &[Cycle::Health],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &[
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
    ],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Keep,
};
