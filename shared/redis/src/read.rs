//! Looks at a cache. Reads only; a part that is refused is missing and takes no other along.

use crate::connect::{Session, connect};
use crate::errors::{LOADING, port_error};
use crate::sample::sample;
use crate::slow::{bytes, parts};
use crate::{info, slow};
use async_trait::async_trait;
use config::Cache;
use domain::observed::{Missing, Observed};
use domain::performance::cache::{Info, Look, Own, SlowLog};
use engine::ports::{Caches as Port, Clock, PortError, PortResult, Secrets};
use redis::RedisError;
use std::collections::BTreeMap;
use std::time::Duration;

/// Settings that are asked for, one by one: several at once are taken from version 7 on.
const SETTINGS: [&str; 3] = ["activedefrag", "lfu-log-factor", "slowlog-log-slower-than"];
/// Time for a whole look.
const LOOK: Duration = Duration::from_secs(20);

/// See [`engine::ports::Caches`].
pub struct Caches<'a> {
    caches: &'a BTreeMap<String, Cache>,
    secrets: &'a dyn Secrets,
    clock: &'a dyn Clock,
}

impl<'a> Caches<'a> {
    /// Looks at these caches, as the user of the secret that reads where one is named.
    pub fn new(caches: &'a BTreeMap<String, Cache>, secrets: &'a dyn Secrets, clock: &'a dyn Clock) -> Self {
        Self { caches, secrets, clock }
    }

    async fn read(&self, name: &str) -> PortResult<Look> {
        let cache = self.caches.get(name).ok_or_else(|| PortError::Gone {
            operation: format!("connect to {name}"),
            what: format!("a cache {name} of the application, in maintainer.yaml,"),
        })?;
        let user = match &cache.read_secret {
            Some(secret) => Some(self.secrets.read(secret).await?),
            None => None,
        };
        let mut session = connect(name, cache, user.as_ref()).await?;
        let info = read_info(&mut session, name).await?;
        let before = session.commands;
        let settings = settings(&mut session, name).await;
        let slow = slow_log(&mut session, name, &settings).await;
        // Last: where a connection broke before, this ends the look, which is not whole then and is tried again.
        let looked = sample(&mut session, name, info.policy().ends_with("-lfu"), self.clock).await?;
        let own = Own { commands: session.commands - before, hits: looked.hits, misses: looked.misses };
        Ok(Look { at: self.clock.now(), info, settings, slow, keys: looked.keys, own })
    }
}

#[async_trait]
impl Port for Caches<'_> {
    async fn look(&self, cache: &str) -> PortResult<Look> {
        let late = |_| PortError::Unknown {
            operation: format!("look at {cache}"),
            why: format!("it took longer than {} s", LOOK.as_secs()),
        };
        tokio::time::timeout(LOOK, self.read(cache)).await.map_err(late)?
    }
}

async fn read_info(session: &mut Session, name: &str) -> PortResult<Info> {
    let operation = format!("read INFO of {name}");
    let answer = session.ask(redis::cmd("INFO").arg("all")).await;
    let answer = answer.map_err(|error| port_error(&operation, "+info", &error))?;
    let text = bytes(&answer).map(String::from_utf8_lossy).unwrap_or_default();
    let info = info::parse(&text);
    if info.number("loading") == Some(1.0) {
        return Err(PortError::Unknown { operation, why: LOADING.to_owned() });
    }
    match info.text("run_id") {
        Some(_) => Ok(info),
        None => Err(PortError::Rejected {
            operation,
            why: "what answers there is no Redis: check host and port".to_owned(),
        }),
    }
}

async fn settings(session: &mut Session, name: &str) -> Observed<BTreeMap<String, String>> {
    let mut settings = BTreeMap::new();
    for setting in SETTINGS {
        match session.ask(redis::cmd("CONFIG").arg("GET").arg(setting)).await {
            Ok(answer) => {
                if let Some([_, value]) = parts(&answer)
                    && let Some(value) = bytes(value)
                {
                    settings.insert(setting.to_owned(), info::bounded(&String::from_utf8_lossy(value)));
                }
            }
            Err(error) => return Observed::Missing(missing(name, "settings", "+config|get", &error)),
        }
    }
    Observed::Known(settings)
}

async fn slow_log(
    session: &mut Session,
    name: &str,
    settings: &Observed<BTreeMap<String, String>>,
) -> Observed<SlowLog> {
    let bound = settings.known().and_then(|settings| settings.get("slowlog-log-slower-than")?.parse::<i64>().ok());
    if bound.is_some_and(|bound| bound < 0) {
        let why = "the log of slow commands is off: CONFIG SET slowlog-log-slower-than 10000".to_owned();
        return Observed::Missing(Missing::NotPublished(why));
    }
    match session.ask(redis::cmd("SLOWLOG").arg("GET").arg(slow::ENTRIES_MAX)).await {
        Ok(answer) => Observed::Known(slow::parse(&answer)),
        Err(error) => Observed::Missing(missing(name, "slow commands", "+slowlog|get", &error)),
    }
}

/// Why a part is missing. Services leave out commands: those are not to be had there.
fn missing(name: &str, what: &str, needs: &str, error: &RedisError) -> Missing {
    let why = match error.detail() {
        Some(said) if said.to_ascii_lowercase().contains("unknown command") => {
            Missing::NotPublished(format!("this server does not offer the command for {what}"))
        }
        _ => port_error(&format!("read {what} of {name}"), needs, error).missing(),
    };
    tracing::warn!(cache = name, "{what}: {why}");
    why
}
