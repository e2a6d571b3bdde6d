//! The ports of a step on a world, with one call that goes wrong.

use async_trait::async_trait;
use config::Selector;
use domain::approval::Request;
use domain::execution::ExecutionRecord;
use domain::ids::{AppId, ExecutionId, RequestId};
use domain::outcome::Outcome;
use domain::place::Place;
use domain::watch::{Roll, Watched};
use engine::ports::{
    Approvals, Arrival, Artifacts, Asked, Circuit, Clock, DeadLetters, Discovery, Entry, EntryState, Episode, Episodes,
    Executions, Intent, Inventory, Journal, Lease, LeaseAnswer, Leases, Life, Liveness, Message, Notifier, Places,
    PortError, PortResult, Renewal, Starter, Watch,
};
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use testkit::World;

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// It never arrives, and its caller learns only that it does not know.
    Lost,
    /// It takes effect, and the answer is lost: its caller does not know either.
    Unanswered,
    /// The service throttles it.
    Throttled,
    /// IAM refuses it.
    Denied,
}

impl Goes {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Lost, Self::Unanswered, Self::Throttled, Self::Denied];

    /// Whether a step says what went wrong: what may go well later, or what is to be granted.
    pub fn is_told_by<T>(self, answer: &Result<T, StepError>) -> bool {
        match answer {
            Err(StepError::Config(_)) => self == Self::Denied,
            Err(StepError::Transient(_)) => self != Self::Denied,
            _ => false,
        }
    }
}

/// What is kept apart from the world: numbers of calls, and the queue of parked events.
#[derive(Default)]
struct State {
    calls: usize,
    fault: Option<(usize, Goes)>,
    parked: Vec<(String, String)>,
    takes_turns: bool,
}

/// The ports.
pub struct Wire {
    /// The world behind them.
    pub world: Arc<World>,
    /// What lies in other places; a place that is not here does not let us in.
    elsewhere: Vec<(Place, Arc<World>)>,
    state: Mutex<State>,
}

impl Wire {
    /// Ports on which everything goes well.
    pub fn sound(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), elsewhere: Vec::new(), state: Mutex::default() }
    }

    /// Ports on which the call with this number, from 0, goes wrong.
    pub fn failing(world: &Arc<World>, number: usize, goes: Goes) -> Self {
        let state = State { fault: Some((number, goes)), ..State::default() };
        Self { world: Arc::clone(world), elsewhere: Vec::new(), state: Mutex::new(state) }
    }

    /// Ports on which everything goes well, and every call lets others go first once and takes a millisecond: for [`testkit::interleave`].
    pub fn taking_turns(world: &Arc<World>) -> Self {
        let state = State { takes_turns: true, ..State::default() };
        Self { world: Arc::clone(world), elsewhere: Vec::new(), state: Mutex::new(state) }
    }

    /// The same, and the call with this number goes wrong.
    pub fn failing_in_turn(world: &Arc<World>, number: usize, goes: Goes) -> Self {
        let state = State { takes_turns: true, fault: Some((number, goes)), ..State::default() };
        Self { world: Arc::clone(world), elsewhere: Vec::new(), state: Mutex::new(state) }
    }

    /// The same with another place behind it.
    pub fn with_place(mut self, place: Place, there: &Arc<World>) -> Self {
        self.elsewhere.push((place, Arc::clone(there)));
        self
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.state().calls
    }

    /// Events that were parked, each with the reason.
    pub fn parked(&self) -> Vec<(String, String)> {
        self.state().parked.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T: Send>(&self, work: impl Future<Output = PortResult<T>> + Send) -> PortResult<T> {
        let takes_turns = self.state().takes_turns;
        if takes_turns {
            testkit::schedule::give_way().await;
            self.world.jump(SignedDuration::from_millis(1));
        }
        let goes = {
            let mut state = self.state();
            let number = state.calls;
            state.calls += 1;
            state.fault.filter(|(at, _)| *at == number).map(|(_, goes)| goes)
        };
        let operation = "a call".to_owned();
        match goes {
            None => return work.await,
            Some(Goes::Throttled) => return Err(PortError::Throttled { operation }),
            Some(Goes::Denied) => return Err(PortError::Denied { operation, permission: "a:Call".to_owned() }),
            Some(Goes::Lost) => {}
            Some(Goes::Unanswered) => {
                let _never_heard = work.await;
            }
        }
        Err(PortError::Unknown { operation, why: "the connection was reset".to_owned() })
    }
}

#[async_trait]
impl Clock for Wire {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn wait(&self, seconds: u32) {
        self.world.pass_s(seconds);
    }
}

#[async_trait]
impl Places for Wire {
    async fn inventory(&self, place: &Place) -> PortResult<Box<dyn Inventory>> {
        let there = self.elsewhere.iter().find(|(known, _)| known == place).map(|(_, there)| Self::sound(there));
        self.call(async {
            there.map(|there| Box::new(there) as Box<dyn Inventory>).ok_or_else(|| PortError::Denied {
                operation: "sts:AssumeRole".to_owned(),
                permission: format!("the role in {place}"),
            })
        })
        .await
    }
}

#[async_trait]
impl Inventory for Wire {
    async fn discover(&self, selector: &Selector) -> PortResult<Discovery> {
        self.call(self.world.discover(selector)).await
    }
    async fn tagged_apps(&self) -> PortResult<Vec<AppId>> {
        self.call(self.world.tagged_apps()).await
    }
    async fn alarm_tags(&self, alarm_arn: &str) -> PortResult<BTreeMap<String, String>> {
        self.call(self.world.alarm_tags(alarm_arn)).await
    }
}

#[async_trait]
impl Episodes for Wire {
    async fn join(
        &self,
        key: &str,
        alarms: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        window_s: u32,
    ) -> PortResult<Episode> {
        self.call(self.world.join(key, alarms, now, window_s)).await
    }
    async fn mark_started(&self, key: &str, episode_id: &str) -> PortResult<()> {
        self.call(self.world.mark_started(key, episode_id)).await
    }
    async fn open(&self, key: &str) -> PortResult<Option<Episode>> {
        self.call(Episodes::open(&*self.world, key)).await
    }
    async fn close(&self, key: &str, episode_id: &str) -> PortResult<()> {
        self.call(Episodes::close(&*self.world, key, episode_id)).await
    }
    async fn replace(&self, key: &str, read: &Episode, next: Option<&Episode>) -> PortResult<bool> {
        self.call(self.world.replace(key, read, next)).await
    }
    async fn arrive(&self, transition: &str, now: Timestamp) -> PortResult<Arrival> {
        self.call(self.world.arrive(transition, now)).await
    }
    async fn remember(&self, transition: &str, now: Timestamp) -> PortResult<()> {
        self.call(self.world.remember(transition, now)).await
    }
}

#[async_trait]
impl Watch for Wire {
    async fn roll(&self) -> PortResult<Roll> {
        self.call(self.world.roll()).await
    }
    async fn call(&self, roll: &Roll) -> PortResult<()> {
        self.call(Watch::call(&*self.world, roll)).await
    }
    async fn known(&self, app: &AppId, now: Timestamp) -> PortResult<Watched> {
        self.call(self.world.known(app, now)).await
    }
    async fn looked(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.call(self.world.looked(app, at)).await
    }
    async fn told(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.call(self.world.told(app, at)).await
    }
    async fn forget(&self, app: &AppId) -> PortResult<()> {
        self.call(self.world.forget(app)).await
    }
}

#[async_trait]
impl Leases for Wire {
    async fn acquire(&self, key: &str, holder: &ExecutionId, now: Timestamp, ttl_s: u32) -> PortResult<LeaseAnswer> {
        self.call(self.world.acquire(key, holder, now, ttl_s)).await
    }
    async fn renew(&self, key: &str, lease: &Lease, iteration: u32, now: Timestamp, ttl_s: u32) -> PortResult<Renewal> {
        self.call(self.world.renew(key, lease, iteration, now, ttl_s)).await
    }
    async fn take_over(
        &self,
        key: &str,
        dead: &Lease,
        holder: &ExecutionId,
        now: Timestamp,
        ttl_s: u32,
    ) -> PortResult<LeaseAnswer> {
        self.call(self.world.take_over(key, dead, holder, now, ttl_s)).await
    }
    async fn release(&self, key: &str, holder: &ExecutionId) -> PortResult<()> {
        self.call(self.world.release(key, holder)).await
    }
    async fn holder(&self, key: &str) -> PortResult<Option<Lease>> {
        self.call(self.world.holder(key)).await
    }
}

#[async_trait]
impl Circuit for Wire {
    async fn close(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.call(Circuit::close(&*self.world, app, at)).await
    }
    async fn closed_at(&self, app: &AppId) -> PortResult<Option<Timestamp>> {
        self.call(self.world.closed_at(app)).await
    }
}

#[async_trait]
impl Liveness for Wire {
    async fn life(&self, execution_arn: &str) -> PortResult<Life> {
        self.call(self.world.life(execution_arn)).await
    }
}

#[async_trait]
impl Starter for Wire {
    async fn start(&self, name: &str, input: &str) -> PortResult<bool> {
        self.call(self.world.start(name, input)).await
    }
}

#[async_trait]
impl DeadLetters for Wire {
    async fn park(&self, body: &str, why: &str) -> PortResult<()> {
        self.call(async {
            self.state().parked.push((body.to_owned(), why.to_owned()));
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Executions for Wire {
    async fn open(&self, record: &ExecutionRecord) -> PortResult<ExecutionRecord> {
        self.call(Executions::open(&*self.world, record)).await
    }
    async fn read(&self, id: &ExecutionId) -> PortResult<Option<ExecutionRecord>> {
        self.call(Executions::read(&*self.world, id)).await
    }
    async fn unclosed(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        self.call(self.world.unclosed(app)).await
    }
    async fn newest(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        self.call(Executions::newest(&*self.world, app)).await
    }
    async fn save(&self, record: &ExecutionRecord) -> PortResult<()> {
        self.call(self.world.save(record)).await
    }
    async fn result(&self, execution: &ExecutionId, iteration: u32, outcome: &Outcome) -> PortResult<()> {
        self.call(self.world.result(execution, iteration, outcome)).await
    }
}

#[async_trait]
impl Journal for Wire {
    async fn intend(&self, entry: &Entry) -> PortResult<Intent> {
        self.call(self.world.intend(entry)).await
    }
    async fn advance(&self, from: EntryState, entry: &Entry) -> PortResult<()> {
        self.call(self.world.advance(from, entry)).await
    }
    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Entry>> {
        self.call(Journal::since(&*self.world, app, from)).await
    }
}

#[async_trait]
impl Approvals for Wire {
    async fn ask(&self, request: &Request, task_token: &str) -> PortResult<Request> {
        self.call(self.world.ask(request, task_token)).await
    }
    async fn read(&self, app: &AppId, id: &RequestId) -> PortResult<Option<Asked>> {
        self.call(Approvals::read(&*self.world, app, id)).await
    }
    async fn close(&self, request: &Request) -> PortResult<()> {
        self.call(Approvals::close(&*self.world, request)).await
    }
    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Request>> {
        self.call(Approvals::since(&*self.world, app, from)).await
    }
    async fn open(&self, most: u32) -> PortResult<Vec<Request>> {
        self.call(Approvals::open(&*self.world, most)).await
    }
}

#[async_trait]
impl Artifacts for Wire {
    async fn put(&self, key: &str, body: Vec<u8>) -> PortResult<()> {
        self.call(self.world.put(key, body)).await
    }
    async fn get(&self, key: &str) -> PortResult<Option<Vec<u8>>> {
        self.call(self.world.get(key)).await
    }
}

#[async_trait]
impl Notifier for Wire {
    async fn notify(&self, message: &Message) -> PortResult<()> {
        self.call(self.world.notify(message)).await
    }
}
