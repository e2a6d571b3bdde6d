//! A process and its calls: numbers every call to the outside and injects faults at chosen numbers.
//!
//! One decorator over all the ports of the steps. A test runs it once without faults to learn how many calls there are, then once for
//! every call and fault.

mod people;
mod reached;
mod reading;

pub use reached::Reached;

use crate::schedule::give_way;
use crate::world::World;
use async_trait::async_trait;
use domain::change::Change;
use domain::guard::{Cleared, KillSwitch};
use domain::ids::{AppId, ExecutionId, ResourceId};
use domain::resource::{Live, Resource};
use engine::act::Ports;
use engine::ports::{
    Actuator, Clock, Entry, EntryState, Intent, Journal, Lease, LeaseAnswer, Leases, PortError, PortResult, Renewal,
    Switch,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before the call leaves.
    CrashBefore,
    /// The call takes effect, then the process dies.
    CrashAfter,
    /// The call never arrives; its caller learns that it does not know.
    LoseRequest,
    /// The call takes effect; its caller learns that it does not know.
    LoseAnswer,
    /// As [`Fault::LoseRequest`], but the call takes effect that many seconds later. For applying; elsewhere a lost request.
    LandLate(u32),
    /// The service throttles it.
    Throttle,
    /// IAM refuses it.
    Deny,
    /// It takes that many seconds, then works.
    Delay(u32),
    /// Somebody turns the kill switch on right before it.
    KillSwitch,
    /// Somebody else sets the size of the resource that the call is about right before it.
    Resize(u32),
}

/// One call to the outside, in the order in which they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its port and operation.
    pub operation: &'static str,
    /// It modifies the application.
    pub writes: bool,
}

/// What a call is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    /// The maintainer's own records.
    Records,
    /// A resource.
    Resource(&'a ResourceId),
    /// A change that is being applied.
    Sent(&'a Change),
}

impl Subject<'_> {
    fn resource(&self) -> Option<&ResourceId> {
        match self {
            Self::Records => None,
            Self::Resource(id) => Some(id),
            Self::Sent(change) => Some(&change.resource),
        }
    }
}

/// A process that works on a world, with faults planned by the number of the call, from 0.
pub struct Process {
    world: Arc<World>,
    inner: Mutex<Inner>,
    /// Milliseconds that a call takes.
    call_ms: i64,
    /// The run that it works for, for the ledger.
    works_for: String,
    /// Milliseconds by which its clock is ahead of the world's.
    ahead_ms: AtomicI64,
    /// When the platform ends it, by the clock of the world.
    ends_at: Option<Timestamp>,
}

struct Inner {
    calls: Vec<Call>,
    faults: BTreeMap<usize, Fault>,
    /// One more, at the first call of an operation.
    at: Option<(&'static str, Fault)>,
    injected: u32,
    has_crashed: bool,
}

impl Process {
    /// A process with these faults.
    pub fn with(world: &Arc<World>, faults: impl IntoIterator<Item = (usize, Fault)>) -> Self {
        let faults = faults.into_iter().collect();
        let inner = Inner { calls: Vec::new(), faults, at: None, injected: 0, has_crashed: false };
        let (works_for, ahead_ms, ends_at) = (String::new(), AtomicI64::new(0), None);
        Self { world: Arc::clone(world), inner: Mutex::new(inner), call_ms: 50, works_for, ahead_ms, ends_at }
    }

    /// The same, with a fault at the first call of an operation.
    #[must_use]
    pub fn failing_at(self, at: Option<(&'static str, Fault)>) -> Self {
        self.inner().at = at;
        self
    }

    /// The same, ended by the platform so many seconds from now: a call that it has not made by then it never makes.
    #[must_use]
    pub fn with_time_out(self, seconds: u32) -> Self {
        Self { ends_at: Some(self.world.now() + SignedDuration::from_secs(i64::from(seconds))), ..self }
    }

    /// Whether its time was over when it died.
    pub fn has_timed_out(&self) -> bool {
        self.has_crashed() && self.is_over()
    }

    fn is_over(&self) -> bool {
        self.ends_at.is_some_and(|at| self.world.now() >= at)
    }

    /// The same, working for this run, and its clock ahead of the world's by so much.
    #[must_use]
    pub fn working_for(self, run: &str, ahead: SignedDuration) -> Self {
        let process = Self { works_for: run.to_owned(), ..self };
        process.set_ahead(ahead);
        process
    }

    /// Sets the clock of this process alone: from now on it is ahead of the world's by so much.
    pub fn set_ahead(&self, ahead: SignedDuration) {
        let ahead_ms = i64::try_from(ahead.as_millis()).expect("a test moves the clock by less than an age");
        self.ahead_ms.store(ahead_ms, Ordering::SeqCst);
    }

    /// A process without faults.
    pub fn sound(world: &Arc<World>) -> Self {
        Self::with(world, [])
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ports of a writing step, all of them through this process.
    pub fn ports(&self) -> Ports<'_> {
        Ports { clock: self, actuator: self, journal: self, leases: self, switch: self, executions: self, alarms: self }
    }

    /// The calls made so far.
    pub fn calls(&self) -> Vec<Call> {
        self.inner().calls.clone()
    }

    /// The number of planned faults that came to pass.
    pub fn injected(&self) -> u32 {
        self.inner().injected
    }

    /// True once it has died.
    pub fn has_crashed(&self) -> bool {
        self.inner().has_crashed
    }

    /// Makes a call, with the fault that is planned for its number.
    async fn call<T>(
        &self,
        operation: &'static str,
        writes: bool,
        subject: Subject<'_>,
        work: impl Future<Output = PortResult<T>> + Send,
    ) -> PortResult<T>
    where
        T: Send,
    {
        // Between the last look at lease, switch and clock and the call itself nothing else can run: how long a process
        // may be held up there is bounded by the time-outs that the engine reckons with.
        if !writes {
            give_way().await;
        }
        let fault = self.next_fault(Call { operation, writes });
        match fault {
            Some(Fault::Delay(seconds)) => self.world.pass_s(seconds),
            Some(Fault::KillSwitch) => self.world.set_kill_switch(KillSwitch::On),
            Some(Fault::Resize(desired)) => {
                if let Some(resource) = subject.resource() {
                    self.world.edit_capacity(resource, desired);
                }
            }
            Some(Fault::LandLate(seconds)) => {
                if let Subject::Sent(change) = subject {
                    self.world.send(
                        change,
                        &self.works_for,
                        self.world.now() + SignedDuration::from_secs(i64::from(seconds)),
                    );
                }
            }
            _ => {}
        }
        if self.is_over() {
            return self.die().await;
        }
        let answer = match fault {
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::Throttle) => Err(PortError::Throttled { operation: operation.to_owned() }),
            Some(Fault::Deny) => {
                Err(PortError::Denied { operation: operation.to_owned(), permission: operation.to_owned() })
            }
            Some(Fault::LoseRequest | Fault::LandLate(_)) => Err(unknown(operation)),
            Some(Fault::LoseAnswer) => work.await.and_then(|_| Err(unknown(operation))),
            Some(Fault::CrashAfter) => {
                let _never_heard = work.await;
                self.die().await
            }
            None | Some(Fault::Delay(_) | Fault::KillSwitch | Fault::Resize(_)) => work.await,
        };
        self.world.jump(SignedDuration::from_millis(self.call_ms));
        if writes {
            give_way().await;
        }
        answer
    }

    fn next_fault(&self, call: Call) -> Option<Fault> {
        let mut inner = self.inner();
        let number = inner.calls.len();
        inner.calls.push(call);
        let at = inner.at.take_if(|(operation, _)| *operation == call.operation);
        let fault = inner.faults.remove(&number).or(at.map(|(_, fault)| fault));
        inner.injected += u32::from(fault.is_some());
        fault
    }

    /// The end of this process: its future is never polled again.
    async fn die<T>(&self) -> PortResult<T> {
        self.inner().has_crashed = true;
        std::future::pending().await
    }
}

fn unknown(operation: &str) -> PortError {
    PortError::Unknown { operation: operation.to_owned(), why: "the connection was reset".to_owned() }
}

/// Into how many parts a wait is divided, between which others go on.
const WAIT_PARTS: u32 = 6;

#[async_trait]
impl Clock for Process {
    fn now(&self) -> Timestamp {
        self.world.now() + SignedDuration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }

    /// Its own clock may be set; time goes on all the same.
    fn steady(&self) -> SignedDuration {
        self.world.steady()
    }

    async fn wait(&self, seconds: u32) {
        let ends_at = self.world.steady() + SignedDuration::from_secs(i64::from(seconds));
        while self.world.steady() < ends_at {
            give_way().await;
            let left = ends_at - self.world.steady();
            self.world.jump(
                left.min(SignedDuration::from_secs(i64::from(seconds.div_ceil(WAIT_PARTS)))).max(SignedDuration::ZERO),
            );
            if self.is_over() {
                let _never: PortResult<()> = self.die().await;
            }
        }
    }
}

#[async_trait]
impl Switch for Process {
    async fn read(&self) -> KillSwitch {
        let world = Arc::clone(&self.world);
        let answer =
            self.call("Switch.read", false, Subject::Records, async move { Ok(Switch::read(&*world).await) }).await;
        answer.unwrap_or_else(|error| KillSwitch::Unreadable(error.to_string()))
    }
}

#[async_trait]
impl Actuator for Process {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        self.call("Actuator.live", false, Subject::Resource(&resource.id), self.world.live(resource)).await
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        let work = async {
            self.world.begin_write(&self.works_for);
            self.world.apply(cleared).await
        };
        self.call("Actuator.apply", true, Subject::Sent(cleared.change()), work).await
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        let work = async {
            self.world.begin_write(&self.works_for);
            self.world.restore(change, prior).await
        };
        self.call("Actuator.restore", true, Subject::Resource(&change.resource), work).await
    }
}

#[async_trait]
impl Journal for Process {
    async fn intend(&self, entry: &Entry) -> PortResult<Intent> {
        self.call("Journal.intend", false, Subject::Records, self.world.intend(entry)).await
    }

    async fn advance(&self, from: EntryState, entry: &Entry) -> PortResult<()> {
        self.call("Journal.advance", false, Subject::Records, self.world.advance(from, entry)).await
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Entry>> {
        self.call("Journal.since", false, Subject::Records, self.world.since(app, from)).await
    }
}

#[async_trait]
impl Leases for Process {
    async fn acquire(&self, key: &str, holder: &ExecutionId, now: Timestamp, ttl_s: u32) -> PortResult<LeaseAnswer> {
        self.call("Leases.acquire", false, Subject::Records, self.world.acquire(key, holder, now, ttl_s)).await
    }

    async fn renew(&self, key: &str, lease: &Lease, iteration: u32, now: Timestamp, ttl_s: u32) -> PortResult<Renewal> {
        let renewal = self.world.renew(key, lease, iteration, now, ttl_s);
        self.call("Leases.renew", false, Subject::Records, renewal).await
    }

    async fn take_over(
        &self,
        key: &str,
        dead: &Lease,
        holder: &ExecutionId,
        now: Timestamp,
        ttl_s: u32,
    ) -> PortResult<LeaseAnswer> {
        self.call("Leases.take_over", false, Subject::Records, self.world.take_over(key, dead, holder, now, ttl_s))
            .await
    }

    async fn release(&self, key: &str, holder: &ExecutionId) -> PortResult<()> {
        self.call("Leases.release", false, Subject::Records, self.world.release(key, holder)).await
    }

    async fn holder(&self, key: &str) -> PortResult<Option<Lease>> {
        self.call("Leases.holder", false, Subject::Records, self.world.holder(key)).await
    }
}
