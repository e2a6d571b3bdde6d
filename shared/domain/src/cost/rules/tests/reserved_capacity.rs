//! Reservations: which use on demand is stable enough, how much of it, and what they are worth.

use super::{a_machine, days_ago};
use crate::cost::bill::{Bill, Line, OnDemandLine};
use crate::cost::estate::{Estate, Item};
use crate::cost::fixture::{NOW, estate, history, item, prices};
use crate::cost::money::UsdMicros;
use crate::cost::on_demand::{Metered, OnDemand};
use crate::cost::opportunity::{Opportunity, Remedy};
use crate::cost::policy::Policy;
use crate::cost::prices::{Meter, PriceBook, PriceSource, Sold, UnitPrice};
use crate::cost::rules;
use crate::cost::usage::{Quantity, Usage};
use crate::observed::{Missing, Observed};
use crate::resource::Live;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::Offset;

fn meter(usage_type: &str, operation: &str) -> Meter {
    Meter { usage_type: usage_type.to_owned(), operation: operation.to_owned() }
}

fn ec2(instance_type: &str) -> Meter {
    meter(&format!("BoxUsage:{instance_type}"), "RunInstances")
}

fn postgres(class: &str) -> Meter {
    meter(&format!("InstanceUsage:{class}"), "CreateDBInstance:0014")
}

/// So many of it on each of 28 days; `count` is asked for each, 0 the oldest.
fn used(meter: Meter, count: impl Fn(u32) -> f64) -> Metered {
    Metered { meter, hours: (0..28).map(|day| 24.0 * count(day)).collect() }
}

fn steady(meter: Meter, count: f64) -> Metered {
    used(meter, move |_| count)
}

/// Prices of an hour on demand and reserved, in millionths of a US dollar.
fn priced(meter: &Meter, on_demand: f64, reserved: f64) -> PriceBook {
    let price = |usd_micros| Observed::Known(UnitPrice { usd_micros, from: PriceSource::List });
    let units = vec![
        (Sold::OnDemandHour(meter.clone()), price(on_demand)),
        (Sold::ReservedHour(meter.clone()), price(reserved)),
    ];
    PriceBook { units }
}

fn advised(meters: Vec<Metered>, book: PriceBook) -> Vec<Opportunity> {
    with(meters, book, Vec::new(), Vec::new())
}

fn with(meters: Vec<Metered>, book: PriceBook, items: Vec<Item>, usage: Vec<Usage>) -> Vec<Opportunity> {
    let on_demand = OnDemand { from: Date::constant(2025, 12, 6), days: 28, meters, plan: Observed::Known(None) };
    let estate = Estate { items, usage, on_demand: Some(Observed::Known(on_demand)), ..estate() };
    let found = rules::find(&estate, &Policy::default(), &prices().or(book));
    found.into_iter().filter(|one| one.rule.as_str() == super::super::reserved_capacity::NAME).collect()
}

/// How many are advised, by the number that the command buys.
fn bought(found: &[Opportunity]) -> Option<u32> {
    let Remedy::Advice { what } = &found.first()?.remedy else { return None };
    what.rsplit(' ').next()?.parse().ok()
}

/// The command's number for this use of one type.
fn count(metered: Metered) -> Option<u32> {
    let book = priced(&metered.meter, 115_000.0, 72_450.0);
    bought(&advised(vec![metered], book))
}

#[test]
fn at_most_seventy_per_cent_of_what_is_always_there_is_committed() {
    let large = || ec2("m5.large");
    assert_eq!(count(steady(large(), 10.0)), Some(7));
    assert_eq!(count(steady(large(), 2.0)), Some(1));
    assert_eq!(count(steady(large(), 1.0)), None, "all of it would be committed");
    // The floor is the least day: 5 of 10 in the mean, or nothing.
    assert_eq!(count(used(large(), |day| if day % 2 == 0 { 5.0 } else { 15.0 })), Some(5));
    assert_eq!(count(used(large(), |day| if day == 13 { 0.0 } else { 10.0 })), None, "one day without it");
    // 30 per cent on every day: 3 of 10 in the mean are, 2.9 are not.
    let bursty = |least: f64| used(large(), move |day| if day % 2 == 0 { least } else { 20.0 - least });
    assert_eq!(count(bursty(3.0)), Some(3));
    assert_eq!(count(bursty(2.9)), None);
}

#[test]
fn a_reservation_counts_for_all_sizes_of_its_family() {
    // 1 x 4xlarge is worth 8 x large, of which 70 per cent are five.
    let book = priced(&ec2("m5.large"), 115_000.0, 72_450.0);
    let found = advised(vec![steady(ec2("m5.4xlarge"), 1.0)], book.clone());
    assert_eq!((bought(&found), found[0].name.as_str()), (Some(5), "m5"));
    // What is large on one day and twice xlarge less on the next is one floor.
    let alternating = vec![
        used(ec2("m5.large"), |day| if day % 2 == 0 { 8.0 } else { 0.0 }),
        used(ec2("m5.2xlarge"), |day| if day % 2 == 0 { 0.0 } else { 2.0 }),
    ];
    assert_eq!(bought(&advised(alternating, book.clone())), Some(5));
    // Families, engines and deployments do not help each other out.
    for (other, name) in
        [(ec2("m6i.large"), "another family"), (meter("BoxUsage:m5.large", "RunInstances:0002"), "Windows")]
    {
        let halves = vec![
            used(ec2("m5.large"), |day| if day % 2 == 0 { 4.0 } else { 0.0 }),
            used(other, |day| if day % 2 == 0 { 0.0 } else { 4.0 }),
        ];
        assert_eq!(advised(halves, book.clone()), [], "{name}");
    }
    // Families without flexible sizes: each type by itself, and what it is bought as.
    let g5 = ec2("g5.4xlarge");
    let found = advised(vec![steady(g5.clone(), 2.0)], priced(&g5, 2_000_000.0, 1_300_000.0));
    assert_eq!((bought(&found), found[0].name.as_str()), (Some(1), "g5.4xlarge"));
}

#[test]
fn what_no_reservation_here_is_for_makes_no_claim() {
    for (usage_type, operation) in [
        ("BoxUsage:m5.large", "RunInstances:0002"),
        ("SpotUsage:m5.large", "RunInstances"),
        ("DedicatedUsage:m5.large", "RunInstances"),
        ("InstanceUsage:db.r6g.large", "CreateDBInstance:0005"),
        ("InstanceUsageIOOptimized:db.r6g.large", "CreateDBInstance:0021"),
        ("Aurora:ServerlessV2Usage", "CreateDBInstance:0021"),
        ("NodeUsage:dax.r4.large", "CreateCacheCluster:0002"),
        ("EBS:VolumeUsage.gp3", "CreateVolume-Gp3"),
    ] {
        assert_eq!(count(steady(meter(usage_type, operation), 10.0)), None, "{usage_type} {operation}");
    }
}

#[test]
fn the_saving_is_the_difference_of_the_prices_and_the_evidence_says_what_is_at_stake() {
    let large = ec2("m5.large");
    let found = advised(vec![steady(large.clone(), 10.0)], priced(&large, 100_000.0, 63_000.0)).remove(0);
    let saving = *found.saving.known().unwrap();
    // 7 x 730 h x 0.037 USD.
    assert_eq!(
        (saving.low, saving.likely, saving.high),
        (UsdMicros(0), UsdMicros(189_070_000), UsdMicros(189_070_000))
    );
    let value = |name: &str| found.evidence.iter().find(|of| of.signal.as_str() == name).unwrap().value;
    for (name, expected) in [
        ("stable_pct", 100.0),
        ("coverage_pct", 70.0),
        ("utilization_pct", 100.0),
        ("break_even_pct", 63.0),
        ("owed_usd", 3_863.16),
    ] {
        assert!((value(name) - expected).abs() < 1e-6, "{name}: {}", value(name));
    }
    assert_eq!(advised(vec![steady(large.clone(), 10.0)], priced(&large, 100_000.0, 100_000.0)), [], "no cheaper");
    let unpriced = advised(vec![steady(large, 10.0)], PriceBook::default()).remove(0);
    assert!(unpriced.saving.is_missing() && unpriced.evidence.len() == 3, "{unpriced:?}");
}

#[test]
fn commands_name_the_product_as_its_service_does() {
    let multi = meter("Multi-AZUsage:db.r6g.2xl", "CreateDBInstance:0014");
    let cache = meter("NodeUsage:cache.r6g.xlarge", "CreateCacheCluster:Valkey");
    for (metered, needed) in [
        (steady(ec2("c7g.xlarge"), 4.0), "--instance-type c7g.large --product-description \"Linux/UNIX\""),
        (steady(multi, 4.0), "--db-instance-class db.r6g.large --product-description postgresql"),
        (steady(postgres("db.t4g.micro"), 4.0), "--db-instance-class db.t4g.micro --product-description postgresql"),
        (steady(cache, 4.0), "--cache-node-type cache.r6g.large --product-description valkey"),
        (steady(ec2("i3.2xlarge"), 4.0), "--instance-type i3.2xlarge "),
        (steady(postgres("db.x2g.2xl"), 4.0), "--db-instance-class db.x2g.2xlarge "),
    ] {
        let found = advised(vec![metered.clone()], PriceBook::default());
        let Remedy::Advice { what } = &found[0].remedy else { panic!("{metered:?}") };
        assert!(what.contains(needed), "{what}");
    }
}

#[test]
fn what_will_be_made_smaller_is_no_floor() {
    let idle = |hour: i64| Some(if hour % 24 == 12 { 12.0 } else { 6.0 });
    let machines: Vec<Item> = (0..4)
        .map(|number| item(&format!("instance/i-{number}"), Live::Machine(a_machine("m5.xlarge"))))
        .map(|it| Item { created_at: Some(days_ago(400)), ..it })
        .collect();
    let usage = |of: &Item| {
        [
            history(of, Quantity::CpuPct, idle),
            history(of, Quantity::MemoryPct, |_| Some(20.0)),
            history(of, Quantity::NetworkBytes, |_| Some(1e6)),
        ]
    };
    // Ten xlarge are twenty large; four of them, all too large, are eight.
    let book = priced(&ec2("m5.large"), 115_000.0, 72_450.0);
    let meters = || vec![steady(ec2("m5.xlarge"), 10.0)];
    assert_eq!(bought(&with(meters(), book.clone(), Vec::new(), Vec::new())), Some(14));
    let histories: Vec<Usage> = machines.iter().flat_map(usage).collect();
    let found = with(meters(), book, machines, histories);
    assert_eq!(bought(&found), Some(12));
    let Remedy::Advice { what } = &found[0].remedy else { panic!("{found:?}") };
    assert!(what.contains("i-3 (oversized_machine"), "{what}");
}

/// A bill of thirty days, the last two of which may still change, with three instances on each.
fn bill() -> Bill {
    let to = Offset::UTC.to_datetime(NOW).date();
    let days = (1..=30).rev().map(|back: i64| to.checked_sub(back.days()).unwrap());
    let line = |day: Date| Line {
        day,
        service: "Amazon Elastic Compute Cloud - Compute".to_owned(),
        usage_type: "EUC1-BoxUsage:m5.large".to_owned(),
        cost: UsdMicros(8_280_000),
        quantity: 72.0,
        unit: "Hrs".to_owned(),
        is_estimated: to.checked_sub(2.days()).unwrap() <= day,
    };
    let lines: Vec<Line> = days.map(line).collect();
    let of = |line: &Line| OnDemandLine {
        day: line.day,
        usage_type: line.usage_type.clone(),
        operation: "RunInstances".to_owned(),
        cost: line.cost,
        hours: line.quantity,
    };
    let on_demand = Some(lines.iter().map(of).collect());
    let from = to.checked_sub(30.days()).unwrap();
    Bill {
        from,
        to,
        currency: "USD".to_owned(),
        lines,
        by_app: Vec::new(),
        on_demand,
        plan: Observed::Known(None),
        calls: 3,
    }
}

fn of_bill(bill: &Bill) -> Observed<OnDemand> {
    OnDemand::of_bill(bill, "EUC1-", &Policy::default(), Offset::UTC.to_datetime(NOW).date())
}

#[test]
fn whole_days_of_the_bill_in_the_region_are_what_counts() {
    let known = of_bill(&bill());
    let on_demand = known.known().unwrap();
    assert_eq!((on_demand.days, on_demand.meters.len()), (28, 1));
    assert_eq!(on_demand.meters[0], steady(ec2("m5.large"), 3.0));
    let mut elsewhere = bill();
    for line in elsewhere.on_demand.iter_mut().flatten() {
        line.usage_type = line.usage_type.replace("EUC1", "USW2");
    }
    assert_eq!(of_bill(&elsewhere).known().unwrap().meters, []);
    let mut gap = bill();
    gap.on_demand.as_mut().unwrap().remove(5);
    assert!(of_bill(&gap).known().unwrap().meters[0].hours[5] < 1e-9, "a day without a line is one without use");
}

#[test]
fn too_little_of_a_bill_is_no_claim_and_says_why() {
    let short = |days: i64| {
        let bill = bill();
        let from = bill.from.checked_add((28 - days).days()).unwrap();
        Bill { from, ..bill }
    };
    assert!(!of_bill(&short(28)).is_missing());
    for (bill, why) in [
        (short(27), "27 whole days"),
        (Bill { currency: "EUR".to_owned(), ..bill() }, "in EUR"),
        (Bill { on_demand: None, ..bill() }, "without what is paid on demand"),
        (Bill { lines: Vec::new(), on_demand: Some(Vec::new()), ..bill() }, "nothing was charged"),
    ] {
        let Observed::Missing(Missing::Failed(said)) = of_bill(&bill) else { panic!("{why}") };
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn the_price_on_demand_is_that_of_the_bill_without_what_is_covered() {
    let mut bill = bill();
    // A free tier is no price, and Windows is another meter.
    let lines = bill.on_demand.as_mut().unwrap();
    let more = |operation: &str, cost| OnDemandLine { operation: operation.to_owned(), cost, ..lines[0].clone() };
    let more = [more("RunInstances", UsdMicros(0)), more("RunInstances:0002", UsdMicros(15_000_000))];
    lines.extend(more);
    let wanted = [Sold::OnDemandHour(ec2("m5.large")), Sold::ReservedHour(ec2("m5.large"))];
    let book = PriceBook::of_bill(&bill, &wanted, "EUC1-");
    assert_eq!(book.unit(&wanted[0]).known().map(|price| price.usd_micros), Some(115_000.0));
    assert!(book.unit(&wanted[1]).is_missing(), "reservations have usage types of their own");
}
