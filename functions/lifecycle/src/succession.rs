//! Which run answers an alarm: the one that its episode starts, or, where it came too late to be looked at, the next.
//!
//! What must hold, however calls of deliveries and of the end of a run fall between each other: an alarm that arrives
//! after the last look of a run is answered by exactly one run after it. It rests on three conditional writes. An
//! episode is replaced only as it was read, so no alarm joins it unseen. The lease is taken in the name of the run that
//! is to be started, and the name follows from the episode, so many starters start one run. And whoever finds the lease
//! taken leaves the episode open for its holder, who looks for one after having given the lease back.

use crate::names::execution_name;
use domain::execution::Cycle;
use domain::ids::{AppId, ExecutionId};
use engine::ports::{Clock, Episode, Episodes, LeaseAnswer, Leases, Starter};
use engine::run::{Run, episode_key, lease_key, lease_ttl_s};
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// Attempts before an episode that alarms join all the time is left to the repetition of the step.
const ROUNDS_MAX: u32 = 20;

/// What succession needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Alarm episodes.
    pub episodes: &'a dyn Episodes,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Starts runs.
    pub starter: &'a dyn Starter,
}

/// What became of an episode that had no run.
enum Begun {
    /// Its run was started now, under this name.
    Started(String),
    /// Its run is under way, or another run holds the application and will see to it.
    Cared,
    /// Its run has come and gone meanwhile, and the lease was taken in its name once more.
    Over(ExecutionId),
}

/// Starts the run of an episode that has none, unless another run holds the application: that one does it at its end.
/// Gives the name of the run if it was started now.
///
/// # Errors
/// When a port fails. Repeating it makes good what was left.
pub async fn start(cycle: Cycle, app: &AppId, open: &Episode, world: &World<'_>) -> Result<Option<String>, StepError> {
    match begin(cycle, app, open, world).await? {
        Begun::Started(name) => Ok(Some(name)),
        Begun::Cared => Ok(None),
        Begun::Over(holder) => free(cycle, app, holder, world).await,
    }
}

/// Lets go of the application of a run that has looked for the last time: closes the episode that it answered, or puts
/// one of the alarms in its place that arrived after that look; gives the lease back; starts the run of the episode that
/// is open then.
///
/// # Errors
/// When a port fails. Repeating it makes good what was left.
pub async fn let_go(run: &Run, last_look: Timestamp, world: &World<'_>) -> Result<(), StepError> {
    settle(run, last_look, world).await?;
    free(run.cycle, &run.app, run.execution_id.clone(), world).await.map(|_| ())
}

/// True when the run was started to answer this episode.
pub fn is_own(run: &Run, episode: &Episode) -> bool {
    run.episode.as_deref() == Some(episode.id.as_str())
}

/// The episode of the alarms that arrived after a look; `None` when there are none.
fn after(open: &Episode, last_look: Timestamp, now: Timestamp) -> Option<Episode> {
    let late = open.alarms.iter().filter(|(_, at)| **at > last_look).map(|(name, at)| (name.clone(), *at)).collect();
    // Never the same moment: the id follows from it, and from the id the name of the run.
    let at = open.opened_at.checked_add(SignedDuration::from_millis(1)).unwrap_or(now).max(now);
    Some(Episode::opened(at, late)).filter(|next| !next.alarms.is_empty())
}

async fn settle(run: &Run, last_look: Timestamp, world: &World<'_>) -> Result<(), StepError> {
    let key = episode_key(run.cycle, &run.app);
    for _ in 0..ROUNDS_MAX {
        let Some(open) = world.episodes.open(&key).await?.filter(|open| is_own(run, open)) else { return Ok(()) };
        let next = after(&open, last_look, world.clock.now());
        if world.episodes.replace(&key, &open, next.as_ref()).await? {
            return Ok(());
        }
    }
    Err(StepError::Transient(format!("alarms of {} come faster than their episode can be closed", run.app)))
}

/// Gives a lease back and then looks for an episode that waits for its run: whoever joined it found the lease taken.
async fn free(cycle: Cycle, app: &AppId, holder: ExecutionId, world: &World<'_>) -> Result<Option<String>, StepError> {
    let mut holder = holder;
    for _ in 0..ROUNDS_MAX {
        world.leases.release(&lease_key(cycle, app), &holder).await?;
        let waiting = world.episodes.open(&episode_key(cycle, app)).await?.filter(|open| !open.started);
        let Some(open) = waiting else { return Ok(None) };
        match begin(cycle, app, &open, world).await? {
            Begun::Started(name) => return Ok(Some(name)),
            Begun::Cared => return Ok(None),
            Begun::Over(next) => holder = next,
        }
    }
    Err(StepError::Transient(format!("runs of {app} come and go faster than their lease can be given back")))
}

async fn begin(cycle: Cycle, app: &AppId, open: &Episode, world: &World<'_>) -> Result<Begun, StepError> {
    let key = episode_key(cycle, app);
    let name = execution_name(&[&cycle.to_string(), app.as_str(), &open.id]);
    // The lease is taken in the name of the run that is to be started; `begin` finds it already its own. Whoever does
    // not get it knows that another run is at work, and a lease that nobody renews runs out.
    let holder = ExecutionId::new(name.clone());
    let lease = world.leases.acquire(&lease_key(cycle, app), &holder, world.clock.now(), lease_ttl_s(cycle)).await?;
    if let LeaseAnswer::Busy(_) = lease {
        return Ok(Begun::Cared);
    }
    let input = json!({"app": app, "trigger": "alarm", "alarms": open.names(), "episode": open.id});
    let is_new = world.starter.start(&name, &input.to_string()).await?;
    if !is_new && world.episodes.open(&key).await?.is_none_or(|now| now.id != open.id) {
        return Ok(Begun::Over(holder));
    }
    world.episodes.mark_started(&key, &open.id).await?;
    Ok(if is_new { Begun::Started(name) } else { Begun::Cared })
}
