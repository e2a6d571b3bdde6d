//! Invalidates every path of a CloudFront distribution. The edge fills again from the origin.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::InvalidateCdn,
    name: "invalidate_cdn",
    risk: Risk::Medium,
    cycles: &[Cycle::Health],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &["cloudfront:CreateInvalidation", "cloudfront:ListTagsForResource"],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Keep,
};
