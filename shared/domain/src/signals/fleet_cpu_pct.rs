//! CPU of all instances of the group together. Every five minutes with basic monitoring, every minute with detailed
//! monitoring.

use super::dimensions;
use super::levels;
use crate::resource::ResourceKind;
use crate::signal::{Gap, SignalSpec};

/// The definition.
pub(super) const SPEC: SignalSpec = SignalSpec {
    id: "fleet_cpu_pct",
    title: "fleet CPU",
    unit: "%",
    kind: ResourceKind::AutoScalingGroup,
    namespace: "AWS/EC2",
    metric: "CPUUtilization",
    stat: "Average",
    scale: 1.0,
    dimensions: dimensions::fleet,
    gap: Gap::Unknown,
    needs: None,
    judge: Some(levels::cpu),
};
