//! A shop whose database reads all orders to find those of a customer, with traffic that goes on as time passes.

use crate::cache::Caching;
use crate::pages::well;
use crate::server::{calm, catalog, is_analyzed};
use async_trait::async_trait;
use config::Config;
use domain::execution::{Cycle, ExecutionRecord};
use domain::ids::ExecutionId;
use domain::performance::cache;
use domain::performance::catalog::Catalog;
use domain::performance::index::{IndexSpec, IndexState};
use domain::performance::pages::PageLook;
use domain::performance::vitals::Look;
use domain::performance::{Counter, Priced, Question, Sample};
use domain::resource::{APP_TAG, Live};
use engine::documents;
use engine::ports::{Caches, Databases, EntryState, Executions, Lease, PortError, PortResult};
use engine::run::lease_key;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use testkit::{Landing, World, build};

const DOOR: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1";
/// Orders of a customer.
pub const OF_CUSTOMER: &str = "SELECT id, total FROM orders WHERE customer_id = $1";
/// An order by its key: never slow.
const BY_KEY: &str = "SELECT total FROM orders WHERE id = $1";
/// A new order.
const NEW: &str = "INSERT INTO orders (id, customer_id, total) VALUES ($1, $2, $3)";
/// What is asked of other tables.
const ELSEWHERE: [&str; 4] = [
    "SELECT name FROM items WHERE id = $1",
    "SELECT id FROM items WHERE id > $1 LIMIT $2",
    "UPDATE items SET name = $1 WHERE id = $2",
    "SELECT name FROM items WHERE id = ANY ($1)",
];
const STATEMENTS: usize = 3 + ELSEWHERE.len();
/// Milliseconds of the slow query as it is.
const SLOW_MS: f64 = 120.0;
/// What the configuration says besides the database.
pub const AUTO: &str = "mode: auto";

/// How the shop's database behaves.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// Milliseconds of the slow query with the index.
    pub with_index_ms: f64,
    /// Milliseconds of a new order with the index; one without.
    pub write_with_index_ms: f64,
    /// Calls a minute of the slow query after the first window.
    pub later_calls: f64,
    /// What users wait with the index, as a multiple.
    pub users: f64,
    /// Blocks that the slow query looks at with the index; 1,000 without.
    pub blocks: f64,
    /// What every statement of the database takes after the first window, as a multiple.
    pub later: f64,
    /// Rows of a million that have changed since the orders were analyzed.
    pub modified: f64,
    /// Milliseconds of the slow query once they are analyzed.
    pub analyzed_ms: f64,
}

/// It helps, as an index should.
pub const HELPS: Traits = Traits {
    with_index_ms: 2.0,
    write_with_index_ms: 1.05,
    later_calls: 40.0,
    users: 0.5,
    blocks: 5.0,
    later: 1.0,
    modified: 0.0,
    analyzed_ms: SLOW_MS,
};

/// What the server has counted.
#[derive(Clone)]
struct Counted {
    upto: Timestamp,
    /// Calls, sum and sum of squares of milliseconds, and blocks by statement.
    sums: [(f64, f64, f64, f64); STATEMENTS],
    reset_at: Timestamp,
}

/// The shop.
pub struct Shop {
    /// Its world.
    pub world: Arc<World>,
    /// What is configured.
    pub config: Config,
    traits: Traits,
    counted: Mutex<Counted>,
    /// What the database says when it is asked; nothing for an answer.
    pub refuses: Mutex<Option<PortError>>,
    /// What the database says when it is asked for its statements; nothing for an answer.
    pub uncounted: Mutex<Option<PortError>>,
    /// What its server says of itself.
    pub look: Mutex<fn(Timestamp) -> PortResult<Look>>,
    /// How its cache fares.
    pub caching: Mutex<Caching>,
    /// What comes for its page.
    pub page: Mutex<fn() -> PortResult<PageLook>>,
}

impl Shop {
    /// A shop under these settings.
    pub fn new(settings: &str, traits: Traits) -> Self {
        let world = world();
        let file = format!(
            "applications:\n  shop:\n    {settings}\n    databases:\n      orders: {{host: db.example.com, database: shop, \
             read_secret: maintainer/read/shop, change_secret: maintainer/change/shop}}\n    caches:\n      carts: {{host: \
             cache.example.com}}\n    pages: [\"https://shop.example.com/\"]\n"
        );
        Self::under(&file, world, traits)
    }

    /// The same with nothing but its cache.
    pub fn with_cache_alone() -> Self {
        Self::under("applications:\n  shop:\n    caches:\n      carts: {host: cache.example.com}\n", world(), HELPS)
    }

    fn under(file: &str, world: Arc<World>, traits: Traits) -> Self {
        let counted = Counted { upto: world.now(), sums: [(0.0, 0.0, 0.0, 0.0); STATEMENTS], reset_at: world.now() };
        let config = Config::parse(file).unwrap();
        let look: Mutex<fn(Timestamp) -> PortResult<Look>> = Mutex::new(|at| Ok(calm(at)));
        let caching = Mutex::new(Caching::default());
        let shop = Self {
            world,
            config,
            traits,
            counted: Mutex::new(counted),
            refuses: Mutex::new(None),
            uncounted: Mutex::new(None),
            look,
            caching,
            page: Mutex::new(well),
        };
        shop.publish();
        shop.world.pass_s(4 * 3_600);
        shop
    }

    /// A shop that is changed without asking, and whose index helps.
    pub fn auto() -> Self {
        Self::new(AUTO, HELPS)
    }

    /// The same shop in a world of its own, as it is now.
    pub fn fork(&self, config: Config) -> Self {
        let shop = Self::new(AUTO, self.traits);
        shop.world.take_after(&self.world);
        *shop.counted.lock().unwrap() = self.counted.lock().unwrap().clone();
        (*shop.refuses.lock().unwrap()).clone_from(&self.refuses.lock().unwrap());
        (*shop.uncounted.lock().unwrap()).clone_from(&self.uncounted.lock().unwrap());
        *shop.look.lock().unwrap() = *self.look.lock().unwrap();
        (*shop.caching.lock().unwrap()).clone_from(&self.caching.lock().unwrap());
        *shop.page.lock().unwrap() = *self.page.lock().unwrap();
        Self { config, ..shop }
    }

    fn publish(&self) {
        let elb = "AWS/ApplicationELB";
        let door = [("TargetGroup", "targetgroup/shop/1"), ("LoadBalancer", "app/shop/2")];
        let (world, users) = (Arc::downgrade(&self.world), self.traits.users);
        self.world.publish(elb, "TargetResponseTime", &door, move |at, _| {
            let world = world.upgrade()?;
            let factor = if has_index(&world, at) { users } else { 1.0 };
            let ripple = f64::from(u8::try_from(at.as_second().rem_euclid(420) / 60).unwrap()) / 1_000.0;
            Some((0.4 + ripple) * factor)
        });
        self.world.publish(elb, "RequestCount", &door, |_, _| Some(6_000.0));
        self.world.publish(elb, "HTTPCode_Target_5XX_Count", &door, |_, _| Some(1.0));
        self.world.publish(elb, "HealthyHostCount", &door, |_, _| Some(2.0));
        self.world.publish(elb, "UnHealthyHostCount", &door, |_, _| Some(0.0));
    }

    /// Whether the index that helps is there now.
    pub fn has_index(&self) -> bool {
        has_index(&self.world, self.world.now())
    }

    /// The counters begin anew, as somebody's call of `pg_stat_statements_reset` makes them.
    pub fn reset(&self) {
        let mut counted = self.counted.lock().unwrap();
        (counted.sums, counted.reset_at, counted.upto) =
            ([(0.0, 0.0, 0.0, 0.0); STATEMENTS], self.world.now(), self.world.now());
    }

    /// The record of a run.
    pub fn record(&self, run: &str) -> ExecutionRecord {
        ready(Executions::read(&*self.world, &ExecutionId::from(run))).unwrap().expect("the run has a record")
    }

    /// A document of a run.
    pub fn document<T: DeserializeOwned>(&self, run: &str, iteration: u32, name: &str) -> T {
        ready(documents::need(&*self.world, &format!("runs/shop/{run}/{iteration}/{name}.json"))).unwrap()
    }

    /// The lease of the performance cycle.
    pub fn lease(&self) -> Option<Lease> {
        self.world.lease(&lease_key(Cycle::Performance, &"shop".into()))
    }

    /// Whatever happened: nothing is open, nothing was done twice, nothing without its intent, no unfinished index, and the lease is free.
    pub fn assert_sound(&self, about: &str) {
        for entry in self.world.journal() {
            assert!(!entry.state.is_open(), "{about}: {} is left {:?}", entry.id(), entry.state);
        }
        let mut deeds = BTreeSet::new();
        for write in self.world.ledger() {
            match &write.landing {
                Landing::Applied(id, state) => {
                    assert!(deeds.insert((id.clone(), false)), "{about}: {id} was made twice");
                    assert_eq!(*state, Some(EntryState::Intended), "{about}: {id} was made before it was written down");
                }
                Landing::Restored(id, _) => assert!(deeds.insert((id.clone(), true)), "{about}: {id} was undone twice"),
                Landing::Outside => {}
            }
        }
        assert_eq!(self.lease(), None, "{about}: the lease is stuck");
    }

    /// The traffic since the last look, minute by minute.
    fn count(&self) -> Counted {
        let mut counted = self.counted.lock().unwrap();
        let now = self.world.now();
        while counted.upto + jiff::SignedDuration::from_mins(1) <= now {
            counted.upto += jiff::SignedDuration::from_mins(1);
            let at = counted.upto;
            let is_there = has_index(&self.world, at);
            let minute = at.duration_since(build::START).as_mins();
            let is_analyzed = is_analyzed(&self.world, at);
            let slow = match (is_there, is_analyzed) {
                (true, _) => self.traits.with_index_ms,
                (false, true) => self.traits.analyzed_ms,
                (false, false) => SLOW_MS,
            };
            let write = if is_there { self.traits.write_with_index_ms } else { 1.0 };
            let is_later = minute > 4 * 60 + 15;
            let calls = if is_later { self.traits.later_calls } else { 40.0 };
            let all = if is_later { self.traits.later } else { 1.0 };
            let is_better = is_there || (is_analyzed && self.traits.analyzed_ms < SLOW_MS);
            let blocks = if is_better { self.traits.blocks } else { 1_000.0 };
            let on_orders = [(calls, slow, blocks), (200.0, 0.05, 4.0), (100.0, write, 4.0)];
            let elsewhere = [(50.0, 0.1, 4.0), (5.0, 8.0, 90.0), (10.0, 0.4, 6.0), (20.0, 0.3, 12.0)];
            for (sums, (calls, ms, blocks)) in counted.sums.iter_mut().zip(on_orders.into_iter().chain(elsewhere)) {
                // A tenth of a spread, half of the calls above and half below.
                let ms = [all * ms * 0.9, all * ms * 1.1];
                sums.0 += calls;
                sums.1 += calls / 2.0 * (ms[0] + ms[1]);
                sums.2 += calls / 2.0 * (ms[0] * ms[0] + ms[1] * ms[1]);
                sums.3 += calls * blocks;
            }
        }
        Counted { upto: counted.upto, sums: counted.sums, reset_at: counted.reset_at }
    }

    fn refusal(&self) -> PortResult<()> {
        self.refuses.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

/// A world with the shop's door.
fn world() -> Arc<World> {
    let door = Live::TargetGroup { target_group: "targetgroup/shop/1".into(), load_balancer: "app/shop/2".into() };
    let mut door = build::resource(DOOR, "shop", door);
    door.tags.insert(APP_TAG.to_owned(), "shop".to_owned());
    Arc::new(World::of(vec![door]))
}

#[async_trait]
impl Caches for Shop {
    async fn look(&self, _: &str) -> PortResult<cache::Look> {
        self.caching.lock().unwrap().look(self.world.now())
    }
}

/// Whether an index on the customer was there at a moment.
fn has_index(world: &World, at: Timestamp) -> bool {
    let writes = world.ledger();
    let last = writes.iter().rev().find(|write| write.at <= at && matches!(write.after, Live::Index(_)));
    last.is_some_and(|write| matches!(&write.after, Live::Index(index) if index.state == IndexState::Valid))
}

fn serves(index: &IndexSpec) -> bool {
    index.table == "orders" && index.keys[0].column == "customer_id"
}

#[async_trait]
impl Databases for Shop {
    async fn sample(&self, _: &str, with_texts: bool) -> PortResult<Sample> {
        self.refusal()?;
        self.uncounted.lock().unwrap().clone().map_or(Ok(()), Err)?;
        let counted = self.count();
        let texts = [OF_CUSTOMER, BY_KEY, NEW].into_iter().chain(ELSEWHERE);
        let statements = texts.zip(counted.sums).zip(1..);
        let counter = |((text, (calls, sum, squares, blocks)), id): ((&str, (f64, f64, f64, f64)), i64)| Counter {
            id,
            text: if with_texts { text.to_owned() } else { String::new() },
            calls,
            total_ms: sum,
            sd_ms: if calls > 0.0 { (squares / calls - (sum / calls).powi(2)).max(0.0).sqrt() } else { 0.0 },
            rows: calls,
            hit: blocks,
            read: 0.0,
        };
        let statements = statements.map(counter).filter(|counter| counter.calls > 0.0).collect();
        Ok(Sample { at: self.world.now(), reset_at: Some(counted.reset_at), dropped: 0.0, statements })
    }

    async fn catalog(&self, _: &str) -> PortResult<Catalog> {
        self.refusal()?;
        Ok(catalog(&self.world, self.traits.modified))
    }

    async fn look(&self, _: &str) -> PortResult<Look> {
        self.refusal()?;
        (*self.look.lock().unwrap())(self.world.now())
    }

    async fn price(&self, _: &str, questions: &[Question]) -> PortResult<Vec<Option<Priced>>> {
        self.refusal()?;
        let price = |question: &Question| {
            let serving = question.indexes.iter().position(|index| serves(index) && index.includes.is_empty());
            let is_slow = question.text == OF_CUSTOMER && serving.is_none() && !self.has_index();
            Some(Priced {
                cost: if is_slow { 20_000.0 } else { 8.0 },
                uses: serving.filter(|_| question.text == OF_CUSTOMER).into_iter().collect(),
                bytes: vec![2e7; question.indexes.len()],
            })
        };
        Ok(questions.iter().map(price).collect())
    }
}

/// The answer of a fake, which never waits.
pub fn ready<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("a fake waits"),
    }
}
