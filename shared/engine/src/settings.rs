//! The configuration in force: fetched once per cold start and again when its ETag changes.

use crate::ports::{ConfigFetch, ConfigSource};
use crate::step::StepError;
use config::{Config, ResolvedApp};
use domain::ids::AppId;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Keeps the parsed configuration between invocations of a warm function.
pub struct Settings<S> {
    source: S,
    held: Mutex<Option<(Option<String>, Arc<Config>)>>,
}

impl<S: ConfigSource> Settings<S> {
    /// Nothing is fetched yet.
    pub fn new(source: S) -> Self {
        Self { source, held: Mutex::new(None) }
    }

    /// The configuration as it stands in the bucket now. A file that is not there means the defaults.
    ///
    /// # Errors
    /// [`StepError::Config`] with all problems of the file; otherwise what the store says. An unreadable store is never
    /// answered with an old configuration: it may be a newer one that forbids changes.
    pub async fn current(&self) -> Result<Arc<Config>, StepError> {
        let mut held = self.held.lock().await;
        let known = held.as_ref().and_then(|(etag, _)| etag.as_deref());
        let fresh = match self.source.fetch(known).await? {
            ConfigFetch::Unchanged => None,
            ConfigFetch::Absent => Some((None, String::new())),
            ConfigFetch::File { text, etag } => Some((Some(etag), text)),
            ConfigFetch::NotText { at } => {
                return Err(StepError::Config(format!(
                    "the configuration is not UTF-8 text (byte {at}): save it as UTF-8 and upload it again"
                )));
            }
        };
        if let Some((etag, text)) = fresh {
            let config = Config::parse(&text).map_err(|error| StepError::Config(error.to_string()))?;
            *held = Some((etag, Arc::new(config)));
        }
        held.as_ref().map(|(_, config)| Arc::clone(config)).ok_or_else(|| {
            StepError::Bug("the configuration store said \"unchanged\" to the first question".to_owned())
        })
    }

    /// What holds for one application, whether it is configured or known only by its tag.
    ///
    /// # Errors
    /// As [`Settings::current`].
    pub async fn app(&self, id: &AppId) -> Result<ResolvedApp, StepError> {
        let config = self.current().await?;
        Ok(config.resolve(id).unwrap_or_else(|| config.resolve_tagged(id)))
    }
}
