//! dispatch: alarm events in, at most one run per application and episode out.
//!
//! Decides only who the alarm belongs to and whether a run answers it already. An event that is not understood is
//! parked with its reason at the first attempt; nothing is retried blindly, nothing is lost.

use crate::alarm::{Transition, transitions};
use crate::names::execution_name;
use config::{Config, Selector};
use domain::execution::Cycle;
use domain::ids::{AppId, ExecutionId};
use domain::resource::{APP_TAG, Resource};
use engine::ports::{Clock, DeadLetters, Episode, Episodes, Inventory, LeaseAnswer, Leases, Starter};
use engine::run::{LEASE_TTL_S, episode_key, lease_key};
use engine::step::StepError;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Seconds after which an episode whose run never closed it no longer counts: longer than the longest run.
const EPISODE_TTL_S: u32 = 7_200;
/// Seconds for which the lease is held to ask whether anybody cares for the application: long enough for one delivery.
const PROBE_TTL_S: u32 = 60;
/// Longest event that is looked at, in bytes: EventBridge and SNS deliver at most 256 KiB.
const EVENT_BYTES_MAX: usize = 262_144;

/// What dispatch needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Resources and tags.
    pub inventory: &'a dyn Inventory,
    /// Alarm episodes.
    pub episodes: &'a dyn Episodes,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Starts the state machine.
    pub starter: &'a dyn Starter,
    /// Parks what is not understood.
    pub dead_letters: &'a dyn DeadLetters,
    /// Region and account of this deployment; alarms of others are refused.
    pub home: (String, String),
}

/// What became of an event. Goes to the log, and to whoever invokes the function by hand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Executions started now.
    pub started: Vec<String>,
    /// Applications whose run was under way already and has been told.
    pub joined: Vec<AppId>,
    /// Alarms that start nothing, each with the reason.
    pub ignored: Vec<String>,
    /// Why the event was parked, if it was.
    pub parked: Option<String>,
}

/// Handles one event.
///
/// # Errors
/// When a port fails; the event then comes again (at-least-once) and nothing has been marked as handled.
pub async fn dispatch(event: &Value, config: &Config, world: &World<'_>) -> Result<Answer, StepError> {
    let body = event.to_string();
    if body.len() > EVENT_BYTES_MAX {
        let why = format!("the event has {} bytes, {EVENT_BYTES_MAX} are the most that is looked at", body.len());
        // The queue takes no more than an event may have: the head is what identifies it.
        return park(&body.chars().take(4_096).collect::<String>(), why, world).await;
    }
    let found = match transitions(event) {
        Ok(found) => found,
        Err(error) => return park(&body, error.to_string(), world).await,
    };
    let mut answer = Answer::default();
    let mut by_app: BTreeMap<AppId, Vec<Transition>> = BTreeMap::new();
    for transition in found {
        if let Some(reason) = uninteresting(&transition, world).await? {
            answer.ignored.push(format!("{}: {reason}", transition.name));
            continue;
        }
        match owner(&transition, config, world.inventory).await? {
            Some(app) => by_app.entry(app).or_default().push(transition),
            None => answer.ignored.push(format!(
                "{}: no application has it; tag the alarm or its resource with {APP_TAG}",
                transition.name
            )),
        }
    }
    for (app, alarms) in by_app {
        answer_app(&app, &alarms, world, &mut answer).await?;
        for alarm in &alarms {
            world.episodes.remember(&alarm.id(), world.clock.now()).await?;
        }
    }
    for ignored in &answer.ignored {
        tracing::info!("{ignored}");
    }
    Ok(answer)
}

async fn park(body: &str, why: String, world: &World<'_>) -> Result<Answer, StepError> {
    tracing::warn!("{why}");
    world.dead_letters.park(body, &why).await?;
    Ok(Answer { parked: Some(why), ..Answer::default() })
}

/// Why a transition starts nothing, or `None` when it is to be looked at.
async fn uninteresting(transition: &Transition, world: &World<'_>) -> Result<Option<String>, StepError> {
    let (region, account) = &world.home;
    if transition.home() != Some((region.as_str(), account.as_str())) {
        return Ok(Some(format!("it is not an alarm of account {account} in {region}")));
    }
    if transition.state != "ALARM" {
        return Ok(Some(format!("its state is {}, only ALARM starts a run", transition.state)));
    }
    if world.episodes.seen(&transition.id()).await? {
        return Ok(Some("this transition was handled before".to_owned()));
    }
    Ok(None)
}

/// The application of an alarm: by its tag, else by the resource that its dimensions name.
async fn owner(
    transition: &Transition,
    config: &Config,
    inventory: &dyn Inventory,
) -> Result<Option<AppId>, StepError> {
    if let Some(app) = inventory.alarm_tags(&transition.arn).await?.get(APP_TAG) {
        return Ok(Some(AppId::from(app.as_str())));
    }
    if transition.dimensions.is_empty() {
        return Ok(None);
    }
    let mut unread = Vec::new();
    for (app, selector) in selectors(config) {
        let found = inventory.discover(&selector).await?;
        if let Some(resource) = found.resources.iter().find(|resource| names(transition, resource)) {
            let tagged = resource.tags.get(APP_TAG).map(|app| AppId::from(app.as_str()));
            if let Some(app) = app.or(tagged) {
                return Ok(Some(app));
            }
        }
        unread.extend(found.undiscovered.iter().map(|(kind, why)| format!("every {kind}: {why}")));
    }
    if unread.is_empty() {
        return Ok(None);
    }
    // Empty is not absent: the alarm comes again, and is parked if it never finds its owner.
    unread.sort();
    unread.dedup();
    Err(StepError::Transient(format!(
        "the owner of alarm {} was not found, but not everything could be read: {}",
        transition.name,
        unread.join("; ")
    )))
}

/// Where to look for the resource: the configured applications in order, then everything that is tagged.
fn selectors(config: &Config) -> Vec<(Option<AppId>, Selector)> {
    let tagged = Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), "*".to_owned())]), resources: Vec::new() };
    let configured = config.apps().into_iter().filter_map(|app| {
        let selector = config.resolve(&app)?.selector;
        Some((Some(app), selector))
    });
    configured.chain([(None, tagged)]).collect()
}

fn names(transition: &Transition, resource: &Resource) -> bool {
    transition.dimensions.iter().any(|dimensions| domain::reading::names_resource(resource, dimensions))
}

/// Joins the alarms to the application's episode and starts its run if nobody cares for the application yet.
async fn answer_app(
    app: &AppId,
    alarms: &[Transition],
    world: &World<'_>,
    answer: &mut Answer,
) -> Result<(), StepError> {
    let now = world.clock.now();
    let key = episode_key(Cycle::Health, app);
    let names: Vec<String> = alarms.iter().map(|alarm| alarm.name.clone()).collect();
    let mut episode = world.episodes.join(&key, &names, now, EPISODE_TTL_S).await?;
    if episode.started && abandoned(app, &key, &episode, world).await? {
        episode = world.episodes.join(&key, &names, now, EPISODE_TTL_S).await?;
    }
    let name = execution_name(&["health", app.as_str(), &episode.id]);
    // The lease is taken in the name of the run that is to be started; `begin` finds it already its own. Whoever does
    // not get it knows that another run is at work, and a lease that nobody renews runs out.
    let holder = ExecutionId::new(name.clone());
    match world.leases.acquire(&lease_key(Cycle::Health, app), &holder, now, LEASE_TTL_S).await? {
        LeaseAnswer::Busy(_) => answer.joined.push(app.clone()),
        LeaseAnswer::Held(_) if episode.started => answer.joined.push(app.clone()),
        LeaseAnswer::Held(_) => {
            let input = json!({"app": app, "trigger": "alarm", "alarms": episode.alarms, "episode": episode.id});
            if world.starter.start(&name, &input.to_string()).await? {
                answer.started.push(name);
            } else {
                answer.joined.push(app.clone());
            }
            world.episodes.mark_started(&key, &episode.id).await?;
        }
    }
    Ok(())
}

/// Closes a started episode whose run is gone without having closed it (somebody stopped it), so that the next one can
/// open. True when it was so.
///
/// The lease is asked for in a name of its own: a run that lives keeps it, and the answer is `Busy`.
async fn abandoned(app: &AppId, key: &str, episode: &Episode, world: &World<'_>) -> Result<bool, StepError> {
    let lease = lease_key(Cycle::Health, app);
    let probe = ExecutionId::new(execution_name(&["probe", app.as_str(), &episode.id]));
    if let LeaseAnswer::Busy(_) = world.leases.acquire(&lease, &probe, world.clock.now(), PROBE_TTL_S).await? {
        return Ok(false);
    }
    world.episodes.close(key, &episode.id).await?;
    world.leases.release(&lease, &probe).await?;
    tracing::warn!(%app, episode = episode.id, "the run of this episode ended without closing it");
    Ok(true)
}
