//! Deletes a volume after its time of grace. Its final snapshot is all that is left, so it always needs an approval.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::DeleteVolume,
    name: "delete_volume",
    risk: Risk::High,
    cycles: &[Cycle::Cost],
    direction: Way::Reduces,
    reversal: Reversal::Irreversible,
    permissions: &[
        "ec2:DescribeVolumes",
        "ec2:DescribeVolumesModifications",
        "ec2:DescribeSnapshots",
        "ec2:DeleteVolume",
    ],
    settle_s: 0,
    when_inconclusive: WhenInconclusive::Keep,
};
