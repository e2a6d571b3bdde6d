//! Fullest disk of the group, from the CloudWatch agent: a full disk stops one instance however empty the others are,
//! hence the maximum.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "fleet_disk_pct",
    title: "fleet disk",
    unit: "%",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "CWAgent",
    metric: "disk_used_percent",
    stat: "Maximum",
    scale: 1.0,
    dimensions: dimensions::fleet,
    gap: Gap::Unknown,
    needs: Some("the CloudWatch agent"),
    judge: Some(levels::disk),
};
