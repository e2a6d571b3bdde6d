//! Both ends of the interval, and when nothing is said.

use super::*;
use crate::change::{Better, Expectation};
use crate::cost::fixture::NOW;
use crate::cost::plan::WASTE;
use crate::ids::{AppId, ChangeId, RuleId, SignalId};
use crate::observed::{Missing, Observed};
use crate::resource::{Fleet, Resource, Tags};
use proptest::prelude::{ProptestConfig, prop_assert, proptest};

const GROUP: &str = "asg/web";
const DOOR: &str = "tg/web";

fn to(desired: u32) -> Change {
    Change {
        id: ChangeId::from("c1"),
        action: Action::SetFleetCapacity { group: "web".to_owned(), desired },
        resource: ResourceId::from(GROUP),
        because: RuleId::from("oversized_fleet"),
        reason: "too large".to_owned(),
        expected: Expectation {
            signal: SignalId::from(WASTE),
            resource: ResourceId::from(GROUP),
            better: Better::Lower,
            before: 5.0,
            after: 0.0,
        },
        cost_usd_cents_month: None,
        rollout: None,
    }
}

fn measured(signal: &str, resource: &str, period_s: u32, values: Vec<Option<f64>>) -> Measurement {
    let start = NOW - SignedDuration::from_mins(175);
    Measurement {
        signal: SignalId::from(signal),
        resource: ResourceId::from(resource),
        member: None,
        series: Observed::Known(Series { start, period_s, values }),
    }
}

/// Eight members at this CPU, with this response time a minute.
fn shop(time_ms: f64, cpu_pct: f64) -> Snapshot {
    let fleet = Fleet {
        min: 2,
        max: 10,
        desired: 8,
        instances: Vec::new(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: vec![ResourceId::from(DOOR)],
    };
    Snapshot {
        app: AppId::from("shop"),
        taken_at: NOW,
        window_s: 300,
        resources: vec![Resource {
            id: ResourceId::from(GROUP),
            name: "web".to_owned(),
            tags: Tags::default(),
            live: Live::AutoScalingGroup(fleet),
        }],
        measurements: vec![
            measured(LATENCY, DOOR, 60, vec![Some(time_ms); 175]),
            measured(LATENCY, "tg/other", 60, vec![Some(time_ms); 175]),
            measured(CPU, GROUP, 300, vec![Some(cpu_pct); 35]),
        ],
        alarms: Observed::Known(Vec::new()),
        undiscovered: Vec::new(),
        prices: Vec::new(),
        weeks: Vec::new(),
    }
}

fn only(found: &[ResponseTime]) -> (f64, f64, f64) {
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].before_ms, found[0].low_ms, found[0].high_ms)
}

#[test]
fn the_worked_example() {
    let (before, low, high) = only(&response_times(&to(4), &shop(60.0, 10.0), None));
    assert!((before - 60.0).abs() < 1e-9 && (low - 59.34).abs() < 0.01 && (high - 69.23).abs() < 0.01, "{low} {high}");
}

#[test]
fn a_load_outside_of_the_expected_one_moves_its_end_alone() {
    let shop = shop(60.0, 10.0);
    let usual = only(&response_times(&to(4), &shop, None));
    let (_, low, high) = only(&response_times(&to(4), &shop, Some(1.5)));
    assert!((low - usual.1).abs() < 1e-9 && high > usual.2, "{low} {high}");
    let (_, low, high) = only(&response_times(&to(4), &shop, Some(0.5)));
    assert!(low < usual.1 && (high - usual.2).abs() < 1e-9, "{low} {high}");
    assert_eq!(only(&response_times(&to(4), &shop, Some(1.05))), usual);
}

#[test]
fn nothing_is_said_where_nothing_can_be() {
    let shop = shop(60.0, 20.0);
    let none = |change: &Change, shop: &Snapshot| response_times(change, shop, None).is_empty();
    assert!(!none(&to(2), &shop), "at 88 % in the worst case");
    assert!(none(&to(1), &shop), "would be overrun");
    assert!(none(&to(8), &shop) && none(&to(9), &shop) && none(&to(0), &shop), "not smaller, or gone");
    let mut other = to(4);
    other.action =
        Action::SetVolumeType { volume: "v".to_owned(), volume_type: "gp3".to_owned(), iops: 1, throughput_mibps: 1 };
    assert!(none(&other, &shop), "of another kind");
    for lost in [CPU, LATENCY] {
        let mut shop = shop.clone();
        for found in shop.measurements.iter_mut().filter(|found| found.signal.as_str() == lost) {
            found.series = Observed::Missing(Missing::Denied("cloudwatch:GetMetricData".to_owned()));
        }
        assert!(none(&to(4), &shop), "{lost} is not known");
    }
}

#[test]
fn a_minute_counts_with_the_cpu_of_its_five_minutes() {
    let mut shop = shop(60.0, 10.0);
    // Half of the time at three times the CPU, then only the calm half has a response time.
    let cpu = (0..35).map(|k| Some(if k < 17 { 30.0 } else { 10.0 })).collect();
    let times = (0..175).map(|minute| (minute >= 90).then_some(60.0)).collect();
    shop.measurements = vec![measured(LATENCY, DOOR, 60, times), measured(CPU, GROUP, 300, cpu)];
    let (_, _, high) = only(&response_times(&to(4), &shop, None));
    assert!((high - 69.23).abs() < 0.01, "{high}");
}

#[test]
fn people_read_it_in_the_reason() {
    let mut plan = Plan { changes: vec![to(4)], ..Plan::default() };
    tell(&mut plan, &shop(60.0, 10.0));
    let words = "too large; the response time p95 of tg/web, now 60 ms, is expected at 59 to 69 ms";
    assert_eq!(plan.changes[0].reason, words);
}

/// Time in a server of c processors by Sakasegawa's approximation of M/M/c.
fn mmc(service_ms: f64, busy: f64, processors: f64) -> f64 {
    let power = (2.0 * (processors + 1.0)).sqrt() - 1.0;
    service_ms * (1.0 + busy.powf(power) / (processors * (1.0 - busy)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    /// Whatever part of the time is the servers' and however many processors they have, the truth lies inside.
    #[test]
    fn prop_the_truth_of_a_queue_lies_inside(
        busy in 0.02_f64..0.4, processors in 1_u8..33, elsewhere_ms in 0.0_f64..200.0, load in 0.9_f64..1.1, desired in 4_u32..8,
    ) {
        let processors = f64::from(processors);
        let time = |busy: f64| elsewhere_ms + mmc(20.0, busy, processors);
        let shop = shop(time(busy), 100.0 * busy);
        let (_, low, high) = only(&response_times(&to(desired), &shop, None));
        let truth = time(busy * load * 8.0 / f64::from(desired));
        prop_assert!(low <= truth + 1e-6 && truth <= high + 1e-6, "{low} {truth} {high}");
    }
}
