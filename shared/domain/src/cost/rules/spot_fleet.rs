//! Auto Scaling groups that bear the loss of members, and still buy all of them on demand.
//!
//! EC2 takes a Spot instance back with two minutes' notice. Whether software bears that no metric says, so only its owner's word
//! counts: the tag `maintainer:fault-tolerant`. Half of the smallest size that the group may have stays on demand, and a quarter of what
//! is above that; the rest may run on any current type with as many processors and as much memory, in every zone of the group, so that EC2 can
//! take what is least likely to be taken back. (EC2 Auto Scaling User Guide, "Mixed instances groups".)

use super::View;
use super::sizes::{Spec, spec};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{HOURS_PER_MONTH, Sold};
use crate::cost::terms::{FleetTerms, LaunchTemplate, Terms};
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::{Missing, Observed};
use crate::resource::{FAULT_TOLERANT_TAG, Fleet, Live, ResourceKind};
use crate::text::shell_word;

/// Stable name.
pub(super) const NAME: &str = "spot_fleet";

/// Zones over which capacity is spread at least: in one, everything may be taken back at once.
const ZONES_MIN: u32 = 2;
/// Share of the members above the base that stay on demand, in per cent.
const ON_DEMAND_PCT: u32 = 25;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::AutoScalingGroup).filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let (Live::AutoScalingGroup(fleet), Some(Terms::Fleet(terms))) = (&item.resource.live, &item.terms) else {
        return None;
    };
    let template = terms.template.as_ref()?;
    let says = item.resource.tags.get(FAULT_TOLERANT_TAG)?;
    let is_borne = says.eq_ignore_ascii_case("true") || says.eq_ignore_ascii_case("yes");
    if !is_borne || terms.zones < ZONES_MIN || !is_settled(fleet) || terms.plain != fleet.desired {
        return None;
    }
    let kind = the_type(fleet)?;
    let spec = spec(kind)?;
    let base = fleet.min.div_ceil(2).max(1);
    let above = fleet.desired.saturating_sub(base);
    // A share of the members is rounded up for what is on demand.
    let spot = above - (above * ON_DEMAND_PCT).div_ceil(100);
    if spot == 0 {
        return None;
    }
    let members = f64::from(spot);
    let on_demand = view.prices.month(&Sold::InstanceHour(kind.to_owned()), members);
    let on_spot = month(terms, kind, members);
    let saving = match (on_demand, on_spot) {
        (Observed::Known(on_demand), Observed::Known(on_spot)) => {
            let likely = on_demand - on_spot;
            // Spot prices move, and what is not to be had on Spot is bought on demand.
            Observed::Known(Saving { low: UsdMicros::default(), likely, high: likely })
        }
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    };
    let name = item.resource.name.clone();
    let group = shell_word(&name);
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} bears the loss of members, as its owner says: {spot} of {} could run on Spot instances",
            fleet.desired
        ),
        evidence: vec![
            Evidence::against("zones", f64::from(terms.zones), f64::from(ZONES_MIN), "in which EC2 may find capacity"),
            Evidence::level("on_demand_members", f64::from(fleet.desired), format!("of {kind}, and none on Spot")),
        ],
        saving,
        risk: Risk::High,
        effort: Effort::Hours,
        confidence: 0.6,
        remedy: Remedy::Advice { what: advice(&group, base, spec, template) },
        way_back: format!(
            "aws autoscaling update-auto-scaling-group --auto-scaling-group-name {group} --launch-template {}\n{}",
            shell_word(&format!("LaunchTemplateId={},Version={}", template.id, template.version)),
            refresh(&group)
        ),
        name,
    })
}

/// Nothing is under way, everything that is wanted serves, and no member is protected by its owner.
fn is_settled(fleet: &Fleet) -> bool {
    let members = u32::try_from(fleet.instances.len()).unwrap_or(u32::MAX);
    !fleet.refresh_in_progress
        && fleet.healthy() == fleet.desired
        && members == fleet.desired
        && !fleet.instances.iter().any(|member| member.protected)
}

/// The type of all members; none where they differ, or one is not known.
fn the_type(fleet: &Fleet) -> Option<&str> {
    let mut types = fleet.instances.iter().map(|member| member.instance_type.as_deref());
    let first = types.next()??;
    types.all(|other| other == Some(first)).then_some(first)
}

/// A month of so many members on Spot.
fn month(terms: &FleetTerms, kind: &str, members: f64) -> Observed<UsdMicros> {
    match &terms.spot_usd_micros {
        Observed::Known(prices) => match prices.get(kind) {
            Some(price) => Observed::Known(UsdMicros(1).times(price * HOURS_PER_MONTH * members)),
            None => Observed::Missing(Missing::NotPublished(format!("a Spot price of {kind}"))),
        },
        Observed::Missing(why) => Observed::Missing(why.clone()),
    }
}

fn advice(group: &str, base: u32, spec: Spec, template: &LaunchTemplate) -> String {
    let Spec { vcpus, mib, is_graviton } = spec;
    let makers = if is_graviton { r#""amazon-web-services""# } else { r#""intel","amd""# };
    let policy = format!(
        r#"{{"LaunchTemplate":{{"LaunchTemplateSpecification":{{"LaunchTemplateId":"{}","Version":"{}"}},"Overrides":[{{"InstanceRequirements":{{"VCpuCount":{{"Min":{vcpus},"Max":{vcpus}}},"MemoryMiB":{{"Min":{mib}}},"CpuManufacturers":[{makers}],"InstanceGenerations":["current"]}}}}]}},"InstancesDistribution":{{"OnDemandBaseCapacity":{base},"OnDemandPercentageAboveBaseCapacity":{ON_DEMAND_PCT},"SpotAllocationStrategy":"price-capacity-optimized"}}}}"#,
        template.id, template.version
    );
    format!(
        "See first that its members finish or hand over what they do within two minutes of the notice (instance metadata, \
         spot/instance-action), and that no Savings Plan or reservation is there for them: it would be paid for all the same.\n\
         aws autoscaling update-auto-scaling-group --auto-scaling-group-name {group} --capacity-rebalance \
         --mixed-instances-policy {}\nMembers that are there stay until they are replaced:\n{}\nThen look at the group's activities \
         for a week: how often members were taken back, and whether users noticed.",
        shell_word(&policy),
        refresh(group)
    )
}

fn refresh(group: &str) -> String {
    format!(
        "aws autoscaling start-instance-refresh --auto-scaling-group-name {group} --preferences MinHealthyPercentage=90"
    )
}
