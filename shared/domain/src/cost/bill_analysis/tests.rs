//! Bills on both sides of every bound, and what holds for all of them.

use super::*;
use crate::cost::bill::AppLine;
use crate::observed::Observed;
use jiff::civil::date;
use proptest::prelude::*;

const TODAY: Date = Date::constant(2026, 11, 27);

fn line(day: Date, service: &str, usage_type: &str, cents: i64) -> Line {
    Line {
        day,
        service: service.to_owned(),
        usage_type: usage_type.to_owned(),
        cost: UsdMicros(cents * 10_000),
        quantity: 1.0,
        unit: "Hrs".to_owned(),
        is_estimated: false,
    }
}

/// So many days that end yesterday, with this much a day for EC2.
fn bill(days: i64, cents: impl Fn(i64) -> i64) -> Bill {
    let from = TODAY.checked_sub(days.days()).unwrap();
    let lines =
        (0..days).map(|day| line(from.checked_add(day.days()).unwrap(), "EC2", "BoxUsage:m5.large", cents(day)));
    Bill {
        from,
        to: TODAY,
        currency: "USD".to_owned(),
        lines: lines.collect(),
        by_app: Vec::new(),
        on_demand: None,
        plan: Observed::Known(None),
        calls: 0,
    }
}

fn of(bill: &Bill) -> BillAnalysis {
    analyse(bill, &Policy::default(), TODAY)
}

fn usd_cents(cents: i64) -> UsdMicros {
    UsdMicros(cents * 10_000)
}

#[test]
fn other_currencies_and_empty_bills_get_one_sentence_and_no_number() {
    let euros = Bill { currency: "EUR".to_owned(), ..bill(28, |_| 100) };
    let empty = Bill { lines: Vec::new(), ..bill(28, |_| 0) };
    let only_credits = bill(28, |_| -100);
    let not_begun = Bill { from: TODAY, to: TODAY, ..bill(28, |_| 100) };
    for (bill, word) in [(euros, "EUR"), (empty, "nothing"), (only_credits, "nothing"), (not_begun, "no whole day")] {
        let found = of(&bill);
        assert!(found.notes.len() == 1 && found.notes[0].contains(word), "{found:?}");
        assert_eq!(BillAnalysis { notes: Vec::new(), ..found }, BillAnalysis::default());
    }
}

#[test]
fn charges_and_credits_stand_apart() {
    let mut bill = bill(28, |_| 1_000);
    bill.lines.push(line(date(2026, 11, 20), "S3", "TimedStorage-ByteHrs", 5_000));
    bill.lines.push(line(date(2026, 11, 21), "EC2", "Credit", -7_000));
    let found = of(&bill);
    assert_eq!((found.total, found.credits), (usd_cents(33_000), usd_cents(-7_000)));
    let names: Vec<&str> = found.by_service.iter().map(|(service, _)| service.as_str()).collect();
    assert_eq!(names, ["EC2", "S3"]);
    assert_eq!(found.days, Some((date(2026, 10, 30), date(2026, 11, 26))));
}

#[test]
fn days_that_still_move_do_not_count() {
    let mut bill = bill(28, |_| 1_000);
    // All of November is called an estimate; only the last two days move.
    for line in bill.lines.iter_mut().filter(|line| line.day >= date(2026, 11, 1)) {
        line.is_estimated = true;
    }
    bill.lines.push(line(TODAY, "EC2", "BoxUsage:m5.large", 10));
    bill.to = date(2026, 11, 28);
    assert_eq!(of(&bill).days, Some((date(2026, 10, 30), date(2026, 11, 24))));
    bill.lines.iter_mut().for_each(|line| line.is_estimated = false);
    assert_eq!(of(&bill).days.unwrap().1, date(2026, 11, 26), "today is not over");
}

#[test]
fn a_steep_week_names_what_drove_it() {
    let week = |cents: i64| of(&bill(28, |day| if day >= 21 { cents } else { 1_000 })).week.unwrap();
    let (at, over) = (week(1_300), week(1_301));
    assert!(!at.is_steep && at.drivers.is_empty() && over.is_steep);
    assert!((over.growth_pct.unwrap() - 30.1).abs() < 1e-9);
    let mut several = bill(28, |_| 1_000);
    for (kind, cents) in [("NatGateway-Bytes", 9_000), ("DataTransfer-Out", 3_000), ("Requests", 100)] {
        several.lines.push(line(date(2026, 11, 24), "EC2 - Other", kind, cents));
    }
    let found = of(&several).week.unwrap();
    let names: Vec<&str> = found.drivers.iter().map(|driver| driver.usage_type.as_str()).collect();
    assert_eq!(names, ["NatGateway-Bytes", "DataTransfer-Out"], "they make up four fifths of the growth");
    let fresh = of(&bill(28, |day| if day >= 21 { 500 } else { 0 })).week.unwrap();
    assert!(fresh.growth_pct.is_none() && fresh.is_steep && fresh.drivers.len() == 1);
    let short = of(&bill(13, |_| 1_000));
    assert!(short.week.is_none() && short.notes[0].contains("the 13 of this bill"), "{:?}", short.notes);
    assert!(of(&bill(14, |_| 1_000)).week.is_some());
}

#[test]
fn the_forecast_is_what_is_spent_and_the_median_day_for_the_rest() {
    let found = of(&bill(28, |_| 1_000)).forecast.unwrap();
    assert_eq!((found.spent, found.days_left), (usd_cents(26_000), 4));
    assert_eq!((found.low, found.likely, found.high), (usd_cents(30_000), usd_cents(30_000), usd_cents(30_000)));
    // A fee on the first is spent, and not multiplied: the first of November is the third day.
    let fee = of(&bill(28, |day| if day == 2 { 51_000 } else { 1_000 })).forecast.unwrap();
    assert_eq!(fee.likely, usd_cents(80_000));
    // Days of 9 and 11 USD in turn: median 10, MAD 1, σ 1.4826.
    let varied = of(&bill(28, |day| if day % 2 == 0 { 900 } else { 1_100 })).forecast.unwrap();
    let error = 1.96 * 1.482_602_218_505_602 * (4.0_f64 + 16.0 * std::f64::consts::PI / 56.0).sqrt();
    assert!((usd(varied.high - varied.likely) - error).abs() < 1e-5, "{varied:?}");
    assert!(of(&bill(6, |_| 1_000)).forecast.is_none() && of(&bill(7, |_| 1_000)).forecast.is_some());
}

#[test]
fn the_budget_is_compared_with_spent_likely_and_high() {
    let varied = bill(28, |day| if day % 2 == 0 { 900 } else { 1_100 });
    let outlook = |budget_usd_month: f64| {
        let policy = Policy { budget_usd_month, ..Policy::default() };
        analyse(&varied, &policy, TODAY).budget.map(|budget| budget.outlook)
    };
    assert_eq!(outlook(0.0), None);
    assert_eq!(outlook(310.0), Some(Outlook::Within));
    assert_eq!(outlook(302.0), Some(Outlook::MayExceed));
    assert_eq!(outlook(299.0), Some(Outlook::LikelyExceeds));
    assert_eq!(outlook(259.0), Some(Outlook::Exceeded));
}

#[test]
fn a_day_stands_out_beside_its_own_weekday() {
    // Weekends cost a tenth; the 26th, a Thursday, is the 28th day.
    let weekly = |day: i64| if (day + 4) % 7 >= 5 { 1_000 } else { 10_000 };
    assert!(of(&bill(28, weekly)).anomalies.is_empty());
    let with = |cents: i64| of(&bill(28, move |day| if day == 27 { cents } else { weekly(day) })).anomalies;
    assert!(with(12_400).is_empty(), "a quarter more is nothing yet");
    let found = with(13_000);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].day, found[0].usual), (date(2026, 11, 26), usd_cents(10_000)));
    assert!(with(0)[0].z < 0.0, "less than usual, too");
    let old = of(&bill(28, |day| if day == 15 { 90_000 } else { 10_000 }));
    assert!(old.anomalies.is_empty(), "what is over a week ago was told then");
    let cents = of(&bill(28, |day| if day == 27 { 99 } else { 0 }));
    assert!(cents.anomalies.is_empty(), "less than a dollar");
    assert!(of(&bill(14, |day| if day == 13 { 90_000 } else { 10_000 })).anomalies.is_empty(), "one other Thursday");
}

#[test]
fn what_carries_no_tag_is_a_share_of_the_charges_by_application() {
    let app = |app: &str, cents: i64| AppLine {
        day: date(2026, 11, 20),
        app: app.to_owned(),
        usage_type: "BoxUsage:m5.large".to_owned(),
        cost: usd_cents(cents),
        quantity: 1.0,
        unit: "Hrs".to_owned(),
    };
    let tagged = Bill { by_app: vec![app("shop", 300), app("", 100), app("", -50)], ..bill(28, |_| 1_000) };
    assert_eq!(of(&tagged).untagged_pct, Some(25.0));
    assert_eq!(of(&bill(28, |_| 1_000)).untagged_pct, None, "the bill does not tell");
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    prop::collection::vec((0_i64..40, 0_usize..3, -500_i64..20_000, any::<bool>()), 1..80).prop_map(|all| {
        let one = |(day, service, cents, is_estimated): (i64, usize, i64, bool)| Line {
            is_estimated,
            ..line(date(2026, 10, 20).checked_add(day.days()).unwrap(), ["EC2", "S3", "RDS"][service], "use", cents)
        };
        all.into_iter().map(one).collect()
    })
}

fn any_bill() -> impl Strategy<Value = Bill> {
    lines().prop_map(|lines| Bill { from: date(2026, 10, 20), to: date(2026, 11, 29), lines, ..bill(1, |_| 1) })
}

proptest! {
    #[test]
    fn prop_the_order_of_lines_does_not_matter(bill in any_bill()) {
        let mut other = bill.clone();
        other.lines.reverse();
        prop_assert_eq!(of(&bill), of(&other));
    }

    #[test]
    fn prop_amounts_add_up_and_intervals_are_in_order(bill in any_bill()) {
        let found = of(&bill);
        let services: UsdMicros = found.by_service.iter().map(|(_, cost)| *cost).sum();
        prop_assert_eq!(found.total, services);
        if let Some((from, last)) = found.days {
            let all: UsdMicros =
                bill.lines.iter().filter(|line| line.day >= from && line.day <= last).map(|line| line.cost).sum();
            prop_assert_eq!(found.total + found.credits, all);
        }
        prop_assert!(found.credits.0 <= 0);
        if let Some(forecast) = found.forecast {
            prop_assert!(forecast.spent <= forecast.low && forecast.low <= forecast.likely);
            prop_assert!(forecast.likely <= forecast.high);
        }
    }

    #[test]
    fn prop_credits_change_neither_growth_nor_forecast(bill in any_bill(), cents in 1_i64..100_000) {
        let mut credited = bill.clone();
        credited.lines.push(line(date(2026, 11, 10), "EC2", "use", -cents));
        let (plain, credited) = (of(&bill), of(&credited));
        prop_assert_eq!(plain.week, credited.week);
        prop_assert_eq!(plain.forecast, credited.forecast);
        prop_assert_eq!(plain.anomalies, credited.anomalies);
    }
}
