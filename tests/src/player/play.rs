//! Plays one scenario from its first minute to its verdict.

mod judge;
mod rollback;
mod stop;
mod switch;

use super::check::Finding;
use super::kill::{Killed, at_work, midway};
use super::namesake::Namesake;
use super::person::{self, Visit};
use super::records::{Records, Told};
use super::save::save;
use super::stack::{Stack, StackError};
use super::story::Story;
use super::watch::Watch;
use crate::cloud::Cloud;
use crate::scenario::{ExpectedStatus, Kill, Scenario, Trigger};
use crate::studio::{Life, Minute, Resources, StudioError};
use domain::execution::{Cycle, ExecutionRecord, Workflow};
use lifecycle::explain::beats::{Beat, Tone};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Why a scenario could not be played to its end.
#[derive(Debug, Error)]
pub enum PlayError {
    /// The studio.
    #[error(transparent)]
    Studio(#[from] StudioError),
    /// The cloud or the stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// Nobody reads the story.
    #[error("the story can't be written: {0}")]
    Story(#[from] std::io::Error),
    /// An application stopped living.
    #[error("the application {app} stopped living: {why}")]
    Died {
        /// Its name.
        app: String,
        /// What it said.
        why: String,
    },
}

/// How a scenario ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Every expectation by application.
    pub findings: Vec<(String, Finding)>,
    /// Where the record was saved, by application.
    pub saved: Vec<PathBuf>,
}

impl Verdict {
    /// Everything that was expected holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|(_, finding)| finding.holds)
    }

    /// What does not hold, one line each.
    pub fn failures(&self) -> Vec<String> {
        let failed = self.findings.iter().filter(|(_, finding)| !finding.holds);
        failed.map(|(app, finding)| format!("{app}: {}", finding.text)).collect()
    }
}

/// Virtual seconds between two looks: half a tick of the studio.
const LOOK_EVERY_S: f64 = 30.0;
/// Real time between two looks at least: a fast clock must not keep the cloud busy with being looked at.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(250);
/// Virtual minutes without a run after which the story is over: alarms that ring on would have started another by then.
const QUIET_MIN: f64 = 6.0;

/// An application on the stage.
struct Actor {
    /// The cloud where it lives.
    cloud: Cloud,
    watch: Watch,
    resources: Resources,
    first_instances: BTreeSet<String>,
    minutes: watch::Receiver<Option<Minute>>,
    life: JoinHandle<Result<(), StudioError>>,
    /// Its namesake at home, where it lives elsewhere.
    namesake: Option<Namesake>,
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.life.abort();
    }
}

/// Plays a scenario. The stack must have been configured for it.
///
/// # Errors
/// When it can't be played to its end; that an expectation does not hold is no error but the verdict.
pub async fn play(stack: &Stack, scenario: &Scenario, story: &mut Story, save_to: &Path) -> Result<Verdict, PlayError> {
    story.heading(&scenario.name.replace('_', " "), &scenario.about)?;
    let queue = stack
        .listen(&format!("told-{}-{}", scenario.name, scenario.apps.keys().next().map_or("", String::as_str)))
        .await?;
    if matches!(scenario.trigger, Trigger::Schedule { .. }) {
        for app in scenario.apps.keys() {
            stack.lose_alarms(app).await?;
        }
    }
    let lives = scenario.apps.iter().map(|(app, setup)| async move {
        let topic = Some(stack.outputs.alarms_topic_arn.as_str());
        // An alarm reaches only topics of its own Region; those of other places come over the event bus.
        let (cloud, topic) = match setup.home() {
            (None, None) => (stack.cloud.clone(), topic),
            (account, region) => (stack.cloud.elsewhere(account, region), None),
        };
        Life::begin(&cloud, app, setup, topic).await.map(|life| (cloud, life))
    });
    let lives = futures::future::try_join_all(lives).await?;
    let start_s = lives.iter().map(|(_, life)| life.start_s()).fold(f64::INFINITY, f64::min);
    let mut actors: Vec<Actor> = lives.into_iter().map(|(cloud, life)| enter(cloud, life)).collect();
    for actor in &mut actors {
        if scenario.apps.get(&actor.watch.app).is_some_and(|setup| setup.home() != (None, None)) {
            let group = &actor.resources.names.group;
            actor.namesake = Some(Namesake::begin(&stack.cloud, &actor.watch.app, group).await?);
        }
    }
    let mut stage = Stage {
        stack,
        scenario,
        story,
        records: Records::new(stack),
        queue,
        start_s,
        started: false,
        visits: Vec::new(),
        answers: 0,
        stopped: None,
        switch: switch::Switch::default(),
        rollback: rollback::Order::default(),
    };
    let speed = stack.cloud.clock.speed;
    let text = format!(
        "the application lives, its last three hours are in CloudWatch; a minute there is {:.1} s here",
        60.0 / speed
    );
    stage.tell("studio", &text, Tone::Dim)?;
    let killer = scenario.kill.as_ref().map(|kill| stage.lie_in_wait(kill));
    let pause = Duration::from_secs_f64(LOOK_EVERY_S / stack.cloud.clock.speed).max(LOOK_EVERY_MIN);
    let mut played = Ok(());
    while played.is_ok() && !stage.is_over(&actors) {
        tokio::time::sleep(pause).await;
        played = stage.look(&mut actors).await;
    }
    // It is the stack's: left on, it would stop all that is played after this one.
    stage.leave_switch_off().await?;
    played?;
    let mut findings = Vec::new();
    if let Some(killer) = killer {
        findings.extend(stage.killed(killer).await?);
    }
    findings.extend(stage.judge(&actors).await?);
    let mut saved = Vec::new();
    for actor in &actors {
        saved.push(save(stack, &actor.watch, &save_to.join(&scenario.name)).await?);
    }
    Ok(Verdict { findings, saved })
}

/// Lets an application live until it is dropped.
fn enter(cloud: Cloud, mut life: Life) -> Actor {
    let (sender, minutes) = watch::channel(None);
    let watch = Watch::new(life.app());
    let resources = life.resources().clone();
    let first_instances = life.first_instances().clone();
    let home = cloud.clone();
    let life = tokio::spawn(async move {
        loop {
            let minute = life.minute(&home).await?;
            sender.send_replace(Some(minute));
        }
    });
    Actor { cloud, watch, resources, first_instances, minutes, life, namesake: None }
}

/// The stage: what all applications of a scenario share.
struct Stage<'a> {
    stack: &'a Stack,
    scenario: &'a Scenario,
    story: &'a mut Story,
    records: Records,
    queue: String,
    start_s: f64,
    started: bool,
    visits: Vec<Visit>,
    answers: u32,
    stopped: Option<stop::Stopped>,
    switch: switch::Switch,
    rollback: rollback::Order,
}

impl Stage<'_> {
    /// Virtual minutes since the start.
    fn minute(&self) -> f64 {
        (self.stack.cloud.clock.now_s() - self.start_s) / 60.0
    }

    /// Somebody starts a run by hand.
    async fn start_by_hand(&mut self, cycle: Cycle, input: &Value) -> Result<(), PlayError> {
        self.tell("by hand", &format!("start the {cycle} cycle with {input}"), Tone::Plain)?;
        Ok(self.stack.start(cycle, input).await?)
    }

    fn tell(&mut self, step: &'static str, text: &str, tone: Tone) -> std::io::Result<()> {
        self.story.beat(self.minute(), "", &Beat::new(step, text, tone))
    }

    /// The kills, prepared before they are needed.
    fn lie_in_wait(&self, kill: &Kill) -> JoinHandle<Result<Vec<Killed>, StackError>> {
        let records = self.records.clone();
        let endpoint = self.stack.cloud.state.functions_endpoint.clone();
        let app = self.scenario.apps.keys().next().cloned().unwrap_or_default();
        let (kill, speed) = (kill.clone(), self.stack.cloud.clock.speed);
        let within = Duration::from_secs_f64(60.0 * self.scenario.time_limit_min / speed);
        tokio::spawn(async move {
            let mut killed = at_work(&endpoint, &kill.at_work, within).await;
            if let Some(step) = &kill.step {
                killed.push(midway(&records, &endpoint, step, &app, within).await?);
            }
            Ok(killed)
        })
    }

    /// One look at everything.
    async fn look(&mut self, actors: &mut [Actor]) -> Result<(), PlayError> {
        match &self.scenario.trigger {
            Trigger::Manual { at_min, input, cycle } if !self.started && self.minute() >= *at_min => {
                self.started = true;
                self.start_by_hand(*cycle, input).await?;
            }
            Trigger::Schedule { at_min } if !self.started && self.minute() >= *at_min => {
                self.started = true;
                self.tell("schedule", "the round of all applications", Tone::Plain)?;
                self.stack.call_round().await?;
            }
            Trigger::Manual { .. } | Trigger::Schedule { .. } | Trigger::Alarm => {}
        }
        let now_s = self.stack.cloud.clock.now_s();
        let told = self.records.messages(&self.queue).await?;
        self.people(&told).await?;
        for actor in &mut *actors {
            if actor.life.is_finished() {
                let why = match (&mut actor.life).await {
                    Ok(Err(error)) => error.to_string(),
                    Ok(Ok(())) => "it came to its end".to_owned(),
                    Err(error) => error.to_string(),
                };
                return Err(PlayError::Died { app: actor.watch.app.clone(), why });
            }
            let mut beats = actor.watch.look(&self.records, &actor.cloud, now_s).await?;
            if beats.iter().any(|beat| beat.step == "ALARM") {
                beats.extend(actor.minutes.borrow().as_ref().map(symptoms));
            }
            beats.extend(told.iter().filter_map(|told| actor.watch.hear(told)));
            for beat in &beats {
                self.story.beat(self.minute(), &actor.watch.app, beat)?;
            }
        }
        if let Some(actor) = actors.first() {
            self.stop_in_console(&actor.watch).await?;
            self.press_kill_switch(actor).await?;
            self.order_rollback(&actor.watch).await?;
        }
        Ok(())
    }

    /// The person of the scenario hears of a question and answers in their own time.
    async fn people(&mut self, told: &[Told]) -> Result<(), PlayError> {
        let Some(person) = &self.scenario.person else { return Ok(()) };
        let about = |told: &&Told| self.scenario.apps.keys().any(|app| told.is_about(app));
        let links = told.iter().filter(about).filter_map(|told| person::link(&told.message));
        self.visits.extend(links.map(|link| person::visit(person, link, self.stack)));
        for index in (0..self.visits.len()).rev().filter(|index| self.visits[*index].is_finished()).collect::<Vec<_>>()
        {
            let came_to = self.visits.remove(index).await.unwrap_or_else(|error| Err(error.to_string()));
            match came_to {
                Ok(text) => {
                    self.answers += 1;
                    self.tell("person", &text, Tone::Plain)?;
                }
                Err(why) => self.tell("person", &format!("could not answer: {why}"), Tone::Bad)?,
            }
        }
        Ok(())
    }

    /// Over when nothing runs, nothing is still to happen and nothing has begun for a while, or when the time is up.
    fn is_over(&self, actors: &[Actor]) -> bool {
        let minute = self.minute();
        if minute >= self.scenario.time_limit_min {
            return true;
        }
        actors.iter().all(|actor| {
            let Some(setup) = self.scenario.apps.get(&actor.watch.app) else { return true };
            if setup.expect.status == ExpectedStatus::None {
                // That nothing happens is known only at the end.
                return false;
            }
            let is_rollback = |run: &ExecutionRecord| run.workflow_type == Workflow::Rollback;
            if self.scenario.rollback.is_some() && !actor.watch.runs.iter().any(is_rollback) {
                return false;
            }
            if self.scenario.kill_switch.is_some() && !self.switch.is_over() {
                return false;
            }
            let quiet =
                actor.watch.ended_s.is_some_and(|ended_s| minute - (ended_s - self.start_s) / 60.0 >= QUIET_MIN);
            !actor.watch.is_running() && quiet && minute >= setup.events_over_min() + QUIET_MIN
        })
    }
}

/// What users and operators of the application see at this minute.
fn symptoms(minute: &Minute) -> Beat {
    let sample = &minute.sample;
    let servers = f64::from(sample.in_service.max(1));
    let text = format!(
        "p95 {:.0} ms, errors {:.2} %, {} servers at {:.0} % CPU and {:.0} % memory, cache hits {:.0} %, {:.0} messages wait",
        sample.latency.p95_ms(),
        100.0 * (sample.errors_5xx + sample.lb_errors_5xx) / sample.requests.max(1.0),
        sample.in_service,
        sample.servers.iter().map(|server| server.cpu_pct).sum::<f64>() / servers,
        sample.servers.iter().map(|server| server.memory_pct).sum::<f64>() / servers,
        100.0 * sample.hits / (sample.hits + sample.misses).max(1.0),
        sample.queue.depth,
    );
    Beat::new("studio", text, Tone::Dim)
}
