//! Marks a resource with the day from which on it may be deleted. Undone by removing the tag; whoever removes it keeps the resource.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::MarkForDeletion,
    name: "mark_for_deletion",
    risk: Risk::Low,
    cycles: &[Cycle::Cost],
    direction: Way::Neutral,
    reversal: Reversal::Undoable,
    permissions: &[
        "ec2:DescribeVolumes",
        "ec2:DescribeVolumesModifications",
        "ec2:DescribeSnapshots",
        "ec2:DescribeImages",
        "ec2:DescribeAddresses",
        "ec2:CreateTags",
        "ec2:DeleteTags",
    ],
    settle_s: 0,
    when_inconclusive: WhenInconclusive::Keep,
};
