//! A Compute Savings Plan for the stable floor of what an account pays for on demand: less an hour, for a promise of a year.
//!
//! AWS itself looks at every hour of 60 days, of all Regions and of all accounts of a bill, and at what each family costs under a
//! plan; the floor, the rate and an upper limit of the commitment are taken from that. The bounds are ours, as for reservations
//! (`reserved_capacity`): at least 30 % of the spend must have been there in every hour, at most 70 % of it is committed, and what
//! other rules would make smaller, stop or delete is no floor. Advice only: nothing is bought here.

use super::View;
use super::reserved_capacity::HOURS_PER_YEAR;
use super::shrinking::{Shrinking, before_a_promise, shrinking};
use crate::cost::bill::PlanOffer;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::HOURS_PER_MONTH;
use crate::finding::Evidence;
use crate::ids::{ResourceId, RuleId};
use crate::mode::Risk;
use crate::observed::Observed;

/// Stable name.
pub(super) const NAME: &str = "savings_plan";

/// A commitment has three decimals of a US dollar.
const COMMITMENT_STEP: f64 = 1_000.0;
/// Products of fractions are not exact: less than this of a step is none.
const ROUNDING: f64 = 1e-6;

/// Finds it.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let Some(Observed::Known(on_demand)) = &view.estate.on_demand else { return Vec::new() };
    let offer = on_demand.plan.known().and_then(Option::as_ref);
    offer.and_then(|offer| advice(view, offer)).into_iter().collect()
}

/// What is advised; nothing where the spend is not stable, too small, or no cheaper under a plan.
fn advice(view: &View<'_>, offer: &PlanOffer) -> Option<Opportunity> {
    let shrinking = shrinking(view);
    let mut first: Vec<&Shrinking<'_>> = Vec::new();
    let mut going = UsdMicros::default();
    for of in &shrinking {
        // Of what is going, but nobody knows how dear, nothing can be promised.
        let hour = *of.computing_hour(view).known()?;
        if hour > UsdMicros::default() {
            going = going + hour;
            first.push(of);
        }
    }
    let (mean, least) = (offer.mean_hour.usd(), (offer.least_hour - going).usd());
    let stable_pct = 100.0 * least / mean;
    let is_cheaper = offer.rate > 0.0 && offer.rate < 1.0;
    if mean <= 0.0 || stable_pct < view.policy.commitment_pct_min || !is_cheaper {
        return None;
    }
    // At prices on demand what is covered, at those of the plan what is committed.
    let wanted = least.min(mean * view.policy.commitment_pct_max / 100.0) * offer.rate;
    let commitment = (wanted.min(offer.commitment_hour.usd()) * COMMITMENT_STEP + ROUNDING).floor() / COMMITMENT_STEP;
    if commitment <= 0.0 {
        return None;
    }
    let covered = commitment / offer.rate;
    let likely = UsdMicros(1_000_000).times((covered - commitment) * HOURS_PER_MONTH);
    // What is too small to be told must not stand in the way of reservations.
    if likely < UsdMicros(1_000_000).times(view.policy.saving_usd_month_min) {
        return None;
    }
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: ResourceId::from("account/savings_plan/compute"),
        name: "Compute Savings Plan".to_owned(),
        summary: format!(
            "EC2, Fargate and Lambda cost at least {least:.3} US dollars on demand in every hour of 60 days, {mean:.3} in the mean: \
             {commitment:.3} an hour could be committed for a year, which covers {covered:.3} of it"
        ),
        evidence: vec![
            Evidence::against(
                "stable_pct",
                stable_pct,
                view.policy.commitment_pct_min,
                "there in every hour, of all that is paid on demand",
            ),
            Evidence::against(
                "coverage_pct",
                100.0 * covered / mean,
                view.policy.commitment_pct_max,
                "committed, of all that is paid on demand",
            ),
            Evidence::level("utilization_pct", (100.0 * least / covered).min(100.0), "in use if the floor stays as it was"),
            Evidence::against("break_even_pct", 100.0 * offer.rate, 100.0, "of it that must be in use to pay"),
            Evidence::level("owed_usd", commitment * HOURS_PER_YEAR, "owed in all if everything is turned off tomorrow"),
        ],
        saving: Observed::Known(Saving { low: UsdMicros::default(), likely, high: likely }),
        risk: Risk::High,
        effort: Effort::Hours,
        confidence: if first.is_empty() { 0.8 } else { 0.6 },
        remedy: Remedy::Advice { what: what(commitment, &first) },
        way_back: "hardly any: it is owed for the whole year, used or not; AWS takes a plan of up to 100 US dollars an hour back within \
                   seven days of the same month"
            .to_owned(),
    })
}

fn what(commitment: f64, first: &[&Shrinking<'_>]) -> String {
    format!(
        "{}A reservation of one family of instances saves more and binds to that family: do not buy both for the same use.\n\
         What AWS advises by itself:\naws ce get-savings-plans-purchase-recommendation --savings-plans-type COMPUTE_SP --term-in-years \
         ONE_YEAR --payment-option NO_UPFRONT --lookback-period-in-days SIXTY_DAYS\nThe offer:\naws savingsplans \
         describe-savings-plans-offerings --plan-types Compute --durations 31536000 --payment-options \"No Upfront\"\nTo buy it, for a \
         year and for good:\naws savingsplans create-savings-plan --savings-plan-offering-id ID --commitment {commitment:.3}",
        before_a_promise(first)
    )
}
