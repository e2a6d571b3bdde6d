//! Ports that are broken on purpose, to show that a simulation finds it and tells it in few lines.

use async_trait::async_trait;
use domain::change::Change;
use domain::guard::Cleared;
use domain::ids::AppId;
use domain::resource::{Live, Resource};
use engine::ports::{Actuator, Entry, EntryState, Intent, Journal, PortResult};
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use testkit::Process;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// The journal keeps intents in the memory of the process alone.
    ForgetsIntents,
    /// A change that is made is made once more.
    AppliesTwice,
    /// The undo says that it has put the value back, and has not.
    ForgetsToRestore,
}

/// The ports of a process with a defect.
pub struct Broken {
    /// The process.
    pub process: Arc<Process>,
    /// The defect.
    pub defect: Option<Defect>,
    /// Intents that are only here.
    pub kept: Mutex<Vec<Entry>>,
}

#[async_trait]
impl Journal for Broken {
    async fn intend(&self, entry: &Entry) -> PortResult<Intent> {
        match self.defect {
            Some(Defect::ForgetsIntents) => {
                self.kept.lock().unwrap().push(entry.clone());
                Ok(Intent::Written)
            }
            _ => self.process.intend(entry).await,
        }
    }

    async fn advance(&self, from: EntryState, entry: &Entry) -> PortResult<()> {
        self.process.advance(from, entry).await
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Entry>> {
        let mut entries = Journal::since(&*self.process, app, from).await?;
        entries.extend(self.kept.lock().unwrap().iter().cloned());
        Ok(entries)
    }
}

#[async_trait]
impl Actuator for Broken {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        self.process.live(resource).await
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        if self.defect == Some(Defect::AppliesTwice) {
            self.process.apply(cleared).await?;
        }
        self.process.apply(cleared).await
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        match self.defect {
            Some(Defect::ForgetsToRestore) => Ok(()),
            _ => self.process.restore(change, prior).await,
        }
    }
}
