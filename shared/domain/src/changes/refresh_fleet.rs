//! Restarts a fleet: an instance refresh replaces its instances in turn and keeps the rest serving.

use crate::change::{ChangeKind, ChangeSpec, Reversal, WhenInconclusive};
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::RefreshFleet,
    name: "refresh_fleet",
    risk: Risk::Medium,
    reversal: Reversal::SelfRestoring,
    permissions: &[
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:StartInstanceRefresh",
    ],
    settle_s: 600,
    when_inconclusive: WhenInconclusive::Keep,
};
