//! dispatch: alarm events in, at most one run per application and episode out.
//!
//! Decides only who the alarm belongs to and whether a run answers it already. Where users wait too long and the application has a
//! database, a run of the performance cycle is started beside that of the health cycle, one for each episode: what the one finds in
//! minutes, the other finds in a window of traffic. An event that is not understood is
//! parked with its reason at the first attempt; nothing is retried blindly, nothing is lost.

use crate::alarm::{Transition, transitions};
use crate::names::execution_name;
use crate::succession;
use config::{Config, Selector};
use domain::execution::Cycle;
use domain::ids::AppId;
use domain::place::Place;
use domain::resource::{APP_TAG, Resource};
use engine::ports::{Clock, DeadLetters, Episodes, Inventory, Leases, Places, Starter};
use engine::run::{episode_key, lease_key};
use engine::step::StepError;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Seconds after which an episode whose run never closed it no longer counts: longer than the longest run.
const EPISODE_TTL_S: u32 = 7_200;
/// Longest event that is looked at, in bytes: EventBridge and SNS deliver at most 256 KiB.
const EVENT_BYTES_MAX: usize = 262_144;

/// What dispatch needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Resources and tags of the place of the deployment.
    pub inventory: &'a dyn Inventory,
    /// Other places.
    pub places: &'a dyn Places,
    /// Alarm episodes.
    pub episodes: &'a dyn Episodes,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Starts the state machine of the health cycle.
    pub starter: &'a dyn Starter,
    /// Starts that of the performance cycle.
    pub performance_starter: &'a dyn Starter,
    /// Parks what is not understood.
    pub dead_letters: &'a dyn DeadLetters,
    /// The place of the deployment.
    pub home: Place,
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
    let mut by_app: BTreeMap<AppId, Vec<(Transition, Timestamp)>> = BTreeMap::new();
    for transition in found {
        if let Some(reason) = uninteresting(&transition, config, world) {
            answer.ignored.push(format!("{}: {reason}", transition.name));
            continue;
        }
        let arrival = world.episodes.arrive(&transition.id(), world.clock.now()).await?;
        if arrival.handled {
            answer.ignored.push(format!("{}: this transition was handled before", transition.name));
            continue;
        }
        match owner_in_its_place(&transition, config, world).await? {
            Some(app) => by_app.entry(app).or_default().push((transition, arrival.at)),
            None => answer.ignored.push(format!(
                "{}: no application has it; tag the alarm or its resource with {APP_TAG}",
                transition.name
            )),
        }
    }
    for (app, alarms) in by_app {
        let episode = answer_app(&app, &alarms, world, &mut answer).await?;
        if is_profiled(&app, config) {
            look_into_stores(&app, &alarms, &episode, world, &mut answer).await?;
        }
        for (alarm, _) in &alarms {
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
fn uninteresting(transition: &Transition, config: &Config, world: &World<'_>) -> Option<String> {
    let (place, home) = (&transition.place, &world.home);
    let is_foreign = place != home;
    if is_foreign && !transition.by_bus {
        return Some(format!("it is not an alarm of {home}; those of other places come over the event bus"));
    }
    if transition.state != "ALARM" {
        return Some(format!("its state is {}, only ALARM starts a run", transition.state));
    }
    if is_foreign && !config.apps().iter().any(|app| lives_in(app, place, config, home)) {
        return Some(format!("no application lives in {place}"));
    }
    None
}

/// Whether an application lives in a place. One that is only tagged lives with the deployment.
fn lives_in(app: &AppId, place: &Place, config: &Config, home: &Place) -> bool {
    config.resolve_any(app).place(home).as_ref().unwrap_or(home) == place
}

/// The application of an alarm, among those that live where the alarm stands: whoever may raise alarms in one account says
/// nothing about the applications of another.
async fn owner_in_its_place(
    transition: &Transition,
    config: &Config,
    world: &World<'_>,
) -> Result<Option<AppId>, StepError> {
    if transition.place == world.home {
        return owner(transition, config, &world.home, world.inventory).await;
    }
    let there = world.places.inventory(&transition.place).await?;
    owner(transition, config, &world.home, &*there).await
}

/// The application of an alarm: by its tag, else by the resource that its dimensions name.
async fn owner(
    transition: &Transition,
    config: &Config,
    home: &Place,
    inventory: &dyn Inventory,
) -> Result<Option<AppId>, StepError> {
    let lives_here = |app: &AppId| lives_in(app, &transition.place, config, home);
    let tagged = inventory.alarm_tags(&transition.arn).await?.remove(APP_TAG).map(AppId::new);
    if let Some(app) = tagged.filter(lives_here) {
        return Ok(Some(app));
    }
    if transition.dimensions.is_empty() {
        return Ok(None);
    }
    let mut unread = Vec::new();
    for (app, selector) in selectors(config, &transition.place, home) {
        let found = inventory.discover(&selector).await?;
        if let Some(resource) = found.resources.iter().find(|resource| names(transition, resource)) {
            let tagged = resource.tags.get(APP_TAG).map(|app| AppId::from(app.as_str()));
            if let Some(app) = app.or(tagged).filter(lives_here) {
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

/// Where to look for the resource: the configured applications of the place in order, then, where the deployment is,
/// everything that is tagged.
fn selectors(config: &Config, place: &Place, home: &Place) -> Vec<(Option<AppId>, Selector)> {
    let tagged = Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), "*".to_owned())]), resources: Vec::new() };
    let of_place = config.apps().into_iter().filter(|app| lives_in(app, place, config, home));
    let configured = of_place.filter_map(|app| {
        let selector = config.resolve(&app)?.selector;
        Some((Some(app), selector))
    });
    configured.chain((place == home).then_some((None, tagged))).collect()
}

fn names(transition: &Transition, resource: &Resource) -> bool {
    transition.dimensions.iter().any(|dimensions| domain::reading::names_resource(resource, dimensions))
}

/// Joins the alarms to the application's episode and starts its run if nobody cares for the application yet. Gives the episode.
async fn answer_app(
    app: &AppId,
    alarms: &[(Transition, Timestamp)],
    world: &World<'_>,
    answer: &mut Answer,
) -> Result<String, StepError> {
    let key = episode_key(Cycle::Health, app);
    let mut arrivals: BTreeMap<String, Timestamp> = BTreeMap::new();
    for (alarm, at) in alarms {
        let last = arrivals.entry(alarm.name.clone()).or_insert(*at);
        *last = (*last).max(*at);
    }
    let mut open = world.episodes.join(&key, &arrivals, world.clock.now(), EPISODE_TTL_S).await?;
    if open.started && is_free(Cycle::Health, app, world).await? {
        // A run has let go of its episode before it lets go of its lease: this one was stopped, or has ended since.
        world.episodes.close(&key, &open.id).await?;
        tracing::info!(%app, episode = open.id, "the run of this episode is gone");
        open = world.episodes.join(&key, &arrivals, world.clock.now(), EPISODE_TTL_S).await?;
    }
    let started = if open.started {
        None
    } else {
        let World { clock, episodes, leases, starter, .. } = *world;
        succession::start(Cycle::Health, app, &open, &succession::World { clock, episodes, leases, starter }).await?
    };
    match started {
        Some(name) => answer.started.push(name),
        None => answer.joined.push(app.clone()),
    }
    Ok(open.id)
}

/// Whether it has a database, a cache or a page, of which users may wait.
fn is_profiled(app: &AppId, config: &Config) -> bool {
    config.resolve(app).is_some_and(|app| app.is_profiled())
}

/// Starts a run of the performance cycle where users wait too long and none is under way: at most one for each episode, since its name
/// follows from the episode's. How often it may change something in a day is that cycle's own limit.
async fn look_into_stores(
    app: &AppId,
    alarms: &[(Transition, Timestamp)],
    episode: &str,
    world: &World<'_>,
    answer: &mut Answer,
) -> Result<(), StepError> {
    let mut names: Vec<&str> =
        alarms.iter().filter(|(alarm, _)| alarm.is_about_waiting()).map(|(alarm, _)| alarm.name.as_str()).collect();
    if names.is_empty() || !is_free(Cycle::Performance, app, world).await? {
        return Ok(());
    }
    names.sort_unstable();
    names.dedup();
    let name = execution_name(&[&Cycle::Performance.to_string(), app.as_str(), episode]);
    let input = json!({"app": app, "trigger": "alarm", "alarms": names});
    if world.performance_starter.start(&name, &input.to_string()).await? {
        answer.started.push(name);
    }
    Ok(())
}

/// True when no run of a cycle holds the application. A started run of the health cycle does from before its start to its end.
async fn is_free(cycle: Cycle, app: &AppId, world: &World<'_>) -> Result<bool, StepError> {
    let lease = world.leases.holder(&lease_key(cycle, app)).await?;
    Ok(lease.is_none_or(|lease| lease.expires_at <= world.clock.now()))
}
