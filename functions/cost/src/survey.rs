//! survey: after every other place was looked through, one message about all of them, those that let nobody in among them.

use crate::digest::Summary;
use domain::cost::money::UsdMicros;
use domain::cost::rest::place_of;
use domain::execution::{ExecutionRecord, Status};
use domain::finding::Severity;
use domain::ids::{AppId, ExecutionId};
use domain::place::Place;
use domain::text::{chat, line, subject};
use engine::documents;
use engine::ports::{Artifacts, Executions, Message, Notifier};
use engine::run::artifact_key;
use engine::step::StepError;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write;

/// `detail-type` of the message on the event bus.
pub const PLACES: &str = "Maintainer Places";
/// Places that are named in a text; the event has more.
const LINES_MAX: usize = 12;
/// Places in an event.
const EVENT_PLACES_MAX: usize = 50;
/// Records that are read at a time.
const AT_ONCE: usize = 16;
/// The iteration in which a run says what it has found: that of another place has no second.
const ITERATION: u32 = 1;

/// What the state machine hands over.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// What the first step has answered.
    pub run: Round,
    /// ARN of the execution.
    pub execution_arn: String,
}

/// The runs of a round.
#[derive(Debug, Deserialize)]
pub struct Round {
    /// One for each place.
    pub targets: Vec<Child>,
}

/// The run of one place.
#[derive(Clone, Debug, Deserialize)]
pub struct Child {
    /// Its name, which is also its id.
    pub name: ExecutionId,
    /// Its input.
    pub input: ChildInput,
}

/// The input of the run of one place.
#[derive(Clone, Debug, Deserialize)]
pub struct ChildInput {
    /// The rest of a place.
    pub app: AppId,
}

/// What the round came to.
#[derive(Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Places that were looked through.
    pub looked_through: usize,
    /// Places that were not, or only in part.
    pub incomplete: usize,
    /// What could be saved in all of them, in words.
    pub saving: String,
    /// People were told: something is new, or not everything could be read.
    pub told: bool,
    /// What they were told, or would have been.
    pub text: String,
}

/// What the step needs of the world.
pub struct World<'a> {
    /// Records.
    pub executions: &'a dyn Executions,
    /// What the runs have found.
    pub artifacts: &'a dyn Artifacts,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
}

/// A place that was looked through.
struct Looked {
    place: Place,
    child: Child,
    found: Summary,
}

/// Reads what the runs of a round have found and tells people of all of it, where there is anything new or something is missing.
/// Repeating it tells again.
///
/// # Errors
/// [`StepError::Bug`] where a target is the rest of no place; what the stores say. A run that has failed, or never began, is a line of
/// the message.
pub async fn tell(request: &Request, world: &World<'_>) -> Result<Answer, StepError> {
    let ended: Vec<(Place, Child, Result<Summary, String>)> = stream::iter(request.run.targets.iter().cloned())
        .map(|child| async move {
            let place = place_of(&child.input.app)
                .ok_or_else(|| StepError::Bug(format!("{} is the rest of no place", child.input.app)))?;
            let found = found(&child, world).await?;
            Ok::<_, StepError>((place, child, found))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let mut looked = Vec::new();
    let mut failed: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (place, child, found) in ended {
        match found {
            Ok(found) => looked.push(Looked { place, child, found }),
            Err(why) => failed.entry((place.account, line(&why))).or_default().push(place.region),
        }
    }
    looked.sort_by(|a, b| b.found.saving.cmp(&a.found.saving).then(a.place.cmp(&b.place)));
    let message = message(request, &looked, &failed);
    let is_partly_unread = |place: &&Looked| !place.found.unread.is_empty();
    let incomplete = failed.values().map(Vec::len).sum::<usize>() + looked.iter().filter(is_partly_unread).count();
    let told = incomplete > 0 || looked.iter().any(|place| place.found.new > 0);
    if told {
        world.notifier.notify(&message).await?;
    }
    let saving = format!("{} USD a month", saving(&looked));
    Ok(Answer { looked_through: looked.len(), incomplete, saving, told, text: message.text })
}

/// What the run of a place has found, or why it has not.
async fn found(child: &Child, world: &World<'_>) -> Result<Result<Summary, String>, StepError> {
    let Some(record) = world.executions.read(&child.name).await? else {
        return Ok(Err("its run did not begin: another one is at work, or Step Functions did not start it".to_owned()));
    };
    if let Some(why) = unfinished(&record) {
        return Ok(Err(why));
    }
    let key = artifact_key(&record.app, &record.execution_id, ITERATION, "digest");
    let found: Option<Summary> = documents::get(world.artifacts, &key).await?;
    Ok(found.ok_or_else(|| "its run has left no summary".to_owned()))
}

fn unfinished(record: &ExecutionRecord) -> Option<String> {
    match record.status {
        Status::Completed => None,
        Status::Running => Some("its run has not ended yet".to_owned()),
        Status::Failed | Status::Escalated => {
            Some(record.conclusion.clone().unwrap_or_else(|| "its run has failed and says no reason".to_owned()))
        }
    }
}

fn saving(looked: &[Looked]) -> UsdMicros {
    looked.iter().map(|place| place.found.saving).sum()
}

fn message(request: &Request, looked: &[Looked], failed: &BTreeMap<(String, String), Vec<String>>) -> Message {
    let things: usize = looked.iter().map(|place| place.found.opportunities).sum();
    let lacking: usize = failed.values().map(Vec::len).sum();
    let mut headline = format!(
        "{} other place(s) looked through: {things} thing(s) cost more than they must, about {} USD a month",
        looked.len(),
        saving(looked)
    );
    if lacking > 0 {
        let _infallible = write!(headline, "; {lacking} could not be looked through");
    }
    let text = text(&headline, looked, failed);
    Message {
        kind: PLACES.to_owned(),
        severity: if lacking > 0 { Severity::Medium } else { Severity::Low },
        subject: subject(&format!("[maintainer] {headline}")),
        detail: json!({
            "version": 1, "execution_arn": request.execution_arn, "reason": headline,
            "places": looked.iter().take(EVENT_PLACES_MAX).map(|Looked { place, child, found }| json!({
                "account": place.account, "region": place.region, "app": child.input.app, "execution_id": child.name,
                "opportunities": found.opportunities, "new": found.new, "saving": found.saving, "unread": found.unread,
            })).collect::<Vec<_>>(),
            "not_looked_through": failed.iter().take(EVENT_PLACES_MAX).map(|((account, why), regions)| json!({
                "account": account, "regions": regions, "reason": why,
            })).collect::<Vec<_>>(),
            "text": chat(&text),
        }),
        text,
    }
}

fn text(headline: &str, looked: &[Looked], failed: &BTreeMap<(String, String), Vec<String>>) -> String {
    let mut text = format!("{headline}.\n");
    let wasteful: Vec<&Looked> = looked.iter().filter(|place| place.found.opportunities > 0).collect();
    let lines = wasteful.iter().map(|place| {
        let found = &place.found;
        let new = if found.new > 0 { format!(", {} new", found.new) } else { String::new() };
        let largest = found.largest.as_ref().map_or_else(String::new, |largest| format!("; the largest: {largest}"));
        format!("{}: {} USD a month, {} thing(s){new}{largest}", of(&place.place), found.saving, found.opportunities)
    });
    part(&mut text, "Where most could be saved", lines);
    let lines = failed.iter().map(|((account, why), regions)| format!("{account} in {}: {why}", regions.join(", ")));
    part(&mut text, "Not looked through", lines);
    let unread = looked.iter().filter(|place| !place.found.unread.is_empty());
    part(
        &mut text,
        "Looked through in part",
        unread.map(|place| format!("{}: {}", of(&place.place), place.found.unread.join("; "))),
    );
    if let Some(first) = wasteful.first() {
        let _infallible = write!(
            text,
            "\nNothing of it is changed: it belongs to no application. Everything of a place, with commands: start the state machine `explain` \
             with {{\"execution_id\": \"{}\"}}.\n",
            first.child.name
        );
    }
    text
}

fn of(place: &Place) -> String {
    format!("{} {}", place.account, place.region)
}

/// A list under a title, if there is anything in it.
fn part(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let _infallible = writeln!(text, "\n{title}:");
    for said in lines.iter().take(LINES_MAX) {
        let _infallible = writeln!(text, "- {}", line(said));
    }
    if lines.len() > LINES_MAX {
        let _infallible = writeln!(text, "- and {} more, see the event and the records", lines.len() - LINES_MAX);
    }
}
