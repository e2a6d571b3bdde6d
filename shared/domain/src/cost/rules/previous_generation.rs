//! Instances and fleets of a previous generation: the same size of a newer one has more, for about the same money or
//! less.
//!
//! Advice only. Later generations run on another hypervisor and need its drivers for network and disks, which old
//! images lack. (EC2 User Guide, "Change the instance type", compatibility.) Which family follows which: AWS, "Previous
//! Generation Instances".

use super::{View, members_month, sizes};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Fleet, Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "previous_generation";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let items = view.expendable(ResourceKind::Machine).chain(view.expendable(ResourceKind::AutoScalingGroup));
    items.filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let (kind, members) = match &item.resource.live {
        Live::Machine(machine) if machine.is_running => (machine.instance_type.as_str(), 1),
        Live::AutoScalingGroup(fleet) => (only_type(fleet)?, fleet.desired),
        _ => return None,
    };
    let (newer, graviton) = sizes::newer_of_same_size(kind)?;
    let name = item.resource.name.clone();
    let (effort, how) = match &item.resource.live {
        Live::AutoScalingGroup(_) => (
            Effort::Hours,
            format!("Set {newer} in a new version of the launch template, then refresh the instances of {name}."),
        ),
        _ => (
            Effort::Minutes,
            format!(
                "At a time when it may be away for some minutes:\naws ec2 stop-instances --instance-ids {name}\n\
                 aws ec2 wait instance-stopped --instance-ids {name}\n\
                 aws ec2 modify-instance-attribute --instance-id {name} --instance-type Value={newer}\n\
                 aws ec2 start-instances --instance-ids {name}"
            ),
        ),
    };
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!("{name} runs on {kind}, a previous generation: {newer} has more of everything"),
        evidence: vec![Evidence::level("members", f64::from(members), format!("of {kind}"))],
        saving: saving(view, item, &newer, members),
        risk: Risk::Medium,
        effort,
        confidence: 0.7,
        remedy: Remedy::Advice {
            what: format!(
                "Its image needs the drivers for ENA and NVMe.\n{how}\nSoftware that is built for arm64 runs cheaper \
                 still on {graviton}."
            ),
        },
        way_back: format!("the same with {kind}"),
        name,
    })
}

/// The one type of all its members.
fn only_type(fleet: &Fleet) -> Option<&str> {
    let first = fleet.instances.first()?.instance_type.as_deref()?;
    fleet.instances.iter().all(|one| one.instance_type.as_deref() == Some(first)).then_some(first)
}

/// The difference of the two prices; missing where one is not known.
fn saving(view: &View<'_>, item: &Item, newer: &str, members: u32) -> Observed<Saving> {
    let now = match &item.resource.live {
        Live::AutoScalingGroup(fleet) => members_month(view, fleet).map(|(_, mean, _)| mean),
        Live::Machine(machine) => view.prices.month(&Sold::InstanceHour(machine.instance_type.clone()), 1.0),
        _ => return Observed::Known(Saving::exactly(UsdMicros::default())),
    };
    match (now, view.prices.month(&Sold::InstanceHour(newer.to_owned()), 1.0)) {
        (Observed::Known(now), Observed::Known(after)) => {
            Observed::Known(Saving::exactly((now - after).times(f64::from(members))))
        }
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}
