//! The world: resources, records and documents in memory, behind every port of the engine.
//!
//! Conditions are real (leases, journal states, one start per name); what is written is in a ledger with everything that an
//! invariant wants to know about that moment.

mod actuator;
mod approvals;
mod documents;
mod reading;
mod records;
mod things;
mod written;

pub use reading::Published;

use crate::clock::TestClock;
use domain::cost::savings::ChangeSaving;
use domain::execution::ExecutionRecord;
use domain::guard::KillSwitch;
use domain::ids::{AppId, ChangeId, ExecutionId, RequestId, ResourceId};
use domain::outcome::Outcome;
use domain::price::Sold;
use domain::resource::{Live, Resource};
use domain::snapshot::Alarm;
use domain::watch::{Roll, Watched};
use engine::ports::{Arrival, Asked, Clock, Discovery, Entry, EntryState, Episode, Lease, Life, Message};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A world in memory.
pub struct World {
    /// Its clock.
    pub clock: TestClock,
    state: Mutex<State>,
}

/// One modification of a resource, with what an invariant wants to know about that moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub landing: Landing,
    /// The resource.
    pub resource: ResourceId,
    /// Its state before.
    pub before: Live,
    /// Its state after.
    pub after: Live,
    /// Its state when it was last read through the actuator.
    pub last_seen: Option<Live>,
    /// Who held the lease on the application of the change then.
    pub lease: Option<Lease>,
    /// The kill switch at that moment.
    pub kill_switch: KillSwitch,
    /// Whether anybody had read the kill switch since it was last set.
    pub kill_switch_was_read: bool,
    /// The run whose process wrote, where it has said so.
    pub by: String,
}

impl Write {
    /// The change that caused it, unless somebody else did.
    pub fn change(&self) -> Option<&ChangeId> {
        match &self.landing {
            Landing::Applied(id, _) | Landing::Restored(id, _) => Some(id),
            Landing::Outside => None,
        }
    }
}

/// How a modification came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// A change was applied, with the state of its journal entry at that moment.
    Applied(ChangeId, Option<EntryState>),
    /// A change was undone, with the state of its journal entry at that moment.
    Restored(ChangeId, Option<EntryState>),
    /// Somebody else did something.
    Outside,
}

#[derive(Clone, Default)]
struct State {
    resources: BTreeMap<ResourceId, Resource>,
    removed: BTreeMap<ResourceId, Timestamp>,
    ledger: Vec<Write>,
    last_seen: BTreeMap<ResourceId, Live>,
    on_the_way: Vec<(Timestamp, String, domain::change::Change)>,
    writer: String,
    launched: u32,
    flushes: BTreeMap<ResourceId, u32>,
    journal: BTreeMap<ChangeId, Entry>,
    announced: BTreeMap<ChangeId, Timestamp>,
    leases: BTreeMap<String, LeaseRow>,
    lives: BTreeMap<String, Life>,
    calendars_closed: BTreeMap<String, String>,
    prices: BTreeMap<Sold, i64>,
    circuits: BTreeMap<AppId, Timestamp>,
    kill_switch: Option<KillSwitch>,
    kill_switch_was_read: bool,
    executions: BTreeMap<ExecutionId, ExecutionRecord>,
    results: BTreeMap<ChangeId, (ExecutionId, u32, Outcome)>,
    savings: BTreeMap<ChangeId, ChangeSaving>,
    artifacts: BTreeMap<String, Vec<u8>>,
    episodes: BTreeMap<String, (Episode, Timestamp)>,
    approvals: BTreeMap<(AppId, RequestId), Asked>,
    woken: Vec<(String, String)>,
    transitions: BTreeMap<String, Arrival>,
    roll: Roll,
    watched: BTreeMap<AppId, Watched>,
    started: BTreeMap<String, String>,
    messages: Vec<Message>,
    config: Option<String>,
    discovery: Option<Discovery>,
    tagged_apps: Vec<AppId>,
    alarm_tags: BTreeMap<String, BTreeMap<String, String>>,
    alarms: Vec<Alarm>,
    published: Vec<Published>,
}

#[derive(Clone, Debug)]
struct LeaseRow {
    lease: Lease,
    is_free: bool,
    /// The newest iteration that has renewed it or announced a change, and the fence under which it did.
    at: Option<(u64, u32)>,
}

impl LeaseRow {
    /// The iteration that is under way, where it comes after this one.
    fn later_than(&self, iteration: u32) -> Option<u32> {
        self.at.filter(|(fence, newest)| *fence == self.lease.fence && *newest > iteration).map(|(_, newest)| newest)
    }
}

impl World {
    /// A world with these resources, at [`crate::build::START`], its kill switch off.
    pub fn of(resources: Vec<Resource>) -> Self {
        let resources = resources.into_iter().map(|resource| (resource.id.clone(), resource)).collect();
        Self { clock: TestClock::at(crate::build::START), state: Mutex::new(State { resources, ..State::default() }) }
    }

    /// Becomes what another world is at this moment; only the metrics that are published here stay.
    pub fn take_after(&self, other: &World) {
        let theirs = other.state().clone();
        let mut state = self.state();
        let published = std::mem::take(&mut state.published);
        *state = State { published, ..theirs };
        drop(state);
        self.clock.move_by(other.now().duration_since(self.now()));
    }

    /// Executions whose record says that they still run.
    pub fn open_records(&self) -> Vec<ExecutionId> {
        let is_open = |record: &&ExecutionRecord| record.status == domain::execution::Status::Running;
        self.state().executions.values().filter(is_open).map(|record| record.execution_id.clone()).collect()
    }

    /// Leases that hold now.
    pub fn leases(&self) -> Vec<String> {
        let now = self.now();
        let holds = |row: &LeaseRow| !row.is_free && row.lease.expires_at > now;
        self.state().leases.iter().filter(|(_, row)| holds(row)).map(|(key, _)| key.clone()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass; requests that were on their way arrive.
    pub fn pass_s(&self, seconds: u32) {
        self.clock.forward_s(seconds);
        self.land();
    }

    /// Sets the clock forwards or back, as an operating system does after a jump.
    pub fn jump(&self, by: SignedDuration) {
        self.clock.move_by(by);
        self.land();
    }

    /// The resource as it is, or `None` when it is gone.
    pub fn resource(&self, id: &ResourceId) -> Option<Resource> {
        self.state().resources.get(id).cloned()
    }

    /// All resources as they are.
    pub fn resources(&self) -> Vec<Resource> {
        self.state().resources.values().cloned().collect()
    }

    /// The capacity of a fleet or a service; `None` when it is gone or of another kind.
    pub fn capacity(&self, id: &ResourceId) -> Option<u32> {
        match self.resource(id)?.live {
            Live::AutoScalingGroup(fleet) => Some(fleet.desired),
            Live::EcsService(service) => Some(service.desired),
            _ => None,
        }
    }

    /// How often a cache was emptied or a distribution invalidated.
    pub fn flushes(&self, id: &ResourceId) -> u32 {
        self.state().flushes.get(id).copied().unwrap_or(0)
    }

    /// A resource comes into being.
    pub fn add(&self, resource: Resource) {
        self.state().resources.insert(resource.id.clone(), resource);
    }

    /// Somebody else modifies a resource.
    pub fn edit(&self, id: &ResourceId, edit: impl FnOnce(&mut Resource)) {
        let now = self.now();
        let mut state = self.state();
        let Some(resource) = state.resources.get_mut(id) else { return };
        let before = resource.live.clone();
        edit(resource);
        let after = resource.live.clone();
        state.write(now, Landing::Outside, id, before, after, None);
    }

    /// Somebody else sets the capacity of a fleet or a service.
    pub fn edit_capacity(&self, id: &ResourceId, desired: u32) {
        self.edit(id, |resource| match &mut resource.live {
            Live::AutoScalingGroup(fleet) => actuator::resize_fleet(fleet, desired, "outside"),
            Live::EcsService(service) => (service.desired, service.running) = (desired, desired),
            _ => {}
        });
    }

    /// Somebody else deletes a resource.
    pub fn remove(&self, id: &ResourceId) {
        let now = self.now();
        let mut state = self.state();
        state.resources.remove(id);
        state.removed.insert(id.clone(), now);
    }

    /// Whether somebody else has deleted a resource.
    pub fn was_removed(&self, id: &ResourceId) -> bool {
        self.state().removed.contains_key(id)
    }

    /// Whether somebody else has deleted the resource of a change after the change was announced.
    pub fn was_removed_under(&self, change: &ChangeId, id: &ResourceId) -> bool {
        let announced_at = self.announced_at(change);
        self.state().removed.get(id).is_some_and(|at| announced_at.is_some_and(|announced_at| *at >= announced_at))
    }

    /// Sets the kill switch.
    pub fn set_kill_switch(&self, position: KillSwitch) {
        let mut state = self.state();
        state.kill_switch = Some(position);
        state.kill_switch_was_read = false;
    }

    /// Everything that was modified, in order.
    pub fn ledger(&self) -> Vec<Write> {
        self.state().ledger.clone()
    }

    /// When an intent was written, by the clock of the world and not by that of its writer.
    pub fn announced_at(&self, change: &ChangeId) -> Option<Timestamp> {
        self.state().announced.get(change).copied()
    }

    /// The next writes to resources are made by a process of this run.
    pub fn begin_write(&self, run: &str) {
        run.clone_into(&mut self.state().writer);
    }

    /// The journal, oldest entry first.
    pub fn journal(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.state().journal.values().cloned().collect();
        entries.sort_by(|a, b| (a.intended_at, a.id()).cmp(&(b.intended_at, b.id())));
        entries
    }

    /// An entry of the journal.
    pub fn entry(&self, change: &ChangeId) -> Option<Entry> {
        self.state().journal.get(change).cloned()
    }

    /// An execution is over, by its name; all others run.
    pub fn end(&self, execution: &str, life: Life) {
        self.state().lives.insert(execution.to_owned(), life);
    }

    /// What is sold gets a price, in millionths of a US dollar an hour; before, none is known.
    pub fn set_price(&self, sold: Sold, usd_micros_hour: i64) {
        self.state().prices.insert(sold, usd_micros_hour);
    }

    /// A change calendar closes, for this reason; `None` opens it.
    pub fn set_calendar(&self, calendar: &str, closed: Option<&str>) {
        let mut state = self.state();
        match closed {
            Some(why) => drop(state.calendars_closed.insert(calendar.to_owned(), why.to_owned())),
            None => drop(state.calendars_closed.remove(calendar)),
        }
    }

    /// All documents have expired.
    pub fn forget_documents(&self) {
        self.state().artifacts.clear();
    }

    /// The lease under a key, unless it was given back.
    pub fn lease(&self, key: &str) -> Option<Lease> {
        self.state().leases.get(key).filter(|row| !row.is_free).map(|row| row.lease.clone())
    }
}

impl State {
    fn kill_switch(&self) -> KillSwitch {
        self.kill_switch.clone().unwrap_or(KillSwitch::Off)
    }

    fn write(
        &mut self,
        at: Timestamp,
        landing: Landing,
        id: &ResourceId,
        before: Live,
        after: Live,
        lease: Option<Lease>,
    ) {
        let landing_is_outside = landing == Landing::Outside;
        let write = Write {
            at,
            landing,
            resource: id.clone(),
            before,
            after,
            last_seen: self.last_seen.get(id).cloned(),
            lease,
            kill_switch: self.kill_switch(),
            kill_switch_was_read: self.kill_switch_was_read,
            by: if landing_is_outside { String::new() } else { self.writer.clone() },
        };
        self.ledger.push(write);
    }
}
