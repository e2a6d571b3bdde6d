//! Records with their conditions: the journal, the leases, the executions and the alarm episodes.

use super::{LeaseRow, World};
use async_trait::async_trait;
use domain::cost::savings::ChangeSaving;
use domain::execution::{ExecutionRecord, Status};
use domain::ids::{AppId, ExecutionId};
use domain::observed::{Missing, Observed};
use domain::outcome::Outcome;
use domain::watch::{Roll, Watched};
use engine::ports::{
    Arrival, CalendarState, Calendars, Circuit, Entry, EntryState, Episode, Episodes, Executions, Intent, Journal,
    Lease, LeaseAnswer, Leases, Life, Liveness, PortError, PortResult, Renewal, SavingsBook, Watch,
};
use engine::run::lease_key;
use engine::runtime::BUILD;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::collections::BTreeSet;

#[async_trait]
impl Journal for World {
    async fn intend(&self, entry: &Entry) -> PortResult<Intent> {
        let now = self.now();
        let mut state = self.state();
        let key = lease_key(entry.workflow.cycle(), &entry.app);
        let is_ours =
            |row: &&LeaseRow| !row.is_free && row.lease.holder == entry.execution && row.lease.fence == entry.fence;
        let Some(row) = state.leases.get(&key).filter(is_ours) else {
            return Err(conflict("intend", "the lease is not held under this fence"));
        };
        if let Some(newest) = row.later_than(entry.iteration) {
            return Ok(Intent::Overtaken { newest });
        }
        if let Some(present) = state.journal.get(entry.id()) {
            return Ok(Intent::Present(Box::new(present.clone())));
        }
        state.journal.insert(entry.id().clone(), entry.clone());
        state.announced.insert(entry.id().clone(), now);
        if let Some(row) = state.leases.get_mut(&key) {
            row.at = Some((entry.fence, entry.iteration));
        }
        Ok(Intent::Written)
    }

    async fn advance(&self, from: EntryState, entry: &Entry) -> PortResult<()> {
        let mut state = self.state();
        match state.journal.get_mut(entry.id()) {
            Some(present) if present.state == from => {
                *present = entry.clone();
                Ok(())
            }
            Some(present) => Err(conflict("advance", &format!("the entry is {:?}, not {from:?}", present.state))),
            None => Err(conflict("advance", "there is no such entry")),
        }
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Entry>> {
        let mut entries = self.journal();
        entries.retain(|entry| entry.app == *app && entry.intended_at >= from);
        Ok(entries)
    }
}

#[async_trait]
impl Leases for World {
    async fn acquire(&self, key: &str, holder: &ExecutionId, now: Timestamp, ttl_s: u32) -> PortResult<LeaseAnswer> {
        let mut state = self.state();
        let expires_at = now + SignedDuration::from_secs(i64::from(ttl_s));
        let fence = match state.leases.get(key) {
            None => 1,
            Some(row) if !row.is_free && row.lease.holder == *holder => row.lease.fence,
            Some(row) if row.is_free || row.lease.expires_at <= now => row.lease.fence + 1,
            Some(row) => return Ok(LeaseAnswer::Busy(row.lease.clone())),
        };
        let lease = Lease { holder: holder.clone(), fence, expires_at, builds: this_build() };
        let at = state.leases.get(key).and_then(|row| row.at);
        state.leases.insert(key.to_owned(), LeaseRow { lease: lease.clone(), is_free: false, at });
        Ok(LeaseAnswer::Held(lease))
    }

    async fn renew(&self, key: &str, lease: &Lease, iteration: u32, now: Timestamp, ttl_s: u32) -> PortResult<Renewal> {
        let mut state = self.state();
        let row = state.leases.get_mut(key).ok_or_else(|| conflict("renew", "there is no lease"))?;
        if row.is_free || row.lease.holder != lease.holder || row.lease.fence != lease.fence {
            return Err(conflict(
                "renew",
                &format!("it is held by {} under fence {}", row.lease.holder, row.lease.fence),
            ));
        }
        if let Some(newest) = row.later_than(iteration) {
            return Ok(Renewal::Overtaken { newest });
        }
        row.at = Some((lease.fence, iteration));
        row.lease.expires_at = now + SignedDuration::from_secs(i64::from(ttl_s));
        row.lease.builds.extend(this_build());
        Ok(Renewal::Held(row.lease.clone()))
    }

    async fn take_over(
        &self,
        key: &str,
        dead: &Lease,
        holder: &ExecutionId,
        now: Timestamp,
        ttl_s: u32,
    ) -> PortResult<LeaseAnswer> {
        if let Some(row) = self
            .state()
            .leases
            .get_mut(key)
            .filter(|row| !row.is_free && row.lease.holder == dead.holder && row.lease.fence == dead.fence)
        {
            row.lease = Lease {
                holder: holder.clone(),
                fence: dead.fence + 1,
                expires_at: now + SignedDuration::from_secs(i64::from(ttl_s)),
                builds: this_build(),
            };
            return Ok(LeaseAnswer::Held(row.lease.clone()));
        }
        self.acquire(key, holder, now, ttl_s).await
    }

    async fn release(&self, key: &str, holder: &ExecutionId) -> PortResult<()> {
        if let Some(row) = self.state().leases.get_mut(key).filter(|row| row.lease.holder == *holder) {
            row.is_free = true;
        }
        Ok(())
    }

    async fn holder(&self, key: &str) -> PortResult<Option<Lease>> {
        Ok(self.lease(key))
    }
}

#[async_trait]
impl Executions for World {
    async fn open(&self, record: &ExecutionRecord) -> PortResult<ExecutionRecord> {
        let mut state = self.state();
        Ok(state.executions.entry(record.execution_id.clone()).or_insert_with(|| record.clone()).clone())
    }

    async fn read(&self, id: &ExecutionId) -> PortResult<Option<ExecutionRecord>> {
        Ok(self.state().executions.get(id).cloned())
    }

    async fn unclosed(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        let state = self.state();
        let unclosed = |record: &&ExecutionRecord| record.app == *app && record.status == Status::Running;
        let mut records: Vec<ExecutionRecord> = state.executions.values().filter(unclosed).cloned().collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.started_at));
        Ok(records)
    }

    async fn newest(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        let mut records: Vec<ExecutionRecord> =
            self.state().executions.values().filter(|record| record.app == *app).cloned().collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.started_at));
        records.truncate(25);
        Ok(records)
    }

    async fn save(&self, record: &ExecutionRecord) -> PortResult<()> {
        self.state().executions.insert(record.execution_id.clone(), record.clone());
        Ok(())
    }

    async fn result(&self, execution: &ExecutionId, iteration: u32, outcome: &Outcome) -> PortResult<()> {
        let row = (execution.clone(), iteration, outcome.clone());
        self.state().results.insert(outcome.change.clone(), row);
        Ok(())
    }
}

#[async_trait]
impl SavingsBook for World {
    async fn note(&self, _: &AppId, saving: &ChangeSaving, _: Timestamp) -> PortResult<()> {
        let mut state = self.state();
        let shown = state.savings.get(&saving.change).map(|noted| noted.verified.clone());
        let mut saving = saving.clone();
        // What the bill has shown stays unless the change was taken back.
        match (&saving.verified, shown) {
            (Observed::Missing(Missing::Gone), _) => {}
            (Observed::Missing(_), Some(shown @ Observed::Known(_))) => saving.verified = shown,
            _ => {}
        }
        state.savings.insert(saving.change.clone(), saving);
        Ok(())
    }
}

#[async_trait]
impl Calendars for World {
    async fn state(&self, calendars: &BTreeSet<String>) -> CalendarState {
        let state = self.state();
        let closed = calendars.iter().find_map(|calendar| state.calendars_closed.get(calendar));
        closed.map_or(CalendarState::Open, |why| CalendarState::Closed(why.clone()))
    }
}

#[async_trait]
impl Circuit for World {
    async fn close(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.state().circuits.insert(app.clone(), at);
        Ok(())
    }

    async fn closed_at(&self, app: &AppId) -> PortResult<Option<Timestamp>> {
        Ok(self.state().circuits.get(app).copied())
    }
}

#[async_trait]
impl Liveness for World {
    async fn life(&self, execution_arn: &str) -> PortResult<Life> {
        let name = execution_arn.rsplit(':').next().unwrap_or_default();
        Ok(self.state().lives.get(name).copied().unwrap_or(Life::Running))
    }
}

#[async_trait]
impl Episodes for World {
    async fn join(
        &self,
        key: &str,
        alarms: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        window_s: u32,
    ) -> PortResult<Episode> {
        let mut state = self.state();
        let open_until = now + SignedDuration::from_secs(i64::from(window_s));
        let fresh = || (Episode::opened(now, BTreeMap::new()), open_until);
        let row = state.episodes.entry(key.to_owned()).or_insert_with(fresh);
        if row.1 <= now {
            *row = fresh();
        }
        for (name, at) in alarms {
            let last = row.0.alarms.entry(name.clone()).or_insert(*at);
            *last = (*last).max(*at);
        }
        Ok(row.0.clone())
    }

    async fn mark_started(&self, key: &str, episode_id: &str) -> PortResult<()> {
        if let Some((episode, _)) = self.state().episodes.get_mut(key).filter(|(episode, _)| episode.id == episode_id) {
            episode.started = true;
        }
        Ok(())
    }

    async fn open(&self, key: &str) -> PortResult<Option<Episode>> {
        Ok(self.state().episodes.get(key).map(|(episode, _)| episode.clone()))
    }

    async fn close(&self, key: &str, episode_id: &str) -> PortResult<()> {
        let mut state = self.state();
        if state.episodes.get(key).is_some_and(|(episode, _)| episode.id == episode_id) {
            state.episodes.remove(key);
        }
        Ok(())
    }

    async fn replace(&self, key: &str, read: &Episode, next: Option<&Episode>) -> PortResult<bool> {
        let mut state = self.state();
        let Some(row) = state.episodes.get_mut(key).filter(|row| row.0.id == read.id && row.0.alarms == read.alarms)
        else {
            return Ok(false);
        };
        match next {
            Some(next) => {
                // The window opens anew; how long it is only whoever joins knows.
                let window = row.1.duration_since(row.0.opened_at);
                *row = (next.clone(), next.opened_at + window);
            }
            None => drop(state.episodes.remove(key)),
        }
        Ok(true)
    }

    async fn arrive(&self, transition: &str, now: Timestamp) -> PortResult<Arrival> {
        let mut state = self.state();
        Ok(*state.transitions.entry(transition.to_owned()).or_insert(Arrival { at: now, handled: false }))
    }

    async fn remember(&self, transition: &str, now: Timestamp) -> PortResult<()> {
        let mut state = self.state();
        state.transitions.entry(transition.to_owned()).or_insert(Arrival { at: now, handled: true }).handled = true;
        Ok(())
    }
}

#[async_trait]
impl Watch for World {
    async fn roll(&self) -> PortResult<Roll> {
        Ok(self.state().roll.clone())
    }

    async fn call(&self, roll: &Roll) -> PortResult<()> {
        let present = &mut self.state().roll;
        present.apps.extend(roll.apps.iter().cloned());
        (present.round_at, present.before_at) = (roll.round_at, roll.before_at);
        Ok(())
    }

    async fn known(&self, app: &AppId, now: Timestamp) -> PortResult<Watched> {
        Ok(self.state().watched(app, now).clone())
    }

    async fn looked(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.state().watched(app, at).looked_at = Some(at);
        Ok(())
    }

    async fn told(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.state().watched(app, at).told_at = Some(at);
        Ok(())
    }

    async fn forget(&self, app: &AppId) -> PortResult<()> {
        let mut state = self.state();
        state.roll.apps.remove(app);
        state.watched.remove(app);
        Ok(())
    }
}

impl super::State {
    fn watched(&mut self, app: &AppId, now: Timestamp) -> &mut Watched {
        let unknown = || Watched { app: app.clone(), since: now, looked_at: None, told_at: None };
        self.watched.entry(app.clone()).or_insert_with(unknown)
    }
}

impl World {
    /// What is noted of savings, by change.
    pub fn savings(&self) -> Vec<ChangeSaving> {
        self.state().savings.values().cloned().collect()
    }

    /// Results of changes, by change.
    pub fn results(&self) -> Vec<(ExecutionId, u32, Outcome)> {
        self.state().results.values().cloned().collect()
    }
}

fn this_build() -> BTreeSet<String> {
    BTreeSet::from([BUILD.to_owned()])
}

fn conflict(operation: &str, why: &str) -> PortError {
    PortError::Conflict { operation: operation.to_owned(), why: why.to_owned() }
}
