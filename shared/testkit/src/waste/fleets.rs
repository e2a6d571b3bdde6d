//! Auto Scaling groups.

use super::machines::office;
use super::{Draft, HOURS, Made, Verdict};
use domain::cost::terms::{FleetTerms, LaunchTemplate, Terms};
use domain::cost::usage::Quantity;
use domain::observed::{Missing, Observed};
use domain::resource::{FAULT_TOLERANT_TAG, Fleet, Instance, Live, ScheduledAction};
use std::collections::BTreeMap;

const OVERSIZED: &str = "oversized_fleet";
const SPOT: &str = "spot_fleet";
const NIGHTS: &str = "idle_nights";

/// A schedule of its owner.
fn monday() -> ScheduledAction {
    ScheduledAction {
        name: "monday".to_owned(),
        recurrence: Some("0 7 * * 1".to_owned()),
        time_zone: None,
        min: None,
        max: None,
        desired: Some(1),
    }
}

fn fleet(made: &mut Made, members: u32, change: impl FnOnce(&mut Fleet)) -> Draft {
    let member = |number| Instance {
        id: format!("i-{number}"),
        in_service: true,
        healthy: true,
        protected: false,
        instance_type: Some("m5.large".to_owned()),
    };
    let mut live = Fleet {
        min: 1,
        max: 40,
        desired: members,
        instances: (0..members).map(member).collect(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Observed::Known(Vec::new()),
        target_groups: Vec::new(),
    };
    change(&mut live);
    made.draft("autoscaling", "autoScalingGroup:1:autoScalingGroupName/", "web-", Live::AutoScalingGroup(live))
}

pub(super) fn add(made: &mut Made) {
    oversized(made);
    unlike(made);
    nights(made);
    spot(made);
    not_on_spot(made);
}

/// Levels that leave room on every fleet of four and more.
fn low(made: &mut Made) -> (u32, f64, f64) {
    (made.rng.u32(4..20), 2.0 + 26.0 * made.rng.f64(), 3.0 + 34.0 * made.rng.f64())
}

fn oversized(made: &mut Made) {
    let (members, cpu, memory) = low(made);
    let draft = fleet(made, members, |_| ()).loaded(made, cpu, memory).tag("env", "prod");
    made.waste(OVERSIZED, "never near its size", draft);
    let draft = fleet(made, members, |_| ()).busy(made, (cpu, cpu * 0.5), |_, hour| hour > 7);
    made.put(OVERSIZED, Verdict::Unproven, "its memory is not known", draft);
    let cpu_flat = super::load::flat(&mut made.rng, cpu);
    let draft = fleet(made, members, |_| ()).history(made, Quantity::CpuPct, cpu_flat).unread(Quantity::MemoryPct);
    made.put(OVERSIZED, Verdict::Unproven, "its memory was not read", draft);
}

fn unlike(made: &mut Made) {
    let (members, cpu, memory) = low(made);
    let draft = fleet(made, members, |_| ()).loaded(made, cpu, memory);
    let draft = made.kept(draft);
    made.innocent(OVERSIZED, "kept by tag", draft);
    let (day, hour) = (made.rng.i8(0..7), made.rng.i8(0..24));
    let draft = fleet(made, members, |_| ()).busy(made, (85.0, 4.0), |d, h| d == day && h == hour).memory(made, memory);
    made.innocent(OVERSIZED, "its peak comes once a week", draft);
    let draft = fleet(made, members, |_| ()).busy(made, (85.0, 4.0), |_, hour| hour < 5).memory(made, memory);
    made.innocent(OVERSIZED, "a batch fleet, busy at night", draft);
    let memory_high = 41.0 + 50.0 * made.rng.f64();
    let draft = fleet(made, members, |_| ()).loaded(made, cpu, memory_high);
    made.innocent(OVERSIZED, "its memory is needed", draft);
    let draft = fleet(made, members, |it| it.min = members).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "its owner's minimum", draft);
    let few = made.rng.u32(1..3);
    let draft = fleet(made, few, |_| ()).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "one, or two for the failure of one", draft);
    let draft = fleet(made, members, |it| it.refresh_in_progress = true).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "being replaced", draft);
    let draft = fleet(made, members, |it| it.scheduled = Observed::Known(vec![monday()])).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "its owner sizes it by the clock", draft);
    let draft = fleet(made, members, |it| it.instances[0].healthy = false).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "one of it is sick", draft);
    let draft = fleet(made, members, |it| it.instances.iter_mut().for_each(|one| one.protected = true))
        .loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "protected from scale-in", draft);
    let draft = fleet(made, members, |_| ()).unread(Quantity::CpuPct).memory(made, memory);
    made.innocent(OVERSIZED, "metrics denied", draft);
    let hole = made.rng.i64(0..168);
    let draft = fleet(made, members, |_| ())
        .history(made, Quantity::CpuPct, |hour| (hour % 168 != hole).then_some(cpu))
        .memory(made, memory);
    made.innocent(OVERSIZED, "an hour of the week was never seen", draft);
    let draft = fleet(made, members, |_| ())
        .history(made, Quantity::CpuPct, |hour| (hour < HOURS - 72).then_some(cpu))
        .memory(made, memory);
    made.innocent(OVERSIZED, "its metrics ended three days ago", draft);
}

fn nights(made: &mut Made) {
    let (members, at) = (made.rng.u32(1..8), (45.0 + 50.0 * made.rng.f64(), 0.5 + 5.0 * made.rng.f64()));
    let hours = office(made);
    let draft = fleet(made, members, |_| ()).busy(made, at, hours).memory(made, 60.0).tag("stage", "test");
    made.waste(NIGHTS, "office hours", draft);
    let hours = office(made);
    let draft = fleet(made, members, |_| ()).busy(made, at, hours).memory(made, 60.0).tag("stage", "production");
    made.innocent(NIGHTS, "production", draft);
    let hours = office(made);
    let draft = fleet(made, members, |it| it.scheduled = Observed::Known(vec![monday()]))
        .busy(made, at, hours)
        .memory(made, 60.0)
        .tag("stage", "test");
    made.innocent(NIGHTS, "its owner sizes it by the clock", draft);
    let draft = fleet(made, members, |_| ()).busy(made, at, |_, hour| hour < 6).memory(made, 60.0);
    made.innocent(NIGHTS, "busy at night", draft);
}

/// A group of its owner's word, with what is bought of it; its servers are busy all the time.
fn tolerant(made: &mut Made, members: u32, change: impl FnOnce(&mut Fleet, &mut FleetTerms)) -> Draft {
    let mut terms = FleetTerms {
        template: Some(LaunchTemplate { id: "lt-1".to_owned(), version: "$Default".to_owned() }),
        zones: made.rng.u32(2..4),
        plain: members,
        spot_usd_micros: Observed::Known(BTreeMap::from([(
            "m5.large".to_owned(),
            115_000.0 * (0.2 + 0.5 * made.rng.f64()),
        )])),
    };
    let said = ["true", "True", "yes"][made.rng.usize(0..3)];
    let busy = (50.0 + 40.0 * made.rng.f64(), 50.0 + 40.0 * made.rng.f64());
    fleet(made, members, |live| change(live, &mut terms))
        .terms(Terms::Fleet(terms))
        .loaded(made, busy.0, busy.1)
        .tag(FAULT_TOLERANT_TAG, said)
}

fn spot(made: &mut Made) {
    let members = made.rng.u32(3..20);
    let draft = tolerant(made, members, |_, _| ());
    made.waste(SPOT, "workers that may go, all on demand", draft);
    let draft = tolerant(made, members + 4, |live, _| live.min = 4);
    made.waste(SPOT, "the same with a smallest size", draft);
    let draft = tolerant(made, members, |_, terms| terms.spot_usd_micros = Observed::Missing(Missing::Throttled));
    made.put(SPOT, Verdict::Unproven, "what Spot costs was not read", draft);
}

fn not_on_spot(made: &mut Made) {
    let members = made.rng.u32(4..20);
    let draft = tolerant(made, members, |_, _| ()).tag(FAULT_TOLERANT_TAG, "false");
    made.innocent(SPOT, "its owner says that it is not fault tolerant", draft);
    let mut draft = tolerant(made, members, |_, _| ());
    draft.item.resource.tags.remove(FAULT_TOLERANT_TAG);
    draft.item.terms = None;
    made.innocent(SPOT, "nobody has said so", draft);
    let draft = tolerant(made, members, |_, terms| terms.zones = 1);
    made.innocent(SPOT, "in one zone", draft);
    let draft = tolerant(made, members, |_, terms| terms.template = None);
    made.innocent(SPOT, "mixed already, or on a launch configuration", draft);
    let draft = tolerant(made, members, |_, terms| terms.plain -= 1);
    made.innocent(SPOT, "a member runs in reserved capacity", draft);
    let draft = tolerant(made, members, |live, _| live.instances[0].protected = true);
    made.innocent(SPOT, "a member is protected", draft);
    let draft = tolerant(made, members, |_, _| ());
    let draft = made.kept(draft);
    made.innocent(SPOT, "kept, or on standby, by tag", draft);
}
