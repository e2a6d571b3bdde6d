//! The person of a scenario who turns the kill switch on over a change, and off again when the run has ended.

use super::{Actor, PlayError, Stage};
use crate::player::check::Finding;
use crate::player::records::JournalState;
use crate::player::world::see;
use domain::execution::{Cycle, Status};
use lifecycle::explain::beats::Tone;
use std::collections::BTreeSet;

/// Virtual minutes after which what was under way when the switch was turned is over: a call that has passed the switch
/// lands within seconds, which are as many minutes of this time.
const LANDS_WITHIN_MIN: f64 = 2.0;

/// How far it has come.
#[derive(Debug, Default)]
pub(super) enum Switch {
    /// Not touched yet.
    #[default]
    Untouched,
    /// On since this minute, over a change of this run; what stood when the calls under way had landed.
    On { run: String, since_min: f64, before: Option<Standing> },
    /// Off again; another run is to be started when none is under way.
    Off { found: Finding, is_started_again: bool },
}

/// What the maintainer can change: the changes made and undone so far, and what of the application depends on them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    made: BTreeSet<String>,
    undone: BTreeSet<String>,
    servers: f64,
    tasks: f64,
    instances: BTreeSet<String>,
}

impl Switch {
    /// It is off again, and the next run was started.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Off { is_started_again: true, .. })
    }
}

impl Stage<'_> {
    /// On as soon as a change is made; off so long after the end of that run, and another run is started by hand.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub(super) async fn press_kill_switch(&mut self, actor: &Actor) -> Result<(), PlayError> {
        let Some(wanted) = &self.scenario.kill_switch else { return Ok(()) };
        let (minute, watch) = (self.minute(), &actor.watch);
        match &mut self.switch {
            Switch::Untouched => {
                let running = watch.runs.iter().find(|run| run.status == Status::Running);
                let is_made = watch.journal.iter().any(|entry| entry.state == JournalState::Applied);
                if let Some(run) = running.filter(|_| is_made) {
                    self.stack.turn_kill_switch("on").await?;
                    let run = run.execution_id.to_string();
                    self.tell("person", &format!("turned the kill switch on over a change of {run}"), Tone::Plain)?;
                    self.switch = Switch::On { run, since_min: minute, before: None };
                }
            }
            Switch::On { since_min, before: before @ None, .. } if minute - *since_min >= LANDS_WITHIN_MIN => {
                *before = Some(standing(actor).await?);
            }
            Switch::On { run, since_min, before: Some(before) } => {
                let ended_s = watch.ended_s_of(run);
                let is_due = |ended_s: f64| minute - (ended_s - self.start_s) / 60.0 >= wanted.off_after_min;
                if ended_s.is_some_and(is_due) {
                    let found = nothing_moved(before, &standing(actor).await?, (*since_min, minute));
                    self.leave_switch_off().await?;
                    self.switch = Switch::Off { found, is_started_again: false };
                }
            }
            Switch::Off { is_started_again, .. } if !*is_started_again && !watch.is_running() => {
                *is_started_again = true;
                let input = serde_json::json!({ "app": watch.app });
                self.start_by_hand(Cycle::Health, &input).await?;
            }
            Switch::On { .. } | Switch::Off { .. } => {}
        }
        Ok(())
    }

    /// Turns the kill switch off if this scenario has turned it on.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub(super) async fn leave_switch_off(&mut self) -> Result<(), PlayError> {
        if matches!(self.switch, Switch::On { .. }) {
            self.stack.turn_kill_switch("off").await?;
            self.tell("person", "turned the kill switch off again", Tone::Plain)?;
        }
        Ok(())
    }

    /// Nothing was changed while it was on, not even back.
    pub(super) fn obeyed(&self) -> Finding {
        match &self.switch {
            Switch::Off { found, .. } => found.clone(),
            Switch::Untouched => Finding {
                holds: false,
                text: "the kill switch was never turned on: no change was seen made".to_owned(),
            },
            Switch::On { run, .. } => {
                Finding { holds: false, text: format!("the kill switch stayed on: {run} was not seen to end") }
            }
        }
    }
}

async fn standing(actor: &Actor) -> Result<Standing, PlayError> {
    let seen = see(&actor.cloud, &actor.watch.app, &actor.resources).await?;
    let ids = |is: fn(JournalState) -> bool| {
        let entries = actor.watch.journal.iter().filter(move |entry| is(entry.state));
        entries.map(|entry| entry.change.id.as_str().to_owned()).collect()
    };
    Ok(Standing {
        made: ids(JournalState::happened),
        undone: ids(|state| state == JournalState::Undone),
        servers: seen.servers,
        tasks: seen.tasks,
        instances: seen.instances,
    })
}

fn nothing_moved(before: &Standing, after: &Standing, (from_min, to_min): (f64, f64)) -> Finding {
    let text = format!(
        "kill switch on from minute {from_min:.0} to {to_min:.0}: {} changes made before and {} after, {} and {} undone, \
         {} and {} servers, {} and {} tasks, expected no difference",
        before.made.len(),
        after.made.len(),
        before.undone.len(),
        after.undone.len(),
        before.servers,
        after.servers,
        before.tasks,
        after.tasks,
    );
    Finding { holds: before == after, text }
}
