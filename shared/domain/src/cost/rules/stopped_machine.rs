//! Instances that have been stopped for long: the disks of a stopped instance cost what those of a running one do.
//!
//! A machine that starts now and then (on Mondays, at the end of a month) is no waste: whatever ran at all in the
//! history is left alone. Advice only: an instance is ended by the person who knows what it was for.

use super::{View, number};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Machine, ResourceKind, Volume};
use std::collections::HashMap;

/// Stable name.
pub(super) const NAME: &str = "stopped_machine";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let volumes: HashMap<&str, &Volume> = view
        .estate
        .of_kind(ResourceKind::Volume)
        .filter_map(|item| match &item.resource.live {
            Live::Volume(volume) => Some((item.resource.name.as_str(), volume)),
            _ => None,
        })
        .collect();
    let found = view.expendable(ResourceKind::Machine).filter_map(|item| {
        let Live::Machine(machine) = &item.resource.live else { return None };
        if machine.is_running || machine.volumes.is_empty() {
            return None;
        }
        let days = view.estate.days_since(machine.since?);
        if days < i64::from(view.policy.unused_days) {
            return None;
        }
        // Not read is not unused; a machine publishes its CPU while it runs.
        let Observed::Known(history) = view.usage(item, Quantity::CpuPct) else { return None };
        if history.asked_h < view.policy.history_days_min.saturating_mul(24) || history.known_h > 0 {
            return None;
        }
        let name = item.resource.name.clone();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!("{name} has been stopped for {days} days, and its {} still cost", disks(machine)),
            evidence: vec![
                Evidence::against("stopped_days", number(days), f64::from(view.policy.unused_days), "it is stopped"),
                Evidence::level("history_days", f64::from(history.asked_h / 24), "it did not run in these days"),
            ],
            saving: saving(view, machine, &volumes),
            risk: Risk::High,
            effort: Effort::Minutes,
            confidence: 0.85,
            remedy: Remedy::Advice { what: commands(&name, machine) },
            way_back: "a new instance of the image has the same disks; its address and name are set anew".to_owned(),
            name,
        })
    });
    found.collect()
}

fn disks(machine: &Machine) -> String {
    match machine.volumes.len() {
        1 => "disk".to_owned(),
        count => format!("{count} disks"),
    }
}

/// An image keeps all its disks as snapshots. Disks that are not set to be deleted with the instance stay, and are
/// deleted by name.
fn commands(name: &str, machine: &Machine) -> String {
    let mut lines = vec![
        format!("IMAGE=$(aws ec2 create-image --instance-id {name} --name {name}-final --query ImageId --output text)"),
        "aws ec2 wait image-available --image-ids \"$IMAGE\"".to_owned(),
        format!("aws ec2 terminate-instances --instance-ids {name}"),
        format!("aws ec2 wait instance-terminated --instance-ids {name}"),
    ];
    let each = machine.volumes.iter().map(|volume| {
        format!(
            "aws ec2 delete-volume --volume-id {volume}  # unless it went with the instance (InvalidVolume.NotFound)"
        )
    });
    lines.extend(each);
    lines.join("\n")
}

/// The disks no longer cost, the snapshots of the image do: at most the whole size of the disks, at least nothing.
fn saving(view: &View<'_>, machine: &Machine, volumes: &HashMap<&str, &Volume>) -> Observed<Saving> {
    let (mut cost, mut size_gib) = (UsdMicros::default(), 0.0);
    for name in &machine.volumes {
        let Some(volume) = volumes.get(name.as_str()) else {
            return Observed::Missing(Missing::NotPublished(format!("the size of {name}")));
        };
        let gib = f64::from(volume.size_gib);
        match view.prices.month(&Sold::VolumeGib(volume.volume_type.clone()), gib) {
            Observed::Known(each) => cost = cost + each,
            Observed::Missing(why) => return Observed::Missing(why),
        }
        size_gib += gib;
    }
    view.prices.month(&Sold::SnapshotGib, size_gib).map(|snapshot| {
        let low = (cost - snapshot).max(UsdMicros::default());
        Saving { low, likely: (low + cost).times(0.5), high: cost }
    })
}
