//! The stores of records and documents, with one call that goes wrong.

use async_trait::async_trait;
use domain::execution::ExecutionRecord;
use domain::ids::{AppId, ExecutionId};
use domain::outcome::Outcome;
use engine::ports::{Artifacts, Executions, PortError, PortResult};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::World;

/// How a call goes wrong. In both cases its caller learns only that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes {
    /// It never arrives.
    Lost,
    /// It takes effect, and the answer is lost.
    Unanswered,
}

/// The stores.
pub struct Stores {
    world: Arc<World>,
    calls: AtomicUsize,
    fault: Option<(usize, Goes)>,
}

impl Stores {
    /// Stores of which the call with this number, from 0, goes wrong, if any.
    pub fn of(world: &Arc<World>, fault: Option<(usize, Goes)>) -> Self {
        Self { world: Arc::clone(world), calls: AtomicUsize::new(0), fault }
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn call<T: Send>(&self, work: impl Future<Output = PortResult<T>> + Send) -> PortResult<T> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        match self.fault.filter(|(at, _)| *at == number) {
            None => return work.await,
            Some((_, Goes::Lost)) => {}
            Some((_, Goes::Unanswered)) => {
                let _never_heard = work.await;
            }
        }
        Err(PortError::Unknown { operation: "a call".to_owned(), why: "the connection was reset".to_owned() })
    }
}

#[async_trait]
impl Executions for Stores {
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
impl Artifacts for Stores {
    async fn put(&self, key: &str, body: Vec<u8>) -> PortResult<()> {
        self.call(self.world.put(key, body)).await
    }
    async fn get(&self, key: &str) -> PortResult<Option<Vec<u8>>> {
        self.call(self.world.get(key)).await
    }
}
