//! Empties a Redis or Valkey cache through its own protocol. It fills again from its source; the load on that source is the risk.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::FlushCache,
    name: "flush_cache",
    risk: Risk::High,
    cycles: &[Cycle::Health],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &[
        "elasticache:DescribeCacheClusters",
        "elasticache:DescribeReplicationGroups",
        "elasticache:ListTagsForResource",
    ],
    settle_s: 300,
    when_inconclusive: WhenInconclusive::Keep,
};
