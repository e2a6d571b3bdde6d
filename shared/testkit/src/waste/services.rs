//! ECS services.

use super::{Draft, Made};
use domain::cost::terms::{TaskTerms, Terms};
use domain::cost::usage::Quantity;
use domain::observed::{Missing, Observed};
use domain::resource::{Live, Service};

const RULE: &str = "oversized_task";
/// CPU units and MiB that Fargate sells, each with a smaller pair below it.
const SIZES: [(u32, u32); 5] = [(1_024, 4_096), (2_048, 4_096), (2_048, 16_384), (4_096, 30_720), (8_192, 61_440)];

fn service(made: &mut Made, change: impl FnOnce(&mut Service, &mut TaskTerms)) -> Draft {
    let tasks = made.rng.u32(2..10);
    let mut live = Service {
        cluster: "main".to_owned(),
        desired: tasks,
        running: tasks,
        deployment_in_progress: false,
        last_deployment_at: Some(made.some_days_ago(14..200)),
        bounds: made.rng.bool().then_some((2, 12)),
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: Observed::Missing(Missing::NoData),
    };
    let (cpu_units, memory_mib) = SIZES[made.rng.usize(0..SIZES.len())];
    let mut terms = TaskTerms {
        definition: format!("web:{}", made.rng.u32(1..90)),
        cpu_units,
        memory_mib,
        containers_units: 0,
        containers_mib: made.rng.u32(0..8_192),
        is_arm: made.rng.bool(),
        is_linux: true,
        is_on_demand: true,
    };
    change(&mut live, &mut terms);
    made.draft("ecs", "service/main/", "web-", Live::EcsService(live)).terms(Terms::Task(terms))
}

/// Levels that leave room on half of every size.
fn low(made: &mut Made) -> (f64, f64) {
    (2.0 + 27.0 * made.rng.f64(), 3.0 + 34.0 * made.rng.f64())
}

pub(super) fn add(made: &mut Made) {
    waste(made);
    needed(made);
    unlike(made);
}

fn waste(made: &mut Made) {
    let (cpu, memory) = low(made);
    let draft = service(made, |_, _| ()).loaded(made, cpu, memory);
    made.waste(RULE, "never near its size", draft);
    let full = 41.0 + 55.0 * made.rng.f64();
    let draft = service(made, |_, terms| (terms.cpu_units, terms.memory_mib) = (2_048, 4_096));
    let draft = draft.loaded(made, cpu, full);
    made.waste(RULE, "its memory is needed, half its CPU is not", draft);
    let busy = 31.0 + 60.0 * made.rng.f64();
    let draft = service(made, |service, _| service.bounds = None).loaded(made, busy, memory);
    // Two processors never have less than 4 GB.
    let draft = if smallest_memory(&draft) { draft.resized(2_048, 16_384) } else { draft };
    made.waste(RULE, "its CPU is needed, half its memory is not", draft);
    let draft = service(made, |_, terms| (terms.cpu_units, terms.memory_mib) = (512, 1_024));
    let draft = draft.loaded(made, cpu, memory);
    made.waste(RULE, "small, with one smaller", draft);
}

fn terms(draft: &Draft) -> &TaskTerms {
    match &draft.item.terms {
        Some(Terms::Task(terms)) => terms,
        other => panic!("{other:?}"),
    }
}

fn smallest_memory(draft: &Draft) -> bool {
    terms(draft).memory_mib == 2 * terms(draft).cpu_units
}

impl Draft {
    fn resized(self, cpu_units: u32, memory_mib: u32) -> Self {
        let terms = TaskTerms { cpu_units, memory_mib, ..terms(&self).clone() };
        self.terms(Terms::Task(terms))
    }
}

/// Those that need what they have.
fn needed(made: &mut Made) {
    let (cpu, memory) = low(made);
    let (busy, full) = (31.0 + 60.0 * made.rng.f64(), 41.0 + 55.0 * made.rng.f64());
    let draft = service(made, |_, _| ()).loaded(made, busy, full);
    made.innocent(RULE, "both are needed", draft);
    let draft = service(made, |_, terms| (terms.cpu_units, terms.memory_mib) = (256, 512)).loaded(made, cpu, memory);
    made.innocent(RULE, "there is nothing smaller", draft);
    let draft = service(made, |_, terms| (terms.cpu_units, terms.memory_mib) = (1_024, 8_192));
    let draft = draft.loaded(made, cpu, full);
    made.innocent(RULE, "half its CPU does not go with its memory", draft);
    let (day, hour) = (made.rng.i8(0..7), made.rng.i8(0..24));
    let draft = service(made, |_, _| ()).busy(made, (80.0, 3.0), |d, h| d == day && h == hour).memory(made, full);
    made.innocent(RULE, "its peak comes once a week", draft);
}

/// Those of which too little is known, or that are paid for otherwise.
fn unlike(made: &mut Made) {
    let (cpu, memory) = low(made);
    let draft = service(made, |_, terms| terms.is_on_demand = false).loaded(made, cpu, memory);
    made.innocent(RULE, "on Fargate Spot", draft);
    let draft = service(made, |_, terms| terms.is_linux = false).loaded(made, cpu, memory);
    made.innocent(RULE, "on Windows", draft);
    let mut draft = service(made, |_, _| ()).loaded(made, cpu, memory);
    draft.item.terms = None;
    draft.usage.clear();
    made.innocent(RULE, "on instances, which have their own price", draft);
    let deployed = Some(made.some_days_ago(0..14));
    let draft = service(made, |service, _| service.last_deployment_at = deployed).loaded(made, cpu, memory);
    made.innocent(RULE, "deployed a few days ago, perhaps in another size", draft);
    let draft = service(made, |service, _| service.running -= 1).loaded(made, cpu, memory);
    made.innocent(RULE, "a task of it is not there", draft);
    let draft = service(made, |service, _| (service.desired, service.running) = (0, 0)).loaded(made, cpu, memory);
    made.innocent(RULE, "switched off", draft);
    let draft = service(made, |_, _| ()).unread(Quantity::CpuPct).memory(made, memory);
    made.innocent(RULE, "metrics denied", draft);
    let draft = service(made, |_, _| ()).loaded(made, cpu, memory);
    let draft = made.kept(draft);
    made.innocent(RULE, "kept, or on standby, by tag", draft);
}
