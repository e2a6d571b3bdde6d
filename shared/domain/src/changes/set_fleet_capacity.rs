//! Sets the desired capacity of an Auto Scaling group. Undone by setting the prior capacity, if nobody else has set another since.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SetFleetCapacity,
    name: "set_fleet_capacity",
    risk: Risk::Low,
    cycles: &[Cycle::Health, Cycle::Cost],
    direction: Way::ByValue,
    reversal: Reversal::Undoable,
    permissions: &[
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:SetDesiredCapacity",
    ],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Undo,
};
