//! Sets the desired capacity of an Auto Scaling group. Undone by setting the prior capacity, if nobody else has set another since.

use crate::change::{ChangeKind, ChangeSpec, Reversal, WhenInconclusive};
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SetFleetCapacity,
    name: "set_fleet_capacity",
    risk: Risk::Low,
    reversal: Reversal::Undoable,
    permissions: &[
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:SetDesiredCapacity",
    ],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Undo,
};
