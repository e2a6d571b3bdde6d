//! What is left of a build, whatever happens to it: the index as it was wanted, or nothing. The engine is the real one, with its journal; the
//! actuator works on a real server.

use crate::shop::{Shop, USERS};
use domain::approval::Consent;
use domain::change::{Action, Change, ChangeKind};
use domain::execution::Cycle;
use domain::ids::{AppId, ExecutionId};
use domain::mode::Mode;
use domain::performance::index::{Index, IndexSpec, IndexState};
use domain::plan::Plan;
use domain::resource::{Live, Resource};
use domain::snapshot::Snapshot;
use engine::act::{self, ChangeResult, Context, Ports, Report, Rules, Timing};
use engine::lease;
use engine::ports::{Actuator as _, Clock, EntryState, LeaseAnswer};
use engine::run::Run;
use engine::{settle, undo, verdict};
use jiff::SignedDuration;
use maintainer_postgres::Actuator;
use std::sync::Arc;
use std::time::Duration;
use testkit::{Process, Proof, World, build};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

const APP: &str = "shop";
/// Seconds left in a step.
pub const LEFT_S: f64 = 120.0;

fn wanted() -> IndexSpec {
    IndexSpec::btree("public", "orders", &["customer_id"])
}

fn resource(spec: &IndexSpec) -> Resource {
    let live = Live::Index(Index {
        database: "orders".to_owned(),
        schema: spec.schema.clone(),
        table: spec.table.clone(),
        name: spec.name(),
        state: IndexState::Absent,
        table_bytes: 0.0,
        oldest_transaction_s: 0.0,
        busy: None,
    });
    build::resource(&format!("index/orders/{}", spec.name()), &spec.name(), live)
}

/// A run of the performance cycle with one change to make.
pub struct Bench {
    world: Arc<World>,
    run: Run,
    snapshot: Snapshot,
    change: Change,
    limits: domain::guard::Limits,
}

impl Bench {
    async fn of(world: &Arc<World>, execution: &str, spec: &IndexSpec) -> Self {
        let action = Action::CreateIndex { database: "orders".to_owned(), index: Box::new(spec.clone()) };
        Self::making(world, execution, resource(spec), action).await
    }

    /// A run with this one change of a resource.
    pub async fn making(world: &Arc<World>, execution: &str, resource: Resource, action: Action) -> Self {
        let process = Process::sound(world);
        let (app, id) = (AppId::from(APP), ExecutionId::from(execution));
        let answer = lease::acquire(process.ports().leases, &process, Cycle::Performance, &app, &id).await.unwrap();
        let LeaseAnswer::Held(lease) = answer else { panic!("another run holds the lease") };
        let id = domain::change::id(&id, 1, action.kind(), &resource.id);
        let change = Change { resource: resource.id.clone(), ..build::change(id.as_str(), action) };
        let cycle = Cycle::Performance;
        Self {
            run: Run { cycle, workflow: cycle.workflow(), ..build::run(APP, execution, lease) },
            snapshot: build::snapshot(APP, &[resource], world.now()),
            world: Arc::clone(world),
            change,
            limits: build::limits(),
        }
    }

    async fn with<T>(&self, actuator: &Actuator<'_>, work: impl AsyncFnOnce(&Context<'_>) -> T) -> T {
        let process = Process::sound(&self.world);
        let ports = Ports { actuator, ..process.ports() };
        let rules = Rules {
            limits: &self.limits,
            mode: &|_: &Change| Mode::Auto,
            consent: &|_: &Change, _: &Live| Consent::NotAsked,
            earn_after: 0,
            freeze: &|_| None,
            surge: &|_| None,
            other_owner: &|_| None,
            calendar_closed: None,
            circuit_closed_at: None,
            timing: Timing::default(),
        };
        let deadline = process.now() + SignedDuration::from_secs(800);
        work(&Context { ports, run: &self.run, rules, deadline }).await
    }

    pub async fn act(&self, actuator: &Actuator<'_>) -> Report {
        let plan = Plan { changes: vec![self.change.clone()], ..Plan::default() };
        self.with(actuator, async |context| act::carry_out(context, &plan, &self.snapshot).await.unwrap()).await
    }

    /// What validation does where nothing could be measured: judged inconclusive, so it goes back.
    async fn judge_and_undo(&self, actuator: &Actuator<'_>) {
        self.with(actuator, async |context| {
            let _settled = settle::residue(context).await.unwrap();
            for entry in self.world.journal() {
                if entry.state == EntryState::Applied {
                    let outcome = domain::performance::without_measurement(&entry.change, &self.snapshot, "a test");
                    verdict::note(context.ports.journal, &self.run, entry, &outcome, context.now()).await.unwrap();
                }
            }
            let _undone = undo::residue(context).await.unwrap();
            let outcomes: Vec<_> = self.world.journal().into_iter().filter_map(|entry| entry.outcome).collect();
            let _undone = undo::carry_out(context, &outcomes).await.unwrap();
        })
        .await;
    }
}

pub fn end(report: &Report) -> &ChangeResult {
    &report.changes[0].result
}

/// Waits until the build of this task is in this phase.
async fn reaches(owner: &Client, task: &mut JoinHandle<Report>, phase: &str) {
    for _ in 0..600 {
        let rows = owner.query("SELECT phase FROM pg_stat_progress_create_index", &[]).await.unwrap();
        if rows.iter().any(|row| row.get::<_, String>(0).starts_with(phase)) {
            return;
        }
        if task.is_finished() {
            panic!("it ended before \"{phase}\": {:?}", task.await.unwrap());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the build does not reach \"{phase}\"");
}

/// A transaction that has modified a row.
async fn writer(shop: &Shop) -> Client {
    let client = shop.client().await;
    client.batch_execute("BEGIN; UPDATE orders SET note = 'held' WHERE id = 1").await.unwrap();
    client
}

const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index";

#[tokio::test]
async fn an_index_is_built_found_valid_and_dropped_again() {
    let shop = Shop::open("built").await;
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let world = Arc::new(World::of(Vec::new()));
    let bench = Bench::of(&world, "run-1", &wanted()).await;
    let report = bench.act(&actuator).await;
    assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{report:?}");
    assert!(shop.has_index(&wanted().name()).await && shop.invalid().await.is_empty());
    let Live::Index(live) = actuator.live(&resource(&wanted())).await.unwrap().live else { panic!() };
    assert_eq!(live.state, IndexState::Valid);
    assert!(live.table_bytes > 1e6, "{live:?}");
    bench.judge_and_undo(&actuator).await;
    assert!(!shop.has_index(&wanted().name()).await);
    assert_eq!(world.journal()[0].state, EntryState::Undone);
}

#[tokio::test]
async fn promise_p15_hostile_names_are_built_and_dropped_as_names() {
    let shop = Shop::open("names").await;
    shop.owner
        .batch_execute(
            "CREATE SCHEMA \"sales\"\"; DROP TABLE orders; --\"; \
             CREATE TABLE \"sales\"\"; DROP TABLE orders; --\".\"Ördërs \u{202e}'$1\" (\"a\"\"b; --\" int, \"INCLUDE (x)\" text); \
             INSERT INTO \"sales\"\"; DROP TABLE orders; --\".\"Ördërs \u{202e}'$1\" SELECT n, 'x' FROM generate_series(1, 3000) n",
        )
        .await
        .unwrap();
    let spec = IndexSpec {
        includes: vec!["INCLUDE (x)".to_owned()],
        ..IndexSpec::btree("sales\"; DROP TABLE orders; --", "Ördërs \u{202e}'$1", &["a\"b; --"])
    };
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let world = Arc::new(World::of(Vec::new()));
    let bench = Bench::of(&world, "run-1", &spec).await;
    let report = bench.act(&actuator).await;
    assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{report:?}");
    bench.judge_and_undo(&actuator).await;
    assert!(!shop.has_index(&spec.name()).await);
    let orders: i64 = shop.owner.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0);
    assert_eq!(orders, i64::from(crate::shop::ORDERS));
}

/// What ends a build in the middle.
#[derive(Clone, Copy, Debug)]
enum End {
    /// An administrator, a fail-over: the session is killed.
    Killed,
    /// The process that waits for it dies.
    ProcessDies,
    /// Its time is over.
    TimeIsOver,
}

/// Where the build is when it happens.
#[derive(Clone, Copy, Debug)]
enum Phase {
    BeforeBuild,
    BeforeValidation,
    OldSnapshots,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::BeforeBuild => "waiting for writers before build",
            Self::BeforeValidation => "waiting for writers before validation",
            Self::OldSnapshots => "waiting for old snapshots",
        }
    }
}

#[tokio::test]
async fn promise_p15_no_invalid_index_is_left_wherever_a_build_ends() {
    let shop = Arc::new(Shop::open("phases").await);
    let (proof, mut injected) = (Proof::begin("sql-builds"), 0);
    for phase in [Phase::BeforeBuild, Phase::BeforeValidation, Phase::OldSnapshots] {
        for how in [End::Killed, End::ProcessDies, End::TimeIsOver] {
            interrupted(&shop, phase, how).await;
            injected += 1;
        }
    }
    // And at moments that nobody has chosen.
    for tenth in 0..8_u64 {
        let world = Arc::new(World::of(Vec::new()));
        let bench = Arc::new(Bench::of(&world, "run-1", &wanted()).await);
        let task = {
            let (shop, bench) = (Arc::clone(&shop), Arc::clone(&bench));
            tokio::spawn(async move { bench.act(&Actuator::new(&shop.databases, &USERS, LEFT_S)).await })
        };
        tokio::time::sleep(Duration::from_millis(15 * tenth)).await;
        shop.owner.query(KILL, &[]).await.unwrap();
        let _report = task.await.unwrap();
        recovers(&shop, &world, &format!("killed after {} ms", 15 * tenth)).await;
        injected += 1;
    }
    proof.survived(injected);
}

/// One build that is interrupted, and the run after it.
async fn interrupted(shop: &Arc<Shop>, phase: Phase, how: End) {
    let about = format!("{phase:?}, {how:?}");
    let world = Arc::new(World::of(Vec::new()));
    let bench = Arc::new(Bench::of(&world, "run-1", &wanted()).await);
    let first = writer(shop).await;
    let old = shop.client().await;
    if matches!(phase, Phase::OldSnapshots) {
        old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM settings").await.unwrap();
    }
    let left_s = if matches!(how, End::TimeIsOver) { 48.0 } else { LEFT_S };
    let mut task = {
        let (shop, bench) = (Arc::clone(shop), Arc::clone(&bench));
        tokio::spawn(async move { bench.act(&Actuator::new(&shop.databases, &USERS, left_s)).await })
    };
    reaches(&shop.owner, &mut task, Phase::BeforeBuild.name()).await;
    let second = shop.client().await;
    if matches!(phase, Phase::BeforeValidation) {
        second.batch_execute("BEGIN; UPDATE orders SET note = 'held' WHERE id = 2").await.unwrap();
    }
    if !matches!(phase, Phase::BeforeBuild) {
        first.batch_execute("COMMIT").await.unwrap();
        reaches(&shop.owner, &mut task, phase.name()).await;
    }
    match how {
        End::Killed => {
            shop.owner.query(KILL, &[]).await.unwrap();
            let report = task.await.unwrap();
            // The state is on the server: an unfinished index is something that was done and must go.
            assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{about}: {report:?}");
        }
        End::ProcessDies => {
            task.abort();
            let _gone = task.await;
        }
        End::TimeIsOver => {
            tokio::time::sleep(Duration::from_secs(4)).await;
            // It cleans up after itself, as soon as those that it waits for have ended.
            for client in [&first, &second, &old] {
                client.batch_execute("ROLLBACK").await.unwrap();
            }
            let report = task.await.unwrap();
            assert!(matches!(end(&report), ChangeResult::Failed { .. }), "{about}: {report:?}");
            assert!(shop.invalid().await.is_empty(), "{about}: it was cleaned up at once");
        }
    }
    for client in [&first, &second, &old] {
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    recovers(shop, &world, &about).await;
}

/// The next run finds what is left, and takes it away.
async fn recovers(shop: &Shop, world: &Arc<World>, about: &str) {
    world.pass_s(20_000);
    let next = Bench::of(world, "run-2", &wanted()).await;
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    // A session whose client has died ends within seconds; until then the undo ends it.
    next.judge_and_undo(&actuator).await;
    let (invalid, journal) = (shop.invalid().await, world.journal());
    assert!(invalid.is_empty(), "{about}: {invalid:?} is left; {journal:#?}");
    assert!(!shop.has_index(&wanted().name()).await, "{about}: {journal:#?}");
    let open = journal.iter().find(|entry| entry.state.is_open());
    assert!(open.is_none(), "{about}: {open:#?}");
}

#[tokio::test]
async fn a_lock_time_out_of_the_role_does_not_end_a_build_that_waits() {
    let shop = Arc::new(Shop::open("locks").await);
    shop.owner.batch_execute("ALTER ROLE owner SET lock_timeout = '200ms'").await.unwrap();
    let world = Arc::new(World::of(Vec::new()));
    let bench = Arc::new(Bench::of(&world, "run-1", &wanted()).await);
    let first = writer(&shop).await;
    let mut task = {
        let (shop, bench) = (Arc::clone(&shop), Arc::clone(&bench));
        tokio::spawn(async move { bench.act(&Actuator::new(&shop.databases, &USERS, LEFT_S)).await })
    };
    reaches(&shop.owner, &mut task, Phase::BeforeBuild.name()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    first.batch_execute("COMMIT").await.unwrap();
    let report = task.await.unwrap();
    assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{report:?}");
    assert!(shop.invalid().await.is_empty());
}

#[tokio::test]
async fn a_build_is_not_begun_beside_an_old_transaction_or_other_work_on_the_table() {
    let shop = Shop::open("guards").await;
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let world = Arc::new(World::of(Vec::new()));
    let mut bench = Bench::of(&world, "run-1", &wanted()).await;
    let old = writer(&shop).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    bench.limits.transaction_s_max = 1;
    let report = bench.act(&actuator).await;
    let ChangeResult::Refused { why, .. } = end(&report) else { panic!("{report:?}") };
    assert!(why.contains("a transaction has been open for") && why.contains("at most 1 s"), "{why}");
    old.batch_execute("ROLLBACK; BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    bench.limits.transaction_s_max = 60;
    let report = bench.act(&actuator).await;
    let ChangeResult::Refused { why, .. } = end(&report) else { panic!("{report:?}") };
    assert!(why.contains("other work on the table"), "{why}");
    assert!(world.journal().is_empty(), "nothing was begun");
}

#[tokio::test]
async fn regression_a_build_waits_for_autovacuum_and_does_not_cancel_it() {
    let shop = Arc::new(Shop::with("vacuum", &["autovacuum_naptime=1s"]).await);
    let slowly = "ALTER TABLE orders SET (autovacuum_vacuum_threshold = 10, autovacuum_vacuum_scale_factor = 0, \
        autovacuum_vacuum_cost_delay = 20, autovacuum_vacuum_cost_limit = 200)";
    shop.owner.batch_execute(&format!("{slowly}; UPDATE orders SET total = 1 WHERE id < 30000")).await.unwrap();
    let at_work = "SELECT 1 FROM pg_stat_progress_vacuum p JOIN pg_stat_activity a ON a.pid = p.pid \
        WHERE p.relid = 'orders'::regclass AND a.backend_type = 'autovacuum worker'";
    let mut is_seen = false;
    for _ in 0..600 {
        is_seen = shop.owner.query_opt(at_work, &[]).await.unwrap().is_some();
        if is_seen {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_seen, "autovacuum has begun: {}", shop.server.log());
    let world = Arc::new(World::of(Vec::new()));
    let bench = Bench::of(&world, "run-1", &wanted()).await;
    let report = bench.act(&Actuator::new(&shop.databases, &USERS, LEFT_S)).await;
    assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{report:?}");
    assert!(!shop.server.log().contains("canceling autovacuum"), "{}", shop.server.log());
}

#[tokio::test]
async fn a_full_disk_and_a_refused_build_leave_nothing() {
    let shop = Shop::open("refused").await;
    let world = Arc::new(World::of(Vec::new()));
    // A value that no index can hold: the build fails in its middle.
    shop.owner.batch_execute("UPDATE orders SET note = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 900) n) WHERE id = 9")
        .await
        .unwrap();
    let spec = IndexSpec::btree("public", "orders", &["note"]);
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let bench = Bench::of(&world, "run-1", &spec).await;
    let report = bench.act(&actuator).await;
    let ChangeResult::Failed { why, .. } = end(&report) else { panic!("{report:?}") };
    assert!(why.contains("index row"), "{why}");
    assert!(!shop.has_index(&spec.name()).await && shop.invalid().await.is_empty(), "it was cleaned up at once");
    assert_eq!(world.journal()[0].state, EntryState::NotApplied);
    let Some(small) = SmallDisk::mount(&shop) else {
        println!("skipped: a small disk can only be made by root, so what a full one does is not tested here");
        return;
    };
    shop.owner.batch_execute(&format!("CREATE TABLESPACE small LOCATION '{}'", small.path)).await.unwrap();
    shop.owner.batch_execute("ALTER ROLE owner SET default_tablespace = 'small'").await.unwrap();
    let world = Arc::new(World::of(Vec::new()));
    let spec = IndexSpec { includes: vec!["total".to_owned(), "created_at".to_owned()], ..wanted() };
    let bench = Bench::of(&world, "run-1", &spec).await;
    let report = bench.act(&actuator).await;
    let ChangeResult::Failed { why, .. } = end(&report) else { panic!("{report:?}") };
    assert!(why.contains("the disk of the database is full"), "{why}");
    assert!(!shop.has_index(&spec.name()).await && shop.invalid().await.is_empty(), "{:?}", shop.invalid().await);
}

/// A disk of a megabyte.
struct SmallDisk {
    path: String,
}

impl SmallDisk {
    fn mount(shop: &Shop) -> Option<Self> {
        let path = shop.server.directory().join("small");
        std::fs::create_dir_all(&path).unwrap();
        let path = path.to_str().unwrap().to_owned();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=777,uid=65534,gid=65534", "tmpfs", &path])
            .output();
        mounted.is_ok_and(|done| done.status.success()).then_some(Self { path })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _done = std::process::Command::new("umount").args(["-l", &self.path]).output();
    }
}

#[tokio::test]
async fn a_server_that_restarts_in_the_middle_loses_nothing() {
    let shop = Arc::new(Shop::open("restart").await);
    let world = Arc::new(World::of(Vec::new()));
    let bench = Arc::new(Bench::of(&world, "run-1", &wanted()).await);
    let first = writer(&shop).await;
    let mut task = {
        let (shop, bench) = (Arc::clone(&shop), Arc::clone(&bench));
        tokio::spawn(async move { bench.act(&Actuator::new(&shop.databases, &USERS, LEFT_S)).await })
    };
    reaches(&shop.owner, &mut task, Phase::BeforeBuild.name()).await;
    // A crash of one session restarts the whole server, as after a fail-over.
    let pid: i32 = first.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let killed = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
    let report = task.await.unwrap();
    assert!(
        matches!(end(&report), ChangeResult::Applied { .. } | ChangeResult::Unsettled { .. }),
        "what became of it is asked later: {report:?}"
    );
    let fresh = shop.server.session(testkit::postgres::OWNER, "shop").await;
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    world.pass_s(20_000);
    let next = Bench::of(&world, "run-2", &wanted()).await;
    next.judge_and_undo(&Actuator::new(&shop.databases, &USERS, LEFT_S)).await;
    assert_eq!(fresh.query_one(invalid, &[]).await.unwrap().get::<_, i64>(0), 0);
    assert!(world.journal().iter().all(|entry| !entry.state.is_open()), "{:#?}", world.journal());
}

#[test]
fn what_is_not_measured_is_taken_back() {
    let spec = domain::changes::spec(ChangeKind::CreateIndex);
    assert_eq!(spec.when_inconclusive, domain::change::WhenInconclusive::Undo);
}
