//! Use on demand that a reservation would make cheaper, and use that it would not.

use super::{Fact, Made, Verdict};
use domain::cost::bill::PlanOffer;
use domain::cost::money::UsdMicros;
use domain::cost::on_demand::{Metered, OnDemand, pools};
use domain::cost::prices::{Meter, Sold};
use domain::ids::ResourceId;
use domain::observed::Observed;
use jiff::civil::Date;

const RULE: &str = "reserved_capacity";
const PLAN: &str = "savings_plan";
/// Days of a bill of thirty that do not change any more.
const DAYS: usize = 28;
/// Repetitions for which there are families of their own.
const REPETITIONS: usize = 54;
/// Ends of family names, one for each story, so that none shares its pool with another one.
const STORIES: [&str; 9] = ["a", "b", "d", "e", "f", "g", "h", "k", "n"];
/// The story in which a reservation is no cheaper, and the one in which its price is not known.
const DEAR: &str = "k";
const UNPRICED: &str = "n";

/// A bill's use on demand, with what AWS says of a Savings Plan.
pub(super) fn on_demand(meters: Vec<Metered>, plan: Option<PlanOffer>) -> OnDemand {
    OnDemand { from: Date::constant(2026, 1, 1), days: DAYS, meters, plan: Observed::Known(plan) }
}

/// Unit prices of what is made here.
pub(super) fn prices() -> Vec<(Sold, f64)> {
    let of = |(story, repetition)| {
        let meter = meter(story, repetition, "large");
        let reserved = match story {
            DEAR => Some(100_000.0),
            UNPRICED => None,
            _ => Some(63_000.0),
        };
        let reserved = reserved.map(|price| (Sold::ReservedHour(meter.clone()), price));
        std::iter::once((Sold::OnDemandHour(meter), 100_000.0)).chain(reserved)
    };
    let all = STORIES.into_iter().flat_map(|story| (0..REPETITIONS).map(move |repetition| (story, repetition)));
    all.flat_map(of).collect()
}

/// What is counted: instances, databases and nodes in turn.
fn meter(story: &str, repetition: usize, size: &str) -> Meter {
    let kind = ["c", "m", "r"][repetition / 3 % 3];
    let family = format!("{kind}{}{story}", 3 + repetition / 9 % 6);
    let (usage_type, operation) = match repetition % 3 {
        0 => (format!("BoxUsage:{family}.{size}"), "RunInstances"),
        1 => (format!("InstanceUsage:db.{family}.{}", size.replace("xlarge", "xl")), "CreateDBInstance:0014"),
        _ => (format!("NodeUsage:cache.{family}.{size}"), "CreateCacheCluster:0002"),
    };
    Meter { usage_type, operation: operation.to_owned() }
}

/// So many of it on each day.
fn used(meter: Meter, count: impl FnMut(usize) -> f64) -> Metered {
    Metered { meter, hours: (0..DAYS).map(count).map(|count| 24.0 * count).collect() }
}

pub(super) fn add(made: &mut Made, repetition: usize) {
    if repetition >= REPETITIONS {
        return;
    }
    let base = f64::from(made.rng.u32(4..12));
    let noise: Vec<f64> = (0..DAYS).map(|_| made.rng.f64()).collect();
    let of = |story, size| meter(story, repetition, size);
    put(made, Verdict::Waste, "always as many", vec![used(of("a", "2xlarge"), |_| base)]);
    put(made, Verdict::Waste, "more on some days", vec![used(of("b", "large"), |day| base * (1.0 + noise[day]))]);
    let turns = vec![
        used(of("d", "large"), |day| if noise[day] < 0.5 { 2.0 * base } else { 0.0 }),
        used(of("d", "xlarge"), |day| if noise[day] < 0.5 { 0.0 } else { base }),
    ];
    put(made, Verdict::Waste, "two sizes take turns", turns);
    let gone = made.rng.usize(0..DAYS);
    put(
        made,
        Verdict::Innocent,
        "gone on one day",
        vec![used(of("e", "large"), |day| if day == gone { 0.0 } else { base })],
    );
    let seldom = vec![used(of("f", "large"), |day| if day % 7 == 0 { 1.0 } else { base + 2.0 })];
    put(made, Verdict::Innocent, "little of it on each day", seldom);
    put(made, Verdict::Innocent, "a single one: all would be committed", vec![used(of("g", "large"), |_| 1.0)]);
    let licensed = Meter {
        operation: ["RunInstances:0002", "CreateDBInstance:0005"][repetition % 2].to_owned(),
        ..of("h", "large")
    };
    put(made, Verdict::Innocent, "with a licence", vec![used(licensed, |_| base)]);
    put(made, Verdict::Innocent, "no cheaper when reserved", vec![used(of(DEAR, "xlarge"), |_| base)]);
    put(made, Verdict::Unproven, "no price of a reservation", vec![used(of(UNPRICED, "xlarge"), |_| base)]);
}

/// What AWS says of a Savings Plan: an account has one, so its story is the seed's.
pub(super) fn plan(made: &mut Made) {
    // Far more an hour than anything else that is made here costs, so that what shrinks is no part of the story.
    let mean = 100_000.0 * (1.0 + made.rng.f64());
    let offer = |least: f64, rate: f64| {
        let hour = |usd: f64| UsdMicros(1_000_000).times(usd);
        PlanOffer { least_hour: hour(least), mean_hour: hour(mean), commitment_hour: hour(mean * rate), rate }
    };
    let (verdict, story, offer) = match made.rng.usize(0..5) {
        0 => return,
        1 => (Verdict::Innocent, "hardly anything at night", offer(0.2 * mean, 0.72)),
        2 => (Verdict::Innocent, "no cheaper under a plan", offer(mean, 1.0)),
        3 => (Verdict::Waste, "half of it in every hour", offer(0.6 * mean, 0.72)),
        _ => (Verdict::Waste, "the same in every hour", offer(mean, 0.66)),
    };
    made.plan = Some(offer);
    made.facts.push(Fact { resource: ResourceId::from("account/savings_plan/compute"), rule: PLAN, verdict, story });
}

fn put(made: &mut Made, verdict: Verdict, story: &'static str, meters: Vec<Metered>) {
    let has_plan = made.facts.iter().any(|fact| fact.rule == PLAN && fact.verdict == Verdict::Waste);
    let is_covered = has_plan && meters.iter().all(|metered| metered.meter.is_instance());
    let (verdict, story) = if is_covered { (Verdict::Innocent, "covered by a plan") } else { (verdict, story) };
    let use_of_it = on_demand(meters, None);
    // What is in no pool has no name but that of its meter.
    let name = match pools(&use_of_it).first() {
        Some(pool) => pool.name.replace(' ', "/"),
        None => use_of_it.meters[0].meter.usage_type.clone(),
    };
    let resource = ResourceId::new(format!("account/reserved/{name}"));
    made.facts.push(Fact { resource, rule: RULE, verdict, story });
    made.meters.extend(use_of_it.meters);
}
