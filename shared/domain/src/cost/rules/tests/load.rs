//! What is too large, or idle at night: fleets and instances by their load.

use super::{a_fleet, a_machine, claims, tagged};
use crate::change::Action;
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy, Saving};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::{Missing, Observed};
use crate::resource::{Fleet, Live, Machine, ScheduledAction};

const FLEET: &str = "arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:1:autoScalingGroupName/web";

fn fleet(members: u32, change: impl Fn(&mut Fleet)) -> Item {
    let mut live = a_fleet(members, "m5.large");
    change(&mut live);
    item(FLEET, Live::AutoScalingGroup(live))
}

fn level(of: &Item, quantity: Quantity, value: f64) -> Usage {
    history(of, quantity, |_| Some(value))
}

/// A fleet of eight with these peaks.
fn loaded(it: Item, cpu: f64, memory: f64) -> Option<Opportunity> {
    let usage = vec![level(&it, Quantity::CpuPct, cpu), level(&it, Quantity::MemoryPct, memory)];
    found(vec![it], usage).into_iter().find(|one| one.rule.as_str() == "oversized_fleet")
}

fn wanted(found: Option<Opportunity>) -> Option<u32> {
    match found?.remedy {
        Remedy::Change { action: Action::SetFleetCapacity { desired, .. } } => Some(desired),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fleet_shrinks_to_what_carries_its_peak_with_headroom() {
    for (members, cpu, memory, size) in [
        (8, 12.0, 30.0, Some(4)), // half is the largest step
        (8, 29.9, 20.0, Some(4)), // 8 · 29.9 / 60 = 3.99
        (8, 30.0, 20.0, None),    // not under 30 % all the time
        (8, 10.0, 39.9, Some(5)), // 8 · 39.9 / 75 = 4.3
        (8, 10.0, 40.0, None),    // not under 40 %
        (3, 5.0, 5.0, Some(2)),   // two for the failure of one
        (2, 1.0, 1.0, None),
        (1, 1.0, 1.0, None),
        (20, 3.0, 15.0, Some(10)),
    ] {
        assert_eq!(wanted(loaded(fleet(members, |_| ()), cpu, memory)), size, "{members} {cpu} {memory}");
    }
}

#[test]
fn a_fleet_stays_within_what_its_owner_allows() {
    assert_eq!(wanted(loaded(fleet(8, |it| it.min = 6), 10.0, 10.0)), Some(6));
    assert_eq!(wanted(loaded(fleet(8, |it| it.min = 8), 10.0, 10.0)), None);
    let protected = |it: &mut Fleet| it.instances.iter_mut().take(7).for_each(|one| one.protected = true);
    assert_eq!(wanted(loaded(fleet(8, protected), 10.0, 10.0)), Some(7));
    assert_eq!(wanted(loaded(fleet(8, |it| it.refresh_in_progress = true), 10.0, 10.0)), None);
    assert_eq!(wanted(loaded(fleet(8, |it| it.instances[0].healthy = false), 10.0, 10.0)), None);
    assert_eq!(wanted(loaded(fleet(8, |it| it.desired = 9), 10.0, 10.0)), None);
}

#[test]
fn one_busy_hour_a_week_or_a_hole_in_the_history_makes_no_claim() {
    let it = fleet(8, |_| ());
    let memory = level(&it, Quantity::MemoryPct, 10.0);
    let is = |cpu: Usage| claims("oversized_fleet", vec![it.clone()], vec![cpu, memory.clone()]);
    let cpu = |value: fn(i64) -> Option<f64>| history(&it, Quantity::CpuPct, value);
    assert!(is(cpu(|_| Some(10.0))));
    assert!(!is(cpu(|hour| Some(if hour % 168 == 100 { 85.0 } else { 5.0 }))), "its peak comes once a week");
    assert!(!is(cpu(|hour| Some(if hour % 24 < 5 { 85.0 } else { 5.0 }))), "busy at night");
    assert!(!is(cpu(|hour| (hour % 168 != 100).then_some(5.0))), "an hour of the week was never seen");
    assert!(is(cpu(|hour| (hour >= 720 - 336).then_some(5.0))) && !is(cpu(|hour| (hour > 720 - 336).then_some(5.0))));
    assert!(!is(cpu(|hour| (hour < 720 - 25).then_some(5.0))), "it ended more than a day ago");
    assert!(!is(unread(&it, Quantity::CpuPct)));
}

#[test]
fn a_fleet_whose_memory_is_not_known_is_advised_and_nothing_is_claimed() {
    let it = fleet(8, |_| ());
    let cpu = level(&it, Quantity::CpuPct, 10.0);
    for usage in [vec![cpu.clone()], vec![cpu.clone(), unread(&it, Quantity::MemoryPct)]] {
        let one = found(vec![it.clone()], usage).remove(0);
        assert!(matches!(&one.remedy, Remedy::Advice { what } if what.contains("mem_used_percent")), "{one:?}");
        assert!(one.saving.is_missing());
    }
}

#[test]
fn removed_members_save_their_hours() {
    let one = loaded(fleet(8, |_| ()), 10.0, 10.0).unwrap();
    // 4 x 0.115 USD x 730 h.
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(335_800_000))));
    let mixed = |it: &mut Fleet| {
        it.instances.iter_mut().take(4).for_each(|one| one.instance_type = Some("m5.xlarge".to_owned()));
    };
    let Observed::Known(saving) = loaded(fleet(8, mixed), 10.0, 10.0).unwrap().saving else { panic!() };
    assert_eq!((saving.low, saving.high), (UsdMicros(335_800_000), UsdMicros(671_600_000)));
    assert_eq!(saving.likely, UsdMicros(503_700_000));
    let unknown = loaded(fleet(8, |it| it.instances[0].instance_type = None), 10.0, 10.0).unwrap();
    assert!(unknown.saving.is_missing());
}

fn machine(kind: &str) -> Item {
    item("arn:aws:ec2:eu-central-1:111122223333:instance/i-1", Live::Machine(a_machine(kind)))
}

fn sized(kind: &str, cpu: f64, memory: f64) -> Option<Opportunity> {
    let it = machine(kind);
    let quiet = level(&it, Quantity::NetworkBytes, 1e6);
    let usage = vec![level(&it, Quantity::CpuPct, cpu), level(&it, Quantity::MemoryPct, memory), quiet];
    found(vec![it], usage).into_iter().find(|one| one.rule.as_str() == "oversized_machine")
}

#[test]
fn a_machine_is_too_large_when_the_next_smaller_size_carries_its_peak() {
    for (kind, cpu, memory, is_found) in [
        ("m5.xlarge", 29.9, 37.5, true),
        ("m5.xlarge", 30.0, 20.0, false),
        ("m5.xlarge", 20.0, 37.6, false), // 75.2 % on the smaller one
        ("m5.large", 5.0, 5.0, false),    // no smaller one
        ("t3.large", 10.0, 20.0, true),   // 20 % are the baseline of a t3.medium
        ("t3.large", 10.1, 20.0, false),
        ("c5.9xlarge", 26.6, 20.0, true), // 4/9 of it: 59.9 %
        ("c5.9xlarge", 26.7, 20.0, false),
        ("p3.16xlarge", 5.0, 5.0, false),
    ] {
        assert_eq!(sized(kind, cpu, memory).is_some(), is_found, "{kind} {cpu} {memory}");
    }
    let one = sized("m5.xlarge", 10.0, 10.0).unwrap();
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(83_950_000))));
    assert!(matches!(&one.remedy, Remedy::Advice { what }
        if what.contains("--instance-type Value=m5.large") && what.contains("Graviton")));
    assert!(sized("m7g.xlarge", 10.0, 10.0).unwrap().saving.is_missing(), "its price is not known");
    let old = sized("m4.xlarge", 10.0, 10.0).unwrap();
    assert!(matches!(&old.remedy, Remedy::Advice { what } if what.contains("previous generation")));
}

#[test]
fn a_machine_that_needs_its_size_for_something_else_is_left_alone() {
    let is = |change: fn(&mut Machine), network: f64| {
        let mut it = machine("m5.xlarge");
        if let Live::Machine(machine) = &mut it.resource.live {
            change(machine);
        }
        let usage = [(Quantity::CpuPct, 5.0), (Quantity::MemoryPct, 5.0), (Quantity::NetworkBytes, network)];
        let usage = usage.map(|(quantity, value)| level(&it, quantity, value)).to_vec();
        claims("oversized_machine", vec![it], usage)
    };
    assert!(is(|_| (), 18e9));
    assert!(!is(|_| (), 18.1e9), "a proxy");
    assert!(!is(|machine| machine.is_running = false, 1e6));
    assert!(is(|machine| machine.since = Some(days_ago(14)), 1e6));
    assert!(!is(|machine| machine.since = Some(days_ago(13)), 1e6), "it may have got its size just now");
    let it = machine("m5.xlarge");
    let quiet = vec![level(&it, Quantity::CpuPct, 5.0), level(&it, Quantity::NetworkBytes, 1e6)];
    let one = found(vec![it], quiet).remove(0);
    assert!(one.saving.is_missing(), "its memory is not known");
    assert!(matches!(&one.remedy, Remedy::Advice { what } if what.contains("more than 38 %")), "{one:?}");
}

/// Every instance publishes its network, so where it is missing it could not be read, and a proxy looks like anybody else.
#[test]
fn regression_a_machine_whose_network_could_not_be_read_is_not_called_too_large() {
    let it = machine("m5.xlarge");
    let usage = vec![level(&it, Quantity::CpuPct, 5.0), level(&it, Quantity::MemoryPct, 5.0)];
    assert!(!claims("oversized_machine", vec![it.clone()], usage.clone()));
    let denied = [usage, vec![unread(&it, Quantity::NetworkBytes)]].concat();
    assert!(!claims("oversized_machine", vec![it], denied));
}

/// Eight to eighteen on weekdays in Berlin in winter, which is an hour before UTC. The history ends on a Monday, 00:00
/// UTC.
fn office(hour: i64) -> bool {
    let local = (hour + 6 * 24 - 5 * 24 + 1).rem_euclid(168);
    let (day, hour) = (local / 24, local % 24);
    // 720 hours before a Monday is a Saturday.
    let day = (day + 4).rem_euclid(7);
    day < 5 && (8..18).contains(&hour)
}

fn nights(it: Item, busy: f64, idle: f64) -> Option<Opportunity> {
    let usage = history(&it, Quantity::CpuPct, |hour| Some(if office(hour) { busy } else { idle }));
    found(vec![it], vec![usage]).into_iter().find(|one| one.rule.as_str() == "idle_nights")
}

#[test]
fn office_hours_get_a_schedule_in_the_time_of_the_region() {
    let one = nights(fleet(4, |_| ()), 60.0, 3.0).unwrap();
    let Remedy::Advice { what } = &one.remedy else { panic!() };
    for line in [
        "Recurrence='0 19 * * 1-5',TimeZone=Europe/Berlin,MinSize=0,DesiredCapacity=0\"",
        "Recurrence='0 7 * * 1-5',TimeZone=Europe/Berlin,MinSize=1,DesiredCapacity=4\"",
        "ask who uses it",
    ] {
        assert!(what.contains(line), "{line}\n{what}");
    }
    // 4 x 0.115 USD x 730 h = 335.80 USD, of which 108 of 168 hours.
    assert_eq!(one.saving.known().unwrap().likely, UsdMicros(215_871_429));
    let dev = nights(tagged(machine("m5.large"), "env", "dev"), 60.0, 3.0).unwrap();
    let Remedy::Advice { what } = &dev.remedy else { panic!() };
    assert!(what.contains("cron(0 19 ? * MON-FRI *)") && what.contains("cron(0 7 ? * MON-FRI *)"), "{what}");
    assert!(dev.confidence > one.confidence && !what.contains("ask who"));
}

#[test]
fn a_fleet_whose_tag_says_test_gets_its_off_hours_unless_its_size_follows_the_clock_already() {
    let of = |scheduled: Observed<Vec<ScheduledAction>>| {
        nights(tagged(fleet(4, |it| it.scheduled = scheduled.clone()), "env", "test"), 60.0, 3.0)
    };
    let one = of(Observed::Known(Vec::new())).unwrap();
    let Remedy::Change { action: Action::SetFleetSchedule { off_hours, .. } } = &one.remedy else { panic!("{one:?}") };
    let [stop, start] = off_hours.actions();
    assert_eq!(stop.to_string(), "0 at \"0 19 * * 1-5\" Europe/Berlin, at least 0");
    assert_eq!(start.to_string(), "4 at \"0 7 * * 1-5\" Europe/Berlin, at least 1");
    let monday = ScheduledAction { name: "monday".to_owned(), ..stop };
    assert!(of(Observed::Known(vec![monday])).is_none(), "its owner has a schedule");
    assert!(of(Observed::Known(vec![start])).is_none(), "it has off hours");
    let unread = of(Observed::Missing(Missing::Throttled)).unwrap();
    assert!(matches!(unread.remedy, Remedy::Advice { .. }), "whether it has a schedule is not known");
    let untagged = nights(fleet(4, |it| it.scheduled = Observed::Known(Vec::new())), 60.0, 3.0).unwrap();
    assert!(matches!(untagged.remedy, Remedy::Advice { .. }), "nobody has said what it is for");
}

#[test]
fn a_fleet_that_follows_the_clock_keeps_its_size() {
    let of = |scheduled: Vec<ScheduledAction>| {
        let it = fleet(8, |it| it.scheduled = Observed::Known(scheduled.clone()));
        let usage = vec![level(&it, Quantity::CpuPct, 12.0), level(&it, Quantity::MemoryPct, 20.0)];
        claims("oversized_fleet", vec![it], usage)
    };
    let monday = ScheduledAction {
        name: "monday".to_owned(),
        recurrence: Some("0 7 * * 1".to_owned()),
        time_zone: None,
        min: None,
        max: None,
        desired: Some(8),
    };
    assert!(of(Vec::new()) && !of(vec![monday]));
}

#[test]
fn production_busy_nights_and_flat_loads_get_no_schedule() {
    assert!(nights(tagged(machine("m5.large"), "environment", "production"), 60.0, 3.0).is_none());
    assert!(nights(tagged(machine("m5.large"), "role", "standby"), 60.0, 3.0).is_none());
    assert!(nights(machine("m5.large"), 3.0, 60.0).is_none(), "a batch host");
    assert!(nights(machine("m5.large"), 60.0, 10.1).is_none() && nights(machine("m5.large"), 60.0, 10.0).is_some());
    assert!(nights(machine("m5.large"), 25.0, 9.0).is_none(), "not clearly busier by day");
    assert!(nights(fleet(0, |_| ()), 60.0, 3.0).is_none());
}

#[test]
fn a_previous_generation_is_advised_on_and_priced_where_both_prices_are_known() {
    let of = |it: Item| found(vec![it], vec![]).into_iter().find(|one| one.rule.as_str() == "previous_generation");
    let one = of(machine("m4.large")).unwrap();
    assert!(matches!(&one.remedy, Remedy::Advice { what } if what.contains("Value=m6i.large") && what.contains("m7g")));
    assert!(one.saving.is_missing(), "no price of either is known");
    let old = fleet(4, |it| it.instances.iter_mut().for_each(|one| one.instance_type = Some("c4.xlarge".to_owned())));
    assert!(matches!(&of(old).unwrap().remedy, Remedy::Advice { what } if what.contains("launch template")));
    assert!(
        of(machine("m5.large")).is_none() && of(machine("m4.10xlarge")).is_none() && of(fleet(4, |_| ())).is_none()
    );
    let mixed = fleet(2, |it| it.instances[0].instance_type = Some("m4.large".to_owned()));
    assert!(of(mixed).is_none(), "it is on its way already");
}
