//! Gives an Auto Scaling group off hours: two scheduled actions, written by one call so that there is never a stop without a
//! start. Undone by deleting both, where nobody has altered them; a group that is off then gets its sizes back first.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SetFleetSchedule,
    name: "set_fleet_schedule",
    risk: Risk::Medium,
    cycles: &[Cycle::Cost],
    direction: Way::Reduces,
    reversal: Reversal::Undoable,
    permissions: &[
        "autoscaling:BatchDeleteScheduledAction",
        "autoscaling:BatchPutScheduledUpdateGroupAction",
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:DescribeScheduledActions",
        "autoscaling:UpdateAutoScalingGroup",
    ],
    settle_s: 3_600,
    // Found idle in every one of those hours for weeks, and its owner's tag says that nobody but them uses it.
    when_inconclusive: WhenInconclusive::Keep,
};
