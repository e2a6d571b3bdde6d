//! The ports of the steps that ask people, tell them and keep records, as calls of a process.

use super::{Process, Subject};
use async_trait::async_trait;
use domain::approval::Request;
use domain::cost::savings::ChangeSaving;
use domain::execution::ExecutionRecord;
use domain::ids::{AppId, ExecutionId, RequestId};
use domain::outcome::Outcome;
use domain::resource::Resource;
use domain::snapshot::Alarm;
use engine::ports::{
    Alarms, Approvals, Arrival, Artifacts, Asked, Episode, Episodes, Executions, Message, Notifier, PortResult, Runs,
    SavingsBook, SigningKey, Starter, Waker,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::future::Future;

impl Process {
    pub(super) async fn records<T: Send>(
        &self,
        operation: &'static str,
        work: impl Future<Output = PortResult<T>> + Send,
    ) -> PortResult<T> {
        self.call(operation, false, Subject::Records, work).await
    }
}

#[async_trait]
impl Approvals for Process {
    async fn ask(&self, request: &Request, task_token: &str) -> PortResult<Request> {
        self.records("Approvals.ask", self.world.ask(request, task_token)).await
    }

    async fn read(&self, app: &AppId, id: &RequestId) -> PortResult<Option<Asked>> {
        self.records("Approvals.read", Approvals::read(&*self.world, app, id)).await
    }

    async fn close(&self, request: &Request) -> PortResult<()> {
        self.records("Approvals.close", Approvals::close(&*self.world, request)).await
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Request>> {
        self.records("Approvals.since", Approvals::since(&*self.world, app, from)).await
    }

    async fn open(&self, most: u32) -> PortResult<Vec<Request>> {
        self.records("Approvals.open", Approvals::open(&*self.world, most)).await
    }
}

#[async_trait]
impl Waker for Process {
    async fn wake(&self, task_token: &str, output: &str) -> PortResult<()> {
        self.records("Waker.wake", self.world.wake(task_token, output)).await
    }
}

#[async_trait]
impl SigningKey for Process {
    async fn read(&self) -> PortResult<Vec<u8>> {
        self.records("SigningKey.read", SigningKey::read(&*self.world)).await
    }
}

#[async_trait]
impl Runs for Process {
    async fn newest(&self, most: u32) -> PortResult<Vec<ExecutionId>> {
        self.records("Runs.newest", Runs::newest(&*self.world, most)).await
    }
}

#[async_trait]
impl Starter for Process {
    async fn start(&self, name: &str, input: &str) -> PortResult<bool> {
        self.records("Starter.start", self.world.start(name, input)).await
    }
}

#[async_trait]
impl Notifier for Process {
    async fn notify(&self, message: &Message) -> PortResult<()> {
        self.records("Notifier.notify", self.world.notify(message)).await
    }
}

#[async_trait]
impl Episodes for Process {
    async fn join(
        &self,
        key: &str,
        alarms: &BTreeMap<String, Timestamp>,
        now: Timestamp,
        window_s: u32,
    ) -> PortResult<Episode> {
        self.records("Episodes.join", self.world.join(key, alarms, now, window_s)).await
    }

    async fn mark_started(&self, key: &str, episode_id: &str) -> PortResult<()> {
        self.records("Episodes.mark_started", self.world.mark_started(key, episode_id)).await
    }

    async fn open(&self, key: &str) -> PortResult<Option<Episode>> {
        self.records("Episodes.open", Episodes::open(&*self.world, key)).await
    }

    async fn close(&self, key: &str, episode_id: &str) -> PortResult<()> {
        self.records("Episodes.close", Episodes::close(&*self.world, key, episode_id)).await
    }

    async fn replace(&self, key: &str, read: &Episode, next: Option<&Episode>) -> PortResult<bool> {
        self.records("Episodes.replace", self.world.replace(key, read, next)).await
    }

    async fn arrive(&self, transition: &str, now: Timestamp) -> PortResult<Arrival> {
        self.records("Episodes.arrive", self.world.arrive(transition, now)).await
    }

    async fn remember(&self, transition: &str, now: Timestamp) -> PortResult<()> {
        self.records("Episodes.remember", self.world.remember(transition, now)).await
    }
}

#[async_trait]
impl Executions for Process {
    async fn open(&self, record: &ExecutionRecord) -> PortResult<ExecutionRecord> {
        self.records("Executions.open", Executions::open(&*self.world, record)).await
    }

    async fn read(&self, id: &ExecutionId) -> PortResult<Option<ExecutionRecord>> {
        self.records("Executions.read", Executions::read(&*self.world, id)).await
    }

    async fn unclosed(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        self.records("Executions.unclosed", self.world.unclosed(app)).await
    }

    async fn newest(&self, app: &AppId) -> PortResult<Vec<ExecutionRecord>> {
        self.records("Executions.newest", Executions::newest(&*self.world, app)).await
    }

    async fn save(&self, record: &ExecutionRecord) -> PortResult<()> {
        self.records("Executions.save", self.world.save(record)).await
    }

    async fn result(&self, execution: &ExecutionId, iteration: u32, outcome: &Outcome) -> PortResult<()> {
        self.records("Executions.result", self.world.result(execution, iteration, outcome)).await
    }
}

#[async_trait]
impl SavingsBook for Process {
    async fn note(&self, app: &AppId, saving: &ChangeSaving, at: Timestamp) -> PortResult<()> {
        self.records("SavingsBook.note", self.world.note(app, saving, at)).await
    }
}

#[async_trait]
impl Alarms for Process {
    async fn alarms(&self, app: &AppId, resources: &[Resource]) -> PortResult<Vec<Alarm>> {
        self.records("Alarms.alarms", self.world.alarms(app, resources)).await
    }
}

#[async_trait]
impl Artifacts for Process {
    async fn put(&self, key: &str, body: Vec<u8>) -> PortResult<()> {
        self.records("Artifacts.put", self.world.put(key, body)).await
    }

    async fn get(&self, key: &str) -> PortResult<Option<Vec<u8>>> {
        self.records("Artifacts.get", self.world.get(key)).await
    }
}
