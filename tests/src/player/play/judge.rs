//! How a scenario ended: the state of the world, the records and the story, against what was expected.

use super::{Actor, PlayError, Stage};
use crate::player::check::{Finding, check};
use crate::player::kill::Killed;
use crate::player::person;
use crate::player::stack::{Stack, StackError};
use crate::player::watch::Watch;
use crate::player::world::see;
use crate::scenario::Person;
use domain::execution::{AnswerRecord, Status};
use tokio::task::JoinHandle;

impl Stage<'_> {
    pub(super) async fn killed(
        &mut self,
        killer: JoinHandle<Result<Vec<Killed>, StackError>>,
    ) -> Result<Vec<(String, Finding)>, PlayError> {
        let app = self.scenario.apps.keys().next().cloned().unwrap_or_default();
        if !killer.is_finished() {
            killer.abort();
        }
        let killed = match killer.await {
            Ok(killed) => killed?,
            Err(_) => vec![Killed::Missed { step: "one of the steps".to_owned() }],
        };
        let mut findings: Vec<Finding> = killed
            .iter()
            .map(|killed| match killed {
                Killed::Midway { pid, change } => {
                    Finding { holds: true, text: format!("killed process {pid} while change {change} was open") }
                }
                Killed::AtWork { pid, step } => {
                    Finding { holds: true, text: format!("killed process {pid} while {step} talked to AWS") }
                }
                Killed::Missed { step } => {
                    Finding { holds: false, text: format!("{step} was never killed: it was not met at its work") }
                }
            })
            .collect();
        let at_work = killed.iter().filter(|killed| matches!(killed, Killed::AtWork { .. })).count();
        if at_work > 0 {
            let deaths = self.stack.deaths().await?;
            // A connection may still be open when the work is done: such a kill falls between two invocations.
            let half = at_work.div_ceil(2);
            let text =
                format!("invocations that died with their process: {deaths} of {at_work}, expected at least {half}");
            findings.push(Finding { holds: deaths >= half, text });
        }
        Ok(findings.into_iter().map(|finding| (app.clone(), finding)).collect())
    }

    /// Reads the final state back from the cloud and compares.
    pub(super) async fn judge(&mut self, actors: &[Actor]) -> Result<Vec<(String, Finding)>, PlayError> {
        let mut findings = Vec::new();
        if self.scenario.stop.is_some() {
            findings.extend(actors.first().map(|actor| self.stopped_record(&actor.watch)));
        }
        if self.scenario.kill_switch.is_some() {
            findings.extend(actors.first().map(|actor| (actor.watch.app.clone(), self.obeyed())));
        }
        if let Some(person) = &self.scenario.person {
            let text = format!("answers of a person: {}, expected at least 1", self.answers);
            let app = self.scenario.apps.keys().next().cloned().unwrap_or_default();
            findings.push((app, Finding { holds: self.answers > 0, text }));
            findings.extend(actors.first().map(|actor| (actor.watch.app.clone(), on_record(person, &actor.watch))));
        }
        let posted = self.stack.posted().await?;
        for actor in actors {
            findings.push((actor.watch.app.clone(), in_chat(&posted, &actor.watch)));
            let Some(setup) = self.scenario.apps.get(&actor.watch.app) else { continue };
            let seen = see(&actor.cloud, &actor.watch.app, &actor.resources).await?;
            let found = check(&setup.expect, &actor.watch, &seen, &actor.first_instances);
            findings.extend(found.into_iter().map(|finding| (actor.watch.app.clone(), finding)));
            if let Some(namesake) = &actor.namesake {
                findings.push((actor.watch.app.clone(), namesake.is_untouched(&self.stack.cloud).await?));
            }
            if let Some(run) = actor.watch.last_run() {
                let finding = story_of(self.stack, &actor.watch, run.execution_id.as_str()).await?;
                findings.push((actor.watch.app.clone(), finding));
            }
        }
        Ok(findings)
    }

    /// The record of the run that a person stopped must say so, and another run must have answered for its change.
    fn stopped_record(&self, watch: &Watch) -> (String, Finding) {
        let record = self
            .stopped
            .as_ref()
            .and_then(|stopped| watch.runs.iter().find(|run| run.execution_id.as_str() == stopped.execution));
        let finding = match record {
            None => Finding { holds: false, text: "no run was stopped: none was seen with a change made".to_owned() },
            Some(run) => {
                let told = run.conclusion.as_deref().unwrap_or("nothing");
                let text = format!("record of the stopped run: {:?}, \"{told}\", expected Failed", run.status);
                Finding { holds: run.status == Status::Failed, text }
            }
        };
        (watch.app.clone(), finding)
    }
}

/// What people were told stands in the chat behind the webhook as well.
fn in_chat(posted: &[String], watch: &Watch) -> Finding {
    let missing: Vec<&str> = watch
        .told
        .iter()
        .map(|told| told.message.as_str())
        .filter(|text| !posted.contains(&domain::text::chat(text)))
        .collect();
    let (all, first) = (watch.told.len(), missing.first().map_or(String::new(), |text| format!(", not this:\n{text}")));
    Finding {
        holds: missing.is_empty(),
        text: format!("messages in the chat: {} of {all}{first}", all - missing.len()),
    }
}

/// Who answered, which way and with which remark.
fn on_record(person: &Person, watch: &Watch) -> Finding {
    let answers: Vec<_> = watch.runs.iter().flat_map(|run| &run.answers).collect();
    let is_theirs = |answer: &&AnswerRecord| {
        (answer.by.as_deref(), answer.remark.as_str(), answer.via)
            == (Some(person::NAME), person::REMARK, Some(person.via))
    };
    let theirs = answers.iter().copied().filter(is_theirs).count();
    let text =
        format!("answers in the records: {theirs} by {} via {:?}, expected at least 1", person::NAME, person.via);
    Finding { holds: theirs > 0, text }
}

/// The story that `explain` tells of a run must have its conclusion and every change that it answers for.
async fn story_of(stack: &Stack, watch: &Watch, execution: &str) -> Result<Finding, PlayError> {
    let text = stack.explain(execution).await?;
    let ids = watch.journal.iter().filter(|entry| entry.execution == execution).map(|entry| entry.change.id.as_str());
    let missing: Vec<&str> = ids.filter(|id| !text.contains(*id)).collect();
    let holds = missing.is_empty() && text.contains(execution) && !text.contains("another shape");
    let lines = text.lines().count();
    let text = if holds {
        format!("story of run {execution}: {lines} lines, with every change")
    } else {
        format!("story of run {execution} lacks {missing:?}:\n{text}")
    };
    Ok(Finding { holds, text })
}
