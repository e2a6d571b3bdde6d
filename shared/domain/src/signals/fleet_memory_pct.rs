//! Memory of all instances of the group together, from the CloudWatch agent (see `docs/signals.md` for its
//! configuration).

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "fleet_memory_pct",
    title: "fleet memory",
    unit: "%",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "CWAgent",
    metric: "mem_used_percent",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::fleet,
    gap: Gap::Unknown,
    needs: Some("the CloudWatch agent"),
    judge: Some(levels::memory),
};
