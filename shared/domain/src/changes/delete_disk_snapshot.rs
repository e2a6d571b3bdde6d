//! Deletes a snapshot after its time of grace. Nothing brings it back, so it always needs an approval.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::DeleteDiskSnapshot,
    name: "delete_disk_snapshot",
    risk: Risk::High,
    cycles: &[Cycle::Cost],
    direction: Way::Reduces,
    reversal: Reversal::Irreversible,
    permissions: &["ec2:DescribeSnapshots", "ec2:DescribeImages", "ec2:DescribeVolumes", "ec2:DeleteSnapshot"],
    settle_s: 0,
    when_inconclusive: WhenInconclusive::Keep,
};
