//! Changes the type of an EBS volume, with at least the I/O that it has. Undone by its prior type; EC2 allows one modification of a volume in
//! six hours, so an undo may have to wait for that.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SetVolumeType,
    name: "set_volume_type",
    risk: Risk::Low,
    cycles: &[Cycle::Cost],
    direction: Way::Reduces,
    reversal: Reversal::Undoable,
    permissions: &[
        "ec2:DescribeVolumes",
        "ec2:DescribeVolumesModifications",
        "ec2:DescribeSnapshots",
        "ec2:ModifyVolume",
    ],
    settle_s: 3_600,
    when_inconclusive: WhenInconclusive::Keep,
};
