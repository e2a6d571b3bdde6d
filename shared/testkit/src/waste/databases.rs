//! Databases: alone, with a standby, in clusters.

use super::load::flat;
use super::{Draft, Made};
use domain::cost::prices::{DatabaseClass, Sold};
use domain::cost::terms::{DatabaseTerms, Terms};
use domain::cost::usage::Quantity;
use domain::resource::{Database, Live};

const IDLE: &str = "idle_database";
const OVERSIZED: &str = "oversized_database";
const GIB: f64 = 1_073_741_824.0;
/// Classes, their memory in GiB and their price an hour in Frankfurt, rounded.
const CLASSES: [(&str, f64, f64); 4] = [
    ("db.m5.large", 8.0, 208_000.0),
    ("db.m5.xlarge", 16.0, 415_000.0),
    ("db.r6g.2xlarge", 64.0, 1_070_000.0),
    ("db.t4g.medium", 4.0, 77_000.0),
];

/// Unit prices of what is made here.
pub(super) fn prices() -> Vec<(Sold, f64)> {
    let mut listed = vec![(Sold::DatabaseSnapshotGib, 103_000.0)];
    for (is_multi_az, times) in [(false, 1.0), (true, 2.0)] {
        listed.push((Sold::DatabaseGib { storage_type: "gp3".to_owned(), is_multi_az }, 137_000.0 * times));
        for (class, _, price) in CLASSES {
            for engine in ["postgres", "aurora-postgresql"] {
                let (class, engine) = (class.to_owned(), engine.to_owned());
                let class = DatabaseClass { class, engine, is_multi_az, is_io_optimized: false };
                listed.push((Sold::DatabaseHour(class), price * times));
            }
        }
    }
    listed
}

/// An instance that has been there for long, of this class, whose connections are known each hour.
fn database(made: &mut Made, class: usize, change: impl FnOnce(&mut DatabaseTerms)) -> Draft {
    let (class, memory_gib, _) = CLASSES[class];
    let mut terms = DatabaseTerms {
        is_available: true,
        is_multi_az: made.rng.bool(),
        storage_type: "gp3".to_owned(),
        storage_gib: Some(made.rng.u32(20..2_000)),
        cluster: None,
        peers: Vec::new(),
        is_replica: false,
        has_replicas: false,
        has_deletion_protection: made.rng.bool(),
    };
    change(&mut terms);
    let engine = if terms.is_aurora() { "aurora-postgresql" } else { "postgres" };
    let live = Live::Database(Database {
        engine: engine.to_owned(),
        instance_class: class.to_owned(),
        connections_max: None,
        storage_bytes: terms.storage_gib.map(|gib| f64::from(gib) * GIB),
        memory_bytes: Some(memory_gib * GIB),
    });
    made.draft("rds", "db:", "orders-", live).terms(Terms::Database(terms))
}

/// Turned into a member of an Aurora cluster.
fn aurora(cluster: String) -> impl FnOnce(&mut DatabaseTerms) {
    move |terms| {
        "aurora".clone_into(&mut terms.storage_type);
        (terms.storage_gib, terms.is_multi_az) = (None, false);
        terms.cluster = Some(cluster);
    }
}

/// Two members that know of each other.
fn cluster(made: &mut Made) -> [Draft; 2] {
    let name = format!("cluster-{}", made.number);
    let [mut one, mut other] = [name.clone(), name].map(|name| database(made, 2, aurora(name)));
    let names = [one.item.resource.name.clone(), other.item.resource.name.clone()];
    for (draft, peer) in [(&mut one, &names[1]), (&mut other, &names[0])] {
        if let Some(Terms::Database(terms)) = &mut draft.item.terms {
            terms.peers = vec![peer.clone()];
        }
    }
    [one, other]
}

impl Draft {
    /// With this many connections at most, each hour.
    fn connected(self, made: &mut Made, peak: f64) -> Self {
        let connections = flat(&mut made.rng, peak);
        self.history(made, Quantity::Connections, connections)
    }

    /// With CPU and used memory, both in per cent, and connections that move a little below their peaks.
    fn working(self, made: &mut Made, cpu: f64, memory: f64, connections: f64) -> Self {
        let (cpu, mut used) = (flat(&mut made.rng, cpu), flat(&mut made.rng, memory));
        let Live::Database(live) = &self.item.resource.live else { panic!("a database") };
        let bytes = live.memory_bytes.expect("a memory");
        let free = move |hour| used(hour).map(|pct| bytes * (1.0 - pct / 100.0));
        self.connected(made, connections).history(made, Quantity::CpuPct, cpu).history(
            made,
            Quantity::FreeableBytes,
            free,
        )
    }
}

pub(super) fn add(made: &mut Made) {
    idle(made);
    in_use(made);
    oversized(made);
    well_sized(made);
}

fn idle(made: &mut Made) {
    let class = made.rng.usize(0..CLASSES.len());
    let draft = database(made, class, |_| ()).connected(made, 0.0);
    made.waste(IDLE, "nobody has connected for a month", draft);
    let name = format!("alone-{}", made.number);
    let draft = database(made, 2, aurora(name)).connected(made, 0.0);
    made.waste(IDLE, "the one instance of a forgotten cluster", draft);
    for draft in cluster(made) {
        let draft = draft.connected(made, 0.0);
        made.waste(IDLE, "writer and reader of a forgotten cluster", draft);
    }
}

fn in_use(made: &mut Made) {
    let peak = 1.0 + made.rng.f64() * 50.0;
    let draft = database(made, 0, |_| ()).connected(made, peak);
    made.innocent(IDLE, "in use", draft);
    let at = made.rng.i64(0..168);
    let draft = database(made, 1, |_| ())
        .history(made, Quantity::Connections, |hour| Some(if hour % 168 == at { 1.0 } else { 0.0 }));
    made.innocent(IDLE, "a report once a week", draft);
    let draft = database(made, 1, |terms| terms.is_replica = true).connected(made, 0.0);
    made.innocent(IDLE, "a replica for the failure of another Region", draft);
    let draft = database(made, 1, |terms| terms.has_replicas = true).connected(made, 0.0);
    made.innocent(IDLE, "read through its replicas alone", draft);
    let [writer, reader] = cluster(made);
    let (writer, reader) = (writer.connected(made, 20.0), reader.connected(made, 0.0));
    made.innocent(IDLE, "the writer of a cluster", writer);
    made.innocent(IDLE, "a reader that waits for its writer to fail", reader);
    let [one, other] = cluster(made);
    let (one, other) = (one.connected(made, 0.0), other.unread(Quantity::Connections));
    made.innocent(IDLE, "nobody knows who connects to the other instance", one);
    made.innocent(IDLE, "metrics denied", other);
    let days = made.rng.i64(0..13);
    let draft =
        database(made, 0, |_| ()).history(made, Quantity::Connections, |hour| (hour >= 720 - 24 * days).then_some(0.0));
    made.innocent(IDLE, "just made, or just started again", draft);
    let draft = database(made, 0, |terms| terms.is_available = false).history(made, Quantity::Connections, |_| None);
    made.innocent(IDLE, "stopped", draft);
    let draft = database(made, 0, |_| ()).connected(made, 0.0);
    let draft = made.kept(draft);
    made.innocent(IDLE, "kept, or on standby, by tag", draft);
}

/// Levels that leave room on the smaller class.
fn low(made: &mut Made) -> (f64, f64) {
    (2.0 + 26.0 * made.rng.f64(), 5.0 + 32.0 * made.rng.f64())
}

fn oversized(made: &mut Made) {
    let (cpu, memory) = low(made);
    let class = made.rng.usize(1..3);
    let draft = database(made, class, |_| ()).working(made, cpu, memory, 40.0);
    made.waste(OVERSIZED, "never near its size", draft);
    let name = format!("single-{}", made.number);
    let draft = database(made, 2, aurora(name)).working(made, cpu, memory, 40.0);
    made.waste(OVERSIZED, "the one instance of a small cluster", draft);
    let draft = database(made, 3, |_| ()).working(made, 9.0, memory, 10.0);
    made.waste(OVERSIZED, "a burstable one that its smaller one's baseline carries", draft);
}

fn well_sized(made: &mut Made) {
    let (cpu, memory) = low(made);
    let draft = database(made, 0, |_| ()).working(made, cpu, memory, 40.0);
    made.innocent(OVERSIZED, "RDS has no smaller class of its family", draft);
    let (day, hour) = (made.rng.i8(0..7), made.rng.i8(0..24));
    let full = flat(&mut made.rng, memory);
    let draft = database(made, 1, |_| ()).busy(made, (70.0, 4.0), |d, h| d == day && h == hour).connected(made, 40.0);
    let mut full = full;
    let draft = draft
        .history(made, Quantity::FreeableBytes, move |hour| full(hour).map(|pct| 16.0 * GIB * (1.0 - pct / 100.0)));
    made.innocent(OVERSIZED, "its peak comes once a week", draft);
    let memory_high = 41.0 + 50.0 * made.rng.f64();
    let draft = database(made, 1, |_| ()).working(made, cpu, memory_high, 40.0);
    made.innocent(OVERSIZED, "its buffer pool fills its memory", draft);
    let draft = database(made, 1, |_| ()).working(made, cpu, memory, 700.0);
    made.innocent(OVERSIZED, "a smaller class would not accept its connections", draft);
    let draft = database(made, 3, |_| ()).working(made, 25.0, memory, 10.0);
    made.innocent(OVERSIZED, "a smaller burstable class would live on credits", draft);
    let draft = database(made, 1, |terms| terms.is_replica = true).working(made, cpu, memory, 40.0);
    made.innocent(OVERSIZED, "a replica that must carry the load of its source", draft);
    let [writer, reader] = cluster(made);
    let (writer, reader) = (writer.working(made, cpu, memory, 40.0), reader.working(made, cpu, memory, 40.0));
    made.innocent(OVERSIZED, "a writer whose reader takes over", writer);
    made.innocent(OVERSIZED, "a reader that takes over", reader);
    let draft =
        database(made, 1, |_| ()).connected(made, 40.0).unread(Quantity::CpuPct).unread(Quantity::FreeableBytes);
    made.innocent(OVERSIZED, "metrics denied", draft);
    let cpu_flat = flat(&mut made.rng, cpu);
    let draft = database(made, 1, |_| ())
        .connected(made, 40.0)
        .history(made, Quantity::CpuPct, cpu_flat)
        .unread(Quantity::FreeableBytes);
    made.innocent(OVERSIZED, "its memory was not read", draft);
    let draft = database(made, 1, |_| ()).working(made, cpu, memory, 40.0);
    let draft = made.kept(draft);
    made.innocent(OVERSIZED, "kept, or on standby, by tag", draft);
}
