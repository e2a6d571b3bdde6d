//! A Savings Plan for what is paid on demand in every hour.

use super::{a_fleet, a_machine};
use crate::cost::bill::PlanOffer;
use crate::cost::estate::{Estate, Item};
use crate::cost::fixture::{estate, history, item, prices};
use crate::cost::money::UsdMicros;
use crate::cost::on_demand::{Metered, OnDemand};
use crate::cost::opportunity::{Opportunity, Remedy, Saving};
use crate::cost::policy::Policy;
use crate::cost::prices::{Meter, PriceBook, PriceSource, Sold, UnitPrice};
use crate::cost::rules;
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::Live;
use jiff::civil::Date;

const RULE: &str = "savings_plan";

/// So many US dollars an hour at least and in the mean, at 72 cents for each; AWS would commit all of it.
fn offer(least: f64, mean: f64) -> PlanOffer {
    let usd = |usd: f64| UsdMicros(1_000_000).times(usd);
    PlanOffer { least_hour: usd(least), mean_hour: usd(mean), commitment_hour: usd(mean * 0.72), rate: 0.72 }
}

fn found(plan: PlanOffer, meters: Vec<Metered>, items: Vec<Item>, usage: Vec<Usage>) -> Vec<Opportunity> {
    let on_demand = OnDemand { from: Date::constant(2025, 12, 6), days: 28, meters, plan: Observed::Known(Some(plan)) };
    let estate = Estate { items, usage, on_demand: Some(Observed::Known(on_demand)), ..estate() };
    let price = |usd_micros| Observed::Known(UnitPrice { usd_micros, from: PriceSource::List });
    let units = [(Sold::OnDemandHour(large()), price(115_000.0)), (Sold::ReservedHour(large()), price(72_450.0))];
    rules::find(&estate, &Policy::default(), &prices().or(PriceBook { units: units.into_iter().collect() }))
}

fn large() -> Meter {
    Meter { usage_type: "BoxUsage:m5.large".to_owned(), operation: "RunInstances".to_owned() }
}

fn one(plan: PlanOffer) -> Option<Opportunity> {
    found(plan, Vec::new(), Vec::new(), Vec::new()).into_iter().find(|one| one.rule.as_str() == RULE)
}

/// What the command commits.
fn committed(plan: PlanOffer) -> Option<f64> {
    let Remedy::Advice { what } = one(plan)?.remedy else { return None };
    what.rsplit(' ').next()?.parse().ok()
}

#[test]
fn at_most_seventy_per_cent_of_what_is_paid_in_every_hour_is_committed_at_the_price_of_the_plan() {
    // 7 of 10 dollars are covered, for 5.04 an hour; 1.96 an hour are saved.
    let advice = one(offer(10.0, 10.0)).unwrap();
    assert_eq!(committed(offer(10.0, 10.0)), Some(5.04));
    let Observed::Known(saving) = advice.saving else { panic!("{advice:?}") };
    assert_eq!(saving, Saving { low: UsdMicros(0), likely: UsdMicros(1_430_800_000), high: UsdMicros(1_430_800_000) });
    let level =
        |name: &str| advice.evidence.iter().find(|one| one.signal.as_str() == name).map(|one| one.value.round());
    assert_eq!(level("coverage_pct"), Some(70.0));
    assert_eq!(level("utilization_pct"), Some(100.0));
    assert_eq!(level("break_even_pct"), Some(72.0));
    assert_eq!(level("owed_usd"), Some(44_150.0));
    // The floor is less than 70 %.
    assert_eq!(committed(offer(5.0, 10.0)), Some(3.6));
}

#[test]
fn what_is_seldom_there_is_no_floor_and_what_is_no_cheaper_no_offer() {
    assert!(one(offer(3.0, 10.0)).is_some() && one(offer(2.99, 10.0)).is_none());
    assert!(one(offer(0.0, 0.0)).is_none() && one(offer(0.001, 0.001)).is_none(), "nothing, or hardly anything");
    for rate in [1.0, 1.2, 0.0, -0.5, f64::NAN] {
        assert!(one(PlanOffer { rate, ..offer(10.0, 10.0) }).is_none(), "{rate}");
    }
    let less = PlanOffer { commitment_hour: UsdMicros(2_000_000), ..offer(10.0, 10.0) };
    assert_eq!(committed(less), Some(2.0), "never more than AWS would commit");
}

#[test]
fn what_other_rules_make_smaller_is_no_floor() {
    // A machine that stands for half of the floor, 0.230 an hour, has nothing to do.
    let it = item("instance/i-1", Live::Machine(a_machine("m5.xlarge")));
    let usage = [Quantity::CpuPct, Quantity::MemoryPct].map(|quantity| history(&it, quantity, |_| Some(5.0)));
    let network = history(&it, Quantity::NetworkBytes, |_| Some(1e6));
    let usage: Vec<Usage> = usage.into_iter().chain([network]).collect();
    let all = found(offer(0.5, 0.5), Vec::new(), vec![it.clone()], usage.clone());
    assert!(all.iter().any(|one| one.rule.as_str() == "oversized_machine"), "{all:?}");
    let advice = all.iter().find(|one| one.rule.as_str() == RULE).unwrap();
    let Remedy::Advice { what } = &advice.remedy else { panic!("{advice:?}") };
    // 0.27 at 0.72.
    assert!(what.ends_with("--commitment 0.194") && what.contains("i-1 (oversized_machine)"), "{what}");
    // Of one whose price is not known nothing is promised.
    let unknown = item("instance/i-1", Live::Machine(a_machine("m7i.4xlarge")));
    let all = found(offer(0.5, 0.5), Vec::new(), vec![unknown], usage);
    let rules: Vec<&str> = all.iter().map(|one| one.rule.as_str()).collect();
    assert_eq!(rules, ["oversized_machine"], "{all:?}");
    // What nobody makes smaller is left in the floor.
    let busy = item("autoScalingGroup/web", Live::AutoScalingGroup(a_fleet(2, "m5.large")));
    let all = found(offer(0.5, 0.5), Vec::new(), vec![busy], Vec::new());
    let advice = all.iter().find(|one| one.rule.as_str() == RULE).unwrap();
    assert!(matches!(&advice.remedy, Remedy::Advice { what } if what.ends_with("--commitment 0.252")), "{advice:?}");
}

#[test]
fn the_same_instances_are_not_advised_to_be_reserved_as_well() {
    let meters = || vec![Metered { meter: large(), hours: vec![240.0; 28] }];
    let rules_of = |plan| -> Vec<String> {
        found(plan, meters(), Vec::new(), Vec::new()).into_iter().map(|one| one.rule.to_string()).collect()
    };
    assert_eq!(rules_of(offer(1.15, 1.15)), [RULE]);
    assert_eq!(rules_of(offer(0.0, 1.15)), ["reserved_capacity"], "by the day they are always there");
}
