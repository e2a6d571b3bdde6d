//! Caches: single ones, groups with replicas, Memcached.

use super::load::flat;
use super::{Draft, Made};
use domain::cost::prices::Sold;
use domain::cost::terms::{CacheTerms, Terms};
use domain::cost::usage::Quantity;
use domain::resource::{Cache, Live};

const IDLE: &str = "idle_cache";
const OVERSIZED: &str = "oversized_cache";
/// Types of nodes and their price an hour in Frankfurt, rounded.
const TYPES: [(&str, f64); 4] = [
    ("cache.r6g.large", 247_000.0),
    ("cache.m5.12xlarge", 4_500_000.0),
    ("cache.r6g.xlarge", 494_000.0),
    ("cache.t4g.medium", 75_000.0),
];

/// Unit prices of what is made here.
pub(super) fn prices() -> Vec<(Sold, f64)> {
    let of = |(node_type, price): (&str, f64)| {
        ["redis", "memcached"].map(|engine| {
            let (node_type, engine) = (node_type.to_owned(), engine.to_owned());
            (Sold::CacheHour { node_type, engine }, price)
        })
    };
    TYPES.into_iter().flat_map(of).collect()
}

fn cache(made: &mut Made, node_type: usize, engine: &str, change: impl FnOnce(&mut CacheTerms)) -> Draft {
    let mut terms = CacheTerms {
        is_available: true,
        node_type: TYPES[node_type].0.to_owned(),
        nodes: if engine == "memcached" { made.rng.u32(1..4) } else { 1 },
        group: None,
        peers: Vec::new(),
        is_global: false,
    };
    change(&mut terms);
    let live = Live::Cache(Cache {
        engine: engine.to_owned(),
        host: "cache.local".to_owned(),
        port: 6_379,
        tls: false,
        nodes: Vec::new(),
    });
    made.draft("elasticache", "cluster:", "carts-", live).terms(Terms::Cache(terms))
}

fn redis(made: &mut Made, node_type: usize) -> Draft {
    cache(made, node_type, "redis", |_| ())
}

/// A primary and its replica; the first stands for both.
fn group(made: &mut Made, node_type: usize) -> [Draft; 2] {
    let name = format!("carts-{}", made.number);
    let mut both = [redis(made, node_type), redis(made, node_type)];
    both.sort_by(|a, b| a.item.resource.name.cmp(&b.item.resource.name));
    let names = [both[1].item.resource.name.clone(), both[0].item.resource.name.clone()];
    for (draft, peer) in both.iter_mut().zip(names) {
        if let Some(Terms::Cache(terms)) = &mut draft.item.terms {
            (terms.group, terms.peers) = (Some(name.clone()), vec![peer]);
        }
    }
    both
}

impl Draft {
    /// With so many connections and commands in the largest hour.
    fn asked(self, made: &mut Made, connections: f64, commands: f64) -> Self {
        let (connected, asked) = (flat(&mut made.rng, connections), flat(&mut made.rng, commands));
        self.history(made, Quantity::Connections, connected).history(made, Quantity::Commands, asked)
    }
}

pub(super) fn add(made: &mut Made) {
    idle(made);
    in_use(made);
    oversized(made);
    well_sized(made);
}

fn idle(made: &mut Made) {
    let node_type = made.rng.usize(0..TYPES.len());
    let draft = redis(made, node_type).asked(made, 4.0, 0.0);
    made.waste(IDLE, "connected to by the service alone", draft);
    let draft =
        redis(made, 0).history(made, Quantity::Connections, |_| Some(3.0)).history(made, Quantity::Commands, |_| None);
    made.waste(IDLE, "it never had a command to count", draft);
    let draft = cache(made, 0, "memcached", |_| ()).asked(made, 12.0, 0.0);
    made.waste(IDLE, "Memcached with inner connections alone", draft);
    let [first, second] = group(made, 2).map(|draft| draft);
    let (first, second) = (first.asked(made, 3.0, 0.0), second.asked(made, 3.0, 0.0));
    made.waste(IDLE, "a group that nobody asks, told once", first);
    made.innocent(IDLE, "the second node of such a group", second);
}

fn in_use(made: &mut Made) {
    let commands = 1.0 + made.rng.f64() * 1e5;
    let draft = redis(made, 0).asked(made, 20.0, commands);
    made.innocent(IDLE, "in use", draft);
    let draft = redis(made, 0).asked(made, 5.0, 0.0);
    made.innocent(IDLE, "somebody is connected and waits", draft);
    let at = made.rng.i64(0..168);
    let draft =
        redis(made, 0)
            .history(made, Quantity::Connections, |_| Some(3.0))
            .history(made, Quantity::Commands, |hour| Some(if hour % 168 == at { 2.0 } else { 0.0 }));
    made.innocent(IDLE, "asked once a week", draft);
    let days = made.rng.i64(0..13);
    let draft = redis(made, 0)
        .history(made, Quantity::Connections, |hour| (hour >= 720 - 24 * days).then_some(2.0))
        .history(made, Quantity::Commands, |_| None);
    made.innocent(IDLE, "just made", draft);
    let [first, second] = group(made, 2);
    let (first, second) = (first.asked(made, 3.0, 0.0), second.asked(made, 9.0, 50.0));
    made.innocent(IDLE, "its replica is read", first);
    made.innocent(IDLE, "a replica that is read", second);
    let draft = redis(made, 0).asked(made, 3.0, 0.0);
    let mut draft = draft;
    if let Some(Terms::Cache(terms)) = &mut draft.item.terms {
        terms.is_global = true;
    }
    made.innocent(IDLE, "waits for the failure of another Region", draft);
    let draft = redis(made, 0).history(made, Quantity::Connections, |_| Some(3.0)).unread(Quantity::Commands);
    made.innocent(IDLE, "its commands were not read", draft);
    let draft = redis(made, 0).unread(Quantity::Connections).history(made, Quantity::Commands, |_| Some(0.0));
    made.innocent(IDLE, "its connections were not read", draft);
    let draft = cache(made, 0, "memcached", |_| ()).history(made, Quantity::Connections, |_| Some(12.0)).history(
        made,
        Quantity::Commands,
        |_| None,
    );
    made.innocent(IDLE, "Memcached that does not say what it was asked", draft);
    let draft = redis(made, 0).asked(made, 3.0, 0.0);
    let draft = made.kept(draft);
    made.innocent(IDLE, "kept, or on standby, by tag", draft);
}

/// Levels that leave room on a type of half the size.
fn low(made: &mut Made) -> (f64, f64) {
    (2.0 + 26.0 * made.rng.f64(), 3.0 + 34.0 * made.rng.f64())
}

fn oversized(made: &mut Made) {
    let (cpu, memory) = low(made);
    let draft = redis(made, 2).asked(made, 20.0, 1e5).loaded(made, cpu, memory);
    made.waste(OVERSIZED, "never near its size", draft);
    let draft = redis(made, 1).asked(made, 20.0, 1e5).loaded(made, 19.0, 24.0);
    made.waste(OVERSIZED, "room on a third of the size", draft);
    let draft = redis(made, 3).asked(made, 20.0, 1e5).loaded(made, 9.0, memory);
    made.waste(OVERSIZED, "a burstable one that its smaller one's baseline carries", draft);
    let [first, second] = group(made, 2);
    let first = first.asked(made, 20.0, 1e5).loaded(made, cpu, memory);
    let second = second.asked(made, 20.0, 1e5).loaded(made, cpu, memory);
    made.waste(OVERSIZED, "a group, told once", first);
    made.innocent(OVERSIZED, "the second node of such a group", second);
}

fn well_sized(made: &mut Made) {
    let (cpu, memory) = low(made);
    let used = |made: &mut Made, node_type| redis(made, node_type).asked(made, 20.0, 1e5);
    let draft = used(made, 0).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "there is no smaller type of its family", draft);
    let draft = used(made, 1).loaded(made, 21.0, 20.0);
    made.innocent(OVERSIZED, "too busy for a third of its size", draft);
    let draft = used(made, 3).loaded(made, 25.0, memory);
    made.innocent(OVERSIZED, "a smaller burstable type would live on credits", draft);
    let full = 41.0 + 55.0 * made.rng.f64();
    let draft = used(made, 2).loaded(made, cpu, full);
    made.innocent(OVERSIZED, "its memory is needed", draft);
    let (day, hour) = (made.rng.i8(0..7), made.rng.i8(0..24));
    let draft = used(made, 2).busy(made, (80.0, 3.0), |d, h| d == day && h == hour).memory(made, memory);
    made.innocent(OVERSIZED, "its peak comes once a week", draft);
    let [first, second] = group(made, 2);
    let first = first.asked(made, 20.0, 1e5).loaded(made, cpu, memory);
    let second = second.asked(made, 20.0, 1e5).loaded(made, 55.0, memory);
    made.innocent(OVERSIZED, "its replica is busy with reads", first);
    made.innocent(OVERSIZED, "a replica that is busy with reads", second);
    let draft = cache(made, 2, "memcached", |_| ()).asked(made, 20.0, 1e5);
    let cpu_flat = flat(&mut made.rng, cpu);
    let draft = draft.history(made, Quantity::CpuPct, cpu_flat).history(made, Quantity::MemoryPct, |_| None);
    made.innocent(OVERSIZED, "Memcached, whose memory nobody knows", draft);
    let draft = used(made, 2).unread(Quantity::CpuPct).memory(made, memory);
    made.innocent(OVERSIZED, "metrics denied", draft);
    let draft = used(made, 2).loaded(made, cpu, memory);
    let draft = made.kept(draft);
    made.innocent(OVERSIZED, "kept, or on standby, by tag", draft);
}
