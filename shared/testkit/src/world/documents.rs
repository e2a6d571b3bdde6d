//! Documents, messages, starts, the kill switch and the configuration file.

use super::World;
use async_trait::async_trait;
use domain::guard::KillSwitch;
use engine::ports::{Artifacts, Clock, ConfigFetch, ConfigSource, Message, Notifier, PortResult, Starter, Switch};
use jiff::Timestamp;
use std::collections::BTreeMap;

#[async_trait]
impl Clock for World {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn wait(&self, seconds: u32) {
        self.pass_s(seconds);
    }
}

#[async_trait]
impl Switch for World {
    async fn read(&self) -> KillSwitch {
        let mut state = self.state();
        state.kill_switch_was_read = true;
        state.kill_switch()
    }
}

#[async_trait]
impl Artifacts for World {
    async fn put(&self, key: &str, body: Vec<u8>) -> PortResult<()> {
        self.state().artifacts.insert(key.to_owned(), body);
        Ok(())
    }

    async fn get(&self, key: &str) -> PortResult<Option<Vec<u8>>> {
        Ok(self.state().artifacts.get(key).cloned())
    }
}

#[async_trait]
impl Starter for World {
    async fn start(&self, name: &str, input: &str) -> PortResult<bool> {
        let mut state = self.state();
        let is_new = !state.started.contains_key(name);
        state.started.entry(name.to_owned()).or_insert_with(|| input.to_owned());
        Ok(is_new)
    }
}

#[async_trait]
impl Notifier for World {
    async fn notify(&self, message: &Message) -> PortResult<()> {
        self.state().messages.push(message.clone());
        Ok(())
    }
}

#[async_trait]
impl ConfigSource for World {
    async fn fetch(&self, known: Option<&str>) -> PortResult<ConfigFetch> {
        let Some(text) = self.state().config.clone() else { return Ok(ConfigFetch::Absent) };
        // The text is its own version: two equal files have equal ETags.
        if known == Some(text.as_str()) {
            return Ok(ConfigFetch::Unchanged);
        }
        Ok(ConfigFetch::File { etag: text.clone(), text })
    }
}

impl World {
    /// Puts a configuration file in place, or takes it away.
    pub fn set_config(&self, text: Option<&str>) {
        self.state().config = text.map(str::to_owned);
    }

    /// Messages that were sent.
    pub fn messages(&self) -> Vec<Message> {
        self.state().messages.clone()
    }

    /// Runs that were started: input by name.
    pub fn started(&self) -> BTreeMap<String, String> {
        self.state().started.clone()
    }

    /// Loses a document, as when a bucket lets old ones expire.
    pub fn lose_artifact(&self, key: &str) {
        self.state().artifacts.remove(key);
    }

    /// Keys of the documents that were written.
    pub fn artifact_keys(&self) -> Vec<String> {
        self.state().artifacts.keys().cloned().collect()
    }
}
