//! Right-sizing, predicted against realized: the studio's web tier lives for two weeks, the cost cycle makes it smaller, and a
//! day later its response time must lie in the interval that was predicted. Where it does not, the change must be undone.
//!
//! The decisions are the product's own (the rule, the plan, the prediction, the watch); sizes, loads, processors and service
//! times are drawn from the seed.

use super::labels::ordinary;
use super::*;
use crate::model::{Event, Happening, Sample};
use domain::change::{Action, Change};
use domain::cost::estate::{Estate, Item};
use domain::cost::policy::Policy;
use domain::cost::prices::{PriceBook, PriceSource, Sold, UnitPrice};
use domain::cost::rules::find;
use domain::cost::usage::{PERIOD_S, Profile, Quantity, Usage};
use domain::cost::{plan, response_times, watch};
use domain::guard::Limits;
use domain::ids::ExecutionId;
use domain::observed::Observed;
use domain::outcome::{Outcome, Verdict};
use domain::resource::ResourceKind;
use domain::series::Series;
use domain::snapshot::Snapshot;
use jiff::SignedDuration;

/// Days of history, each a day of the model.
const DAYS: i64 = 15;
const DAY_MIN: i64 = 1_440;
/// Minutes before a snapshot of which it shows something; whole hours.
const SEEN_MIN: i64 = 240;
/// Seconds that a snapshot looks back for what is now.
const WINDOW_S: u32 = 300;

struct Case {
    members: (u32, u32),
    before_ms: f64,
    expected_ms: (f64, f64),
    after_ms: f64,
    outcome: Outcome,
}

impl Case {
    fn is_inside(&self) -> bool {
        self.expected_ms.0 <= self.after_ms && self.after_ms <= self.expected_ms.1
    }

    fn line(&self, seed: u64) -> String {
        let (from, to) = self.members;
        let (low, high) = self.expected_ms;
        format!(
            "seed {seed:>2}: {from} → {to} members, p95 {:.1} ms, expected {low:.1} to {high:.1}, became {:.1} ({}): {:?}",
            self.before_ms,
            self.after_ms,
            if self.is_inside() { "inside" } else { "outside" },
            self.outcome.verdict,
        )
    }
}

/// A web tier that is too large for its load; `happens` befalls it after the change.
fn too_large(random: &mut fastrand::Rng, happens: Option<Happening>) -> crate::scenario::AppScenario {
    let mut app = ordinary();
    let web = &mut app.sizes.web;
    web.servers = random.u32(4..=10);
    web.min = 2;
    web.max = 12;
    web.cores = f64::from(1 << random.u32(0..=3));
    web.service_ms = 5.0 + 35.0 * random.f64();
    web.dependency_share = random.f64();
    let busy = 0.04 + 0.2 * random.f64();
    web.load_rps = busy * f64::from(web.servers) * web.cores * 1_000.0 / web.service_ms;
    // The database of a larger shop is larger: its contention is not what is looked at here.
    app.sizes.database.query_ms *= (180.0 / web.load_rps).min(1.0);
    app.events = happens
        .into_iter()
        .map(|happens| Event { at_min: 30.0, for_min: None, first_change: None, weekly: false, happens })
        .collect();
    app
}

/// The largest value of each hour over all members, as the history reads it.
fn history(stage: &mut Stage) -> (Vec<Option<f64>>, Vec<Option<f64>>) {
    let (mut cpu, mut memory) = (Vec::new(), Vec::new());
    while stage.minute() < 0 {
        let (mut most_cpu, mut most_memory) = (0.0_f64, 0.0_f64);
        let is_seen = stage.minute() >= -SEEN_MIN;
        let mut minute = || if is_seen { stage.live() } else { one_of_ten(stage) };
        for server in (0..if is_seen { 60 } else { 6 }).flat_map(|_| minute().servers) {
            most_cpu = most_cpu.max(server.cpu_pct);
            most_memory = most_memory.max(server.memory_pct);
        }
        cpu.push(Some(most_cpu));
        memory.push(Some(most_memory));
    }
    (cpu, memory)
}

/// A minute for ten: enough for what an hour is like.
fn one_of_ten(stage: &mut Stage) -> Sample {
    stage.skip(9);
    stage.live_unseen().0
}

/// What the rule and the plan make of a history.
fn decide(stage: &Stage, snapshot: &Snapshot, (cpu, memory): (Vec<Option<f64>>, Vec<Option<f64>>)) -> Option<Change> {
    let resource = stage.resources().into_iter().find(|resource| resource.kind() == ResourceKind::AutoScalingGroup)?;
    let hours = i64::try_from(cpu.len()).ok()?;
    let start = stage.now() - SignedDuration::from_secs(hours * i64::from(PERIOD_S));
    let usage = [(Quantity::CpuPct, cpu), (Quantity::MemoryPct, memory)].map(|(quantity, hourly)| Usage {
        resource: resource.id.clone(),
        quantity,
        profile: Observed::Known(Profile::of(start, &hourly)),
    });
    let item = Item {
        resource,
        created_at: Some(stage.now() - SignedDuration::from_hours(24 * 365)),
        unused_since: None,
        managed_by: None,
        terms: None,
    };
    let estate = Estate {
        app: snapshot.app.clone(),
        taken_at: stage.now(),
        items: vec![item],
        unread: Vec::new(),
        usage: usage.into(),
        on_demand: None,
    };
    let price = UnitPrice { usd_micros: 16_800.0, from: PriceSource::List };
    let prices = PriceBook {
        units: [(Sold::InstanceHour("t4g.small".to_owned()), Observed::Known(price))].into_iter().collect(),
    };
    // The model's servers use 45 % of their memory however many they are, over the default of 40.
    let policy = Policy { memory_pct_max: 50.0, memory_pct_after_max: 95.0, ..Policy::default() };
    let opportunities = find(&estate, &policy, &prices);
    let execution = ExecutionId::new("right-size");
    plan(&opportunities, &[], &policy, &Limits::default(), (&execution, 1), stage.now()).changes.into_iter().next()
}

fn median_ms(snapshot: &Snapshot) -> Option<f64> {
    let found = snapshot.of_signal("latency_p95_ms").next()?;
    let Observed::Known(Series { values, .. }) = &found.series else { return None };
    stats::robust::median(&values.iter().flatten().copied().collect::<Vec<_>>())
}

/// One application's life; none where nothing was to be made smaller.
fn play(seed: u64, happens: Option<Happening>) -> Option<Case> {
    let mut random = fastrand::Rng::with_seed(seed);
    let app = too_large(&mut random, happens);
    let mut stage = Stage::to_be_lived("shop", &app, seed, DAYS * DAY_MIN);
    let hours = history(&mut stage);
    let before = stage.snapshot(WINDOW_S);
    let change = decide(&stage, &before, hours)?;
    let Action::SetFleetCapacity { desired, .. } = change.action else { return None };
    let (from, _) = stage.sizes();
    stage.apply(&change.action);
    stage.skip(DAY_MIN - SEEN_MIN);
    for _ in 0..SEEN_MIN {
        stage.live();
    }
    let after = stage.snapshot(WINDOW_S);
    let expected = response_times(&change, &before, None);
    let expected = expected.first()?;
    Some(Case {
        members: (from, desired),
        before_ms: median_ms(&before)?,
        expected_ms: (expected.low_ms, expected.high_ms),
        after_ms: median_ms(&after)?,
        outcome: watch(&change, &before, &after, &Policy::default()),
    })
}

fn proof(name: &'static str, seeds: std::ops::Range<u64>, happens: Option<&Happening>) -> Vec<(u64, Case)> {
    let cases: Vec<(u64, Case)> =
        seeds.filter_map(|seed| play(seed, happens.cloned()).map(|case| (seed, case))).collect();
    for (seed, case) in &cases {
        println!("{name}: {}", case.line(*seed));
    }
    cases
}

#[test]
fn the_response_time_after_right_sizing_is_the_predicted_one_or_the_change_is_undone() {
    let cases = proof("right-sized", 0..24, None);
    assert!(cases.len() >= 20, "only {} of 24 were too large", cases.len());
    let inside = cases.iter().filter(|(_, case)| case.is_inside()).count();
    println!("right-sized: {inside} of {} inside of what was predicted", cases.len());
    assert!(inside * 10 >= cases.len() * 9, "{inside} of {}", cases.len());
    for (seed, case) in cases.iter().filter(|(_, case)| case.after_ms > case.expected_ms.1) {
        assert!(!case.outcome.keep, "{}", case.line(*seed));
    }
}

#[test]
fn a_response_time_that_nobody_predicted_takes_the_change_back() {
    // What the application calls gets slower after the change. Nobody can tell that it would have anyway; the change goes.
    let slow = Happening::Dependency { latency_ms: 60.0, error_pct: 0.0 };
    for (seed, case) in proof("surprised", 0..4, Some(&slow)) {
        assert!(
            !case.is_inside() && !case.outcome.keep && case.outcome.verdict == Verdict::Regressed,
            "{}",
            case.line(seed)
        );
    }
}
