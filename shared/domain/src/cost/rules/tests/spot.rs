//! Auto Scaling groups whose members could run on Spot.

use super::{a_fleet, claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{found, item};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy};
use crate::cost::terms::{FleetTerms, LaunchTemplate, Terms};
use crate::observed::{Missing, Observed};
use crate::resource::{FAULT_TOLERANT_TAG, Fleet, Live};
use std::collections::BTreeMap;

const RULE: &str = "spot_fleet";

fn terms(members: u32) -> FleetTerms {
    FleetTerms {
        template: Some(LaunchTemplate { id: "lt-1".to_owned(), version: "$Default".to_owned() }),
        zones: 2,
        plain: members,
        spot_usd_micros: Observed::Known(BTreeMap::from([("m5.large".to_owned(), 40_000.0)])),
    }
}

fn group(members: u32, change: impl FnOnce(&mut Fleet, &mut FleetTerms)) -> Item {
    let (mut fleet, mut terms) = (a_fleet(members, "m5.large"), terms(members));
    fleet.min = 2;
    change(&mut fleet, &mut terms);
    let mut it = item("autoScalingGroup:1:autoScalingGroupName/work er", Live::AutoScalingGroup(fleet));
    it.terms = Some(Terms::Fleet(terms));
    tagged(it, FAULT_TOLERANT_TAG, "true")
}

fn only(it: Item) -> Opportunity {
    let mut found = found(vec![it], Vec::new());
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_group_keeps_its_base_and_a_quarter_of_the_rest_on_demand() {
    // One of two stays as the base; of the other seven a quarter, rounded up, is two.
    let one = only(group(8, |_, _| ()));
    assert!(one.summary.contains("5 of 8"), "{}", one.summary);
    // 5 x 730 h x (0.115 - 0.040) USD.
    let saving = one.saving.known().unwrap();
    assert_eq!(
        (saving.low, saving.likely, saving.high),
        (UsdMicros(0), UsdMicros(273_750_000), UsdMicros(273_750_000))
    );
    let Remedy::Advice { what } = &one.remedy else { panic!("{:?}", one.remedy) };
    let policy = what.split('\'').find(|part| part.starts_with('{')).unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    let number = |path: &str| policy.pointer(path).and_then(serde_json::Value::as_u64);
    assert_eq!(number("/InstancesDistribution/OnDemandBaseCapacity"), Some(1));
    assert_eq!(number("/InstancesDistribution/OnDemandPercentageAboveBaseCapacity"), Some(25));
    assert_eq!(number("/LaunchTemplate/Overrides/0/InstanceRequirements/VCpuCount/Min"), Some(2));
    assert_eq!(number("/LaunchTemplate/Overrides/0/InstanceRequirements/MemoryMiB/Min"), Some(8_192));
    assert!(one.way_back.contains("'LaunchTemplateId=lt-1,Version=$Default'"), "{}", one.way_back);
}

#[test]
fn only_what_its_owner_calls_fault_tolerant_and_spreads_is_claimed() {
    assert!(claims(RULE, vec![group(3, |_, _| ())], Vec::new()), "one of three");
    type Change = fn(&mut Fleet, &mut FleetTerms);
    let cases: [(&str, Change); 10] = [
        ("one zone", |_, terms| terms.zones = 1),
        ("no template, or mixed already", |_, terms| terms.template = None),
        ("a member is bought otherwise", |_, terms| terms.plain -= 1),
        ("being replaced", |fleet, _| fleet.refresh_in_progress = true),
        ("a member is ill", |fleet, _| fleet.instances[0].healthy = false),
        ("a member is protected", |fleet, _| fleet.instances[0].protected = true),
        ("two types", |fleet, _| fleet.instances[0].instance_type = Some("m6i.large".to_owned())),
        ("a type is not known", |fleet, _| fleet.instances[0].instance_type = None),
        ("the base is all", |fleet, _| fleet.min = 6),
        ("no counterpart", |fleet, _| {
            fleet.instances.iter_mut().for_each(|it| it.instance_type = Some("p5.48xlarge".to_owned()));
        }),
    ];
    for (story, change) in cases {
        assert!(!claims(RULE, vec![group(3, change)], Vec::new()), "{story}");
    }
    assert!(!claims(RULE, vec![group(2, |_, _| ())], Vec::new()), "of two the second stays by its share");
    for said in ["false", "no", "maybe", ""] {
        assert!(!claims(RULE, vec![tagged(group(8, |_, _| ()), FAULT_TOLERANT_TAG, said)], Vec::new()), "{said}");
    }
    let mut untagged = group(8, |_, _| ());
    untagged.resource.tags.clear();
    assert!(!claims(RULE, vec![untagged], Vec::new()));
}

#[test]
fn without_a_spot_price_nothing_is_claimed_to_be_saved_and_no_lower_price_is_no_finding() {
    for unknown in [Observed::Known(BTreeMap::new()), Observed::Missing(Missing::Throttled)] {
        let one = only(group(8, |_, terms| terms.spot_usd_micros = unknown));
        assert!(one.saving.is_missing());
    }
    let dear = |_: &mut Fleet, terms: &mut FleetTerms| {
        terms.spot_usd_micros = Observed::Known(BTreeMap::from([("m5.large".to_owned(), 115_000.0)]));
    };
    assert!(!claims(RULE, vec![group(8, dear)], Vec::new()));
}
