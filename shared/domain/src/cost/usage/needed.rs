//! Which histories rules look at. Each metric that is asked for costs money and a share of CloudWatch's limit, and most of a large
//! account can be judged by less than all of them.
//!
//! This must say yes wherever a rule would look further; a test over the seeded accounts compares what rules find with and
//! without the histories that are left out.

use super::{Profile, Quantity, Source};
use crate::cost::estate::Item;
use crate::cost::policy::Policy;
use crate::cost::terms::Terms;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind};

/// True for a history that is looked at only where the CPU of its resource has been found to be low, so it is asked for after that.
pub fn waits_for_cpu(source: &Source) -> bool {
    matches!(source.kind, ResourceKind::Machine | ResourceKind::AutoScalingGroup)
        && matches!(source.quantity, Quantity::MemoryPct | Quantity::NetworkBytes)
}

/// True where the state of the resource alone leaves a question to its history: a volume that is attached is in use, and of a
/// function that Lambda Insights does not measure nobody knows the memory. A service on instances has no price of its own.
pub fn is_needed(source: &Source, item: &Item) -> bool {
    match (&item.resource.live, source.quantity) {
        (Live::Volume(volume), Quantity::DiskOps) => volume.attached_to.is_empty(),
        (Live::Volume(volume), Quantity::BusiestOps | Quantity::OpsExceeded) => {
            volume.attached_to.len() == 1 && volume.has_bought_iops()
        }
        (Live::Volume(volume), _) => volume.attached_to.len() == 1 && volume.has_bought_throughput(),
        (Live::NatGateway(gateway), Quantity::NatProcessed) => gateway.lacks_endpoints(),
        // Without request metrics nobody knows what is read, and what has rules of its own is left to them.
        (Live::Bucket(bucket), _) => bucket.request_metrics.is_some() && !bucket.has_lifecycle,
        (Live::Function, _) => matches!(&item.terms, Some(Terms::Function(terms)) if terms.may_have_insights),
        (Live::EcsService(_), _) => item.terms.is_some(),
        _ => true,
    }
}

/// True where the CPU of a resource leaves the question whether it is too large.
pub fn is_low(cpu: &Observed<Profile>, policy: &Policy) -> bool {
    cpu.known().is_some_and(|cpu| cpu.known_h > 0 && cpu.max < policy.cpu_pct_max)
}
