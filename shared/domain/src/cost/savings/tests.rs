use super::*;
use crate::cost::bill::{AppLine, Line};
use crate::cost::fixture::volume;
use crate::observed::Observed;
use crate::resource::Address;
use jiff::ToSpan;
use jiff::civil::date;

/// The day on which the bill is read.
const TODAY: Date = date(2026, 11, 27);
const GP2: &str = "EBS:VolumeUsage.gp2";
const GP3: &str = "EBS:VolumeUsage.gp3";

fn days_ago(days: i64) -> Date {
    TODAY.checked_sub(days.days()).unwrap()
}

/// Thirty days in which so many GiB of each type are stored, at ten and eight cents a month; `of_app` of them carry the tag.
fn bill(stored: impl Fn(&str, i64) -> f64, of_app: impl Fn(&str, i64) -> f64) -> Bill {
    let (mut lines, mut by_app) = (Vec::new(), Vec::new());
    for ago in (0..30).rev() {
        let day = days_ago(ago);
        let months = |gib: f64| gib / f64::from(day.days_in_month());
        for (usage_type, usd) in [(GP2, 0.1), (GP3, 0.08)] {
            let (usage_type, unit) = (usage_type.to_owned(), "GB-Mo".to_owned());
            let cost = |quantity: f64| UsdMicros(1_000_000).times(quantity * usd);
            let own = months(of_app(&usage_type, ago));
            if own > 0.0 {
                by_app.push(AppLine {
                    day,
                    app: "shop".to_owned(),
                    usage_type: usage_type.clone(),
                    cost: cost(own),
                    quantity: own,
                    unit: unit.clone(),
                });
            }
            let quantity = months(stored(&usage_type, ago));
            lines.push(Line {
                day,
                service: "EC2 - Other".to_owned(),
                usage_type,
                cost: cost(quantity),
                quantity,
                unit,
                is_estimated: ago < 2,
            });
        }
    }
    Bill {
        from: days_ago(29),
        to: TODAY,
        currency: "USD".to_owned(),
        lines,
        by_app,
        on_demand: None,
        plan: Observed::Known(None),
        calls: 2,
    }
}

fn gp3(name: &str, gib: u32, ago: i64) -> Made {
    Made {
        execution: ExecutionId::from("cost-1"),
        iteration: 1,
        id: ChangeId::from(name),
        resource: ResourceId::from(name),
        action: Action::SetVolumeType {
            volume: name.to_owned(),
            volume_type: "gp3".to_owned(),
            iops: 3_000,
            throughput_mibps: 125,
        },
        prior: Live::Volume(volume("gp2", gib, &["i-1"])),
        expected: UsdMicros(20_000).times(f64::from(gib)),
        on: days_ago(ago),
        until: None,
        is_tagged: true,
    }
}

fn told(made: &[Made], bill: Observed<Bill>, traffic: &[Option<f64>]) -> Savings {
    let app = AppId::from("shop");
    let reading = Reading { app: &app, region_prefix: "", traffic, today: TODAY };
    savings(made, &[], &bill, &PriceBook::default(), &reading)
}

/// What is stored where `gib` of gp2 became gp3 so many days ago, beside a thousand GiB of each.
fn moved(gib: f64, on: i64) -> impl Fn(&str, i64) -> f64 {
    move |usage_type, ago| {
        let part = if ago == on { 0.5 } else { f64::from(u8::from(ago < on)) };
        1_000.0 + gib * if usage_type == GP2 { 1.0 - part } else { part }
    }
}

#[test]
fn the_bill_shows_what_a_cheaper_type_saves_and_nothing_that_was_not_done() {
    let made = [gp3("vol-1", 500, 10)];
    let done = told(&made, Observed::Known(bill(moved(500.0, 10), |_, _| 0.0)), &[]);
    let Observed::Known(shown) = done.changes[0].verified else { panic!("{:?}", done.changes[0].verified) };
    // 500 GiB at 0.10 and then at 0.08 USD.
    assert_eq!(
        (shown.saving.low.cents(), shown.saving.likely.cents(), shown.saving.high.cents()),
        (1_000, 1_000, 1_000)
    );
    assert_eq!((shown.basis, shown.days_before, shown.days_after), (Basis::Account, 19, 8));
    assert_eq!(
        done.changes[0].to_string(),
        "set_volume_type on vol-1 (2026-11-17): 10.00 USD a month promised, 10.00 on the bill (10.00 to 10.00, the whole \
         account's lines, 19 whole days before and 8 after)"
    );
    assert_eq!(done.sums.to_string(), "identified 10.00, applied 10.00, verified on the bill 10.00 USD a month");
    let usd = UsdMicros(10_000_000);
    assert_eq!((done.sums.identified, done.sums.applied), (usd, usd));
    assert_eq!((done.sums.verified.cents(), done.sums.open), (1_000, UsdMicros(0)));
    // The change is in the journal, but the volume is still paid for as before.
    let lied = told(&made, Observed::Known(bill(|_, _| 1_000.0, |_, _| 0.0)), &[]);
    let Observed::Known(shown) = lied.changes[0].verified else { panic!("{:?}", lied.changes[0].verified) };
    assert_eq!((shown.saving.likely, shown.is_certain(), lied.sums.verified), (UsdMicros(0), false, UsdMicros(0)));
}

#[test]
fn the_application_s_own_lines_are_looked_at_where_its_tag_is_on_the_bill() {
    // The account wavers by much more than the volume has.
    let wavering = |usage_type: &str, ago: i64| {
        moved(500.0, 10)(usage_type, ago) + 4_000.0 * f64::from(u8::try_from((ago * 7) % 5).unwrap())
    };
    let made = [gp3("vol-1", 500, 10)];
    let own = |usage_type: &str, ago| moved(500.0, 10)(usage_type, ago) - 1_000.0;
    let of_app = told(&made, Observed::Known(bill(wavering, own)), &[]);
    let Observed::Known(shown) = of_app.changes[0].verified else { panic!("{:?}", of_app.changes[0].verified) };
    assert_eq!((shown.basis, shown.saving.likely.cents()), (Basis::Application, 1_000));
    let untagged = Made { is_tagged: false, ..made[0].clone() };
    let of_account = told(&[untagged], Observed::Known(bill(wavering, own)), &[]);
    assert_eq!(
        of_account.changes[0].verified.known().unwrap().basis,
        Basis::Account,
        "its lines are not the application's"
    );
    // A tag that came onto the bill later would look like volumes that came to be.
    let mut late = bill(wavering, own);
    late.by_app.retain(|line| line.day > days_ago(20));
    let of_account = told(&made, Observed::Known(late), &[]);
    let Observed::Known(shown) = of_account.changes[0].verified else { panic!("{:?}", of_account.changes[0].verified) };
    assert_eq!((shown.basis, shown.is_certain()), (Basis::Account, false), "{shown:?}");
    assert_eq!(of_account.sums.verified, UsdMicros(0), "what the bill can't tell is no verified saving");
}

#[test]
fn a_change_never_saves_more_than_it_moved_whatever_else_goes_away() {
    let more = |usage_type: &str, ago| moved(500.0, 10)(usage_type, ago) - if ago < 10 { 400.0 } else { 0.0 };
    let all = told(&[gp3("vol-1", 500, 10)], Observed::Known(bill(more, |_, _| 0.0)), &[]);
    let shown = *all.changes[0].verified.known().unwrap();
    // gp2 fell by 900 of the 500 GiB; gp3 grew by 100 of them.
    assert_eq!(shown.saving.high.cents(), 5_000 - 800, "{shown:?}");
}

#[test]
fn several_changes_of_one_thing_are_told_from_one_series() {
    let made =
        [gp3("vol-1", 500, 20), gp3("vol-2", 300, 10), Made { until: Some(days_ago(6)), ..gp3("vol-3", 200, 10) }];
    let stored = |usage_type: &str, ago: i64| {
        let moved = [(500.0, 20, -1), (300.0, 10, -1), (200.0, 10, 6)]
            .iter()
            .filter(|(_, on, until)| ago <= *on && ago > *until)
            .map(|(gib, ..)| gib)
            .sum::<f64>();
        2_000.0 + if usage_type == GP2 { -moved } else { moved }
    };
    let all = told(&made, Observed::Known(bill(stored, |_, _| 0.0)), &[]);
    let cents = |place: usize| all.changes[place].verified.known().map(|shown| shown.saving.likely.cents());
    assert_eq!((cents(0), cents(1), cents(2)), (Some(1_000), Some(600), None), "{:?}", all.changes);
    assert_eq!(all.changes[2].applied, UsdMicros(0), "it was taken back");
    assert_eq!((all.sums.applied.cents(), all.sums.verified.cents()), (1_600, 1_600));
}

#[test]
fn too_few_days_no_bill_and_another_currency_are_said_and_nothing_is_claimed() {
    let made = [gp3("vol-1", 500, 4)];
    let whole = bill(moved(500.0, 4), |_, _| 0.0);
    let why = |bill: Observed<Bill>| {
        let told = told(&made, bill, &[]);
        assert_eq!((told.sums.applied.cents(), told.sums.verified), (1_000, UsdMicros(0)));
        assert_eq!(told.sums.open.cents(), 1_000);
        let Observed::Missing(why) = &told.changes[0].verified else { panic!("{:?}", told.changes[0].verified) };
        why.to_string()
    };
    let days = why(Observed::Known(whole.clone()));
    assert!(days.contains("25 whole days on the bill before it and 2 after, 5 and 3 are needed"), "{days}");
    let euros = why(Observed::Known(Bill { currency: "EUR".to_owned(), ..whole }));
    assert!(euros.contains("not in US dollars"), "{euros}");
    let denied = why(Observed::Missing(Missing::Denied("ce:GetCostAndUsage".to_owned())));
    assert!(denied.contains("grant ce:GetCostAndUsage"), "{denied}");
}

#[test]
fn instances_are_looked_at_free_of_what_follows_the_traffic() {
    let hours = |servers: &dyn Fn(i64) -> f64| {
        let line = |ago: i64| Line {
            day: days_ago(ago),
            service: "Amazon Elastic Compute Cloud - Compute".to_owned(),
            usage_type: "BoxUsage:m5.large".to_owned(),
            cost: UsdMicros(96_000).times(24.0 * servers(ago)),
            quantity: 24.0 * servers(ago),
            unit: "Hrs".to_owned(),
            is_estimated: false,
        };
        Bill { lines: (0..30).rev().map(line).collect(), ..bill(|_, _| 0.0, |_, _| 0.0) }
    };
    // Twice the traffic since the change, and a fleet that follows it: ten servers for a thousand requests, two of them to spare.
    let traffic =
        |ago: i64| (800.0 + 20.0 * f64::from(u8::try_from(ago % 7).unwrap())) * if ago < 12 { 2.0 } else { 1.0 };
    let servers = |ago: i64| traffic(ago) / 100.0 + if ago < 12 { 0.0 } else { 2.0 };
    let prior = crate::resource::Fleet {
        min: 1,
        max: 40,
        desired: 10,
        instances: vec![crate::resource::Instance {
            id: "i-1".to_owned(),
            in_service: true,
            healthy: true,
            protected: false,
            instance_type: Some("m5.large".to_owned()),
        }],
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: crate::resource::Fleet::schedules_unread(),
        target_groups: Vec::new(),
    };
    let made = Made {
        action: Action::SetFleetCapacity { group: "web".to_owned(), desired: 8 },
        prior: Live::AutoScalingGroup(prior),
        ..gp3("web", 0, 12)
    };
    let by_day: Vec<Option<f64>> = (0..30).rev().map(|ago| Some(traffic(ago))).collect();
    let with = told(std::slice::from_ref(&made), Observed::Known(hours(&servers)), &by_day);
    let shown = with.changes[0].verified.known().unwrap();
    // Two servers at 0.096 USD x 730 hours.
    assert_eq!((shown.saving.likely.cents(), shown.is_certain()), (14_016, true), "{shown:?}");
    let without = told(&[made], Observed::Known(hours(&servers)), &[]);
    assert_eq!(without.sums.verified, UsdMicros(0), "more servers than before, for all that the bill alone tells");
}

#[test]
fn an_address_is_paid_by_the_hour_and_a_mark_saves_nothing_by_itself() {
    let address =
        Live::Address(Address { public_ip: "203.0.113.1".to_owned(), associated_with: None, delete_after: None });
    let release = Made {
        action: Action::ReleaseAddress { allocation: "eipalloc-1".to_owned() },
        prior: address.clone(),
        expected: UsdMicros(3_650_000),
        ..gp3("eipalloc-1", 0, 8)
    };
    let mark = Made {
        action: Action::MarkForDeletion { arn: "a".to_owned(), delete_after: jiff::Timestamp::UNIX_EPOCH },
        prior: address,
        ..gp3("mark", 0, 8)
    };
    let line = |ago: i64| Line {
        day: days_ago(ago),
        service: "Amazon Virtual Private Cloud".to_owned(),
        usage_type: "USE1-PublicIPv4:IdleAddress".to_owned(),
        cost: UsdMicros(120_000),
        quantity: 24.0,
        unit: "Hrs".to_owned(),
        is_estimated: false,
    };
    let bill = Bill { lines: (9..30).rev().map(line).collect(), ..bill(|_, _| 0.0, |_, _| 0.0) };
    let told = told(&[mark, release], Observed::Known(bill), &[]);
    assert_eq!(told.changes.len(), 1, "the mark is left out");
    assert_eq!(told.changes[0].verified.known().unwrap().saving.likely, UsdMicros(3_650_000));
}
