//! Lets events of a log group expire. What has expired is gone, so it always needs an approval.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::SetLogRetention,
    name: "set_log_retention",
    risk: Risk::Medium,
    cycles: &[Cycle::Cost],
    direction: Way::Reduces,
    reversal: Reversal::Irreversible,
    permissions: &["logs:DescribeLogGroups", "logs:ListTagsForResource", "logs:PutRetentionPolicy"],
    settle_s: 0,
    when_inconclusive: WhenInconclusive::Keep,
};
