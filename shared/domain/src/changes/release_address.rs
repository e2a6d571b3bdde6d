//! Gives an Elastic IP address back after its time of grace. Nobody gets the same address again, so it always needs an approval.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::ReleaseAddress,
    name: "release_address",
    risk: Risk::High,
    cycles: &[Cycle::Cost],
    direction: Way::Reduces,
    reversal: Reversal::Irreversible,
    permissions: &["ec2:DescribeAddresses", "ec2:ReleaseAddress"],
    settle_s: 0,
    when_inconclusive: WhenInconclusive::Keep,
};
