//! Reservations for the stable floor of what an account pays for on demand, in one Region: less an hour, for a promise of
//! a year.
//!
//! The specification wants reserved capacity "for stable load (30–70 %)". That is taken as: at least 30 % of the use must
//! have been there on every day, and at most 70 % of it is committed. What other rules would make smaller, stop or delete
//! is no floor. Advice only: nothing is bought here, and nothing that is bought can be given back.

use super::shrinking::{Shrinking, before_a_promise, shrinking};
use super::{View, savings_plan};
use crate::cost::money::UsdMicros;
use crate::cost::on_demand::{Pool, pools};
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{HOURS_PER_MONTH, Sold};
use crate::finding::Evidence;
use crate::ids::{ResourceId, RuleId};
use crate::mode::Risk;
use crate::observed::Observed;

/// Stable name.
pub(super) const NAME: &str = "reserved_capacity";

/// Hours of the year for which something is promised.
pub(super) const HOURS_PER_YEAR: f64 = 12.0 * HOURS_PER_MONTH;
/// Sums of fractions of hours are not exact: a hundredth of an instance is none.
const ROUNDING: f64 = 0.01;

/// Finds it.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let Some(Observed::Known(on_demand)) = &view.estate.on_demand else { return Vec::new() };
    let pools = pools(on_demand);
    if pools.is_empty() {
        return Vec::new();
    }
    let shrinking = shrinking(view);
    // The same use is committed once: where a plan is advised, it covers the instances.
    let has_plan = !savings_plan::find(view).is_empty();
    let open = pools.iter().filter(|pool| !(has_plan && pool.buys.is_instance()));
    open.filter_map(|pool| advice(view, pool, &shrinking)).collect()
}

/// What is advised for a pool; nothing where its use is not stable, too small to share, or no cheaper when reserved.
fn advice(view: &View<'_>, pool: &Pool, shrinking: &[Shrinking<'_>]) -> Option<Opportunity> {
    let days = f64::from(u32::try_from(pool.by_day.len()).ok()?);
    let mean = pool.by_day.iter().sum::<f64>() / days;
    let least = pool.by_day.iter().copied().min_by(f64::total_cmp)?;
    let first: Vec<&Shrinking<'_>> = shrinking.iter().filter(|of| of.worth(pool) > 0.0).collect();
    let stable = least - first.iter().map(|of| of.worth(pool)).sum::<f64>();
    let stable_pct = 100.0 * stable / mean;
    if mean <= 0.0 || stable_pct < view.policy.commitment_pct_min {
        return None;
    }
    let count = (stable.min(mean * view.policy.commitment_pct_max / 100.0) + ROUNDING).floor();
    if count < 1.0 {
        return None;
    }
    let prices =
        match (unit(view, Sold::OnDemandHour(pool.buys.clone())), unit(view, Sold::ReservedHour(pool.buys.clone()))) {
            (Observed::Known(on_demand), Observed::Known(reserved)) if reserved >= on_demand => return None,
            (Observed::Known(on_demand), Observed::Known(reserved)) => Observed::Known((on_demand, reserved)),
            (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
        };
    let mut evidence = vec![
        Evidence::against(
            "stable_pct",
            stable_pct,
            view.policy.commitment_pct_min,
            "there on every day, of all that is used",
        ),
        Evidence::against(
            "coverage_pct",
            100.0 * count / mean,
            view.policy.commitment_pct_max,
            "committed, of all that is used",
        ),
        Evidence::level("utilization_pct", (100.0 * least / count).min(100.0), "in use if the floor stays as it was"),
    ];
    if let Observed::Known((on_demand, reserved)) = prices {
        let owed = reserved * count * HOURS_PER_YEAR / 1e6;
        evidence.push(Evidence::against(
            "break_even_pct",
            100.0 * reserved / on_demand,
            100.0,
            "of the year that it must be in use to pay",
        ));
        evidence.push(Evidence::level("owed_usd", owed, "owed in all if everything is turned off tomorrow"));
    }
    // The bill has days, not hours: what is there for half a day in twice the number fills a reservation for half of it.
    let saving = prices.map(|(on_demand, reserved)| {
        let likely = UsdMicros(1).times((on_demand - reserved) * count * HOURS_PER_MONTH);
        Saving { low: UsdMicros::default(), likely, high: likely }
    });
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: ResourceId::new(format!("account/reserved/{}", pool.name.replace(' ', "/"))),
        name: pool.name.clone(),
        summary: format!(
            "{}: at least {least:.1} x {} ran on demand on every one of {days} days, {mean:.1} in the mean; {count} could be reserved for a year",
            pool.name, pool.buys_type
        ),
        evidence,
        saving,
        risk: Risk::High,
        effort: Effort::Hours,
        confidence: if first.is_empty() { 0.7 } else { 0.5 },
        remedy: Remedy::Advice { what: what(pool, count, &first) },
        way_back: "none: it is owed for the whole year, used or not".to_owned(),
    })
}

fn unit(view: &View<'_>, sold: Sold) -> Observed<f64> {
    view.prices.unit(&sold).map(|price| price.usd_micros)
}

fn what(pool: &Pool, count: f64, first: &[&Shrinking<'_>]) -> String {
    let mut what = before_a_promise(first);
    if pool.buys.is_instance() {
        what.push_str("A Compute Savings Plan saves less and binds to no family: it may fit better.\n");
    }
    what.push_str(
        "A bill has days, not hours: see that the floor is there at every hour. AWS's own advice looks at hours:\n",
    );
    what.push_str(&commands(pool, count));
    what
}

/// What shows the offer, and what buys it: by a person alone.
fn commands(pool: &Pool, count: f64) -> String {
    let Pool { buys_type, product, .. } = pool;
    let (service, show, buy) = if pool.buys.is_instance() {
        (
            "Amazon Elastic Compute Cloud - Compute",
            format!(
                "aws ec2 describe-reserved-instances-offerings --instance-type {buys_type} --product-description \"{product}\" \
                 --instance-tenancy default --offering-class standard --offering-type \"No Upfront\" --min-duration 31536000 \
                 --max-duration 31536000 --no-include-marketplace --filters Name=scope,Values=Region"
            ),
            format!(
                "aws ec2 purchase-reserved-instances-offering --reserved-instances-offering-id ID --instance-count {count}"
            ),
        )
    } else if pool.buys.is_cache() {
        (
            "Amazon ElastiCache",
            format!(
                "aws elasticache describe-reserved-cache-nodes-offerings --cache-node-type {buys_type} --product-description {product} \
                 --duration 1 --offering-type \"No Upfront\""
            ),
            format!(
                "aws elasticache purchase-reserved-cache-nodes-offering --reserved-cache-nodes-offering-id ID --cache-node-count {count}"
            ),
        )
    } else {
        let zones = if pool.buys.usage_type.starts_with("Multi-AZ") { "--multi-az" } else { "--no-multi-az" };
        (
            "Amazon Relational Database Service",
            format!(
                "aws rds describe-reserved-db-instances-offerings --db-instance-class {buys_type} --product-description {product} \
                 --duration 1 --offering-type \"No Upfront\" {zones}"
            ),
            format!(
                "aws rds purchase-reserved-db-instances-offering --reserved-db-instances-offering-id ID --db-instance-count {count}"
            ),
        )
    };
    format!(
        "aws ce get-reservation-purchase-recommendation --service \"{service}\" --term-in-years ONE_YEAR --payment-option NO_UPFRONT \
         --lookback-period-in-days SIXTY_DAYS\nThe offer:\n{show}\nTo buy it, for a year and for good:\n{buy}"
    )
}
