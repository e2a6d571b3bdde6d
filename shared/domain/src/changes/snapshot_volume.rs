//! Takes the final snapshot of a volume that nobody uses; the volume stays as it is. Undone by deleting the snapshot.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SnapshotVolume,
    name: "snapshot_volume",
    risk: Risk::Low,
    cycles: &[Cycle::Cost],
    direction: Way::Neutral,
    reversal: Reversal::Undoable,
    permissions: &[
        "ec2:DescribeVolumes",
        "ec2:DescribeVolumesModifications",
        "ec2:DescribeSnapshots",
        "ec2:CreateSnapshot",
        "ec2:CreateTags",
        "ec2:DeleteSnapshot",
    ],
    settle_s: 0,
    when_inconclusive: WhenInconclusive::Keep,
};
