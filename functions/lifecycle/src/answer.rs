//! answer: what a person said, or that nobody said anything, and how the run goes on.
//!
//! A yes takes the lease again and measures anew: the plan that runs is made from how things are now, and the yes covers
//! what it showed. A no ends the run, silence hands it over to people. Repeating the step finds the answer in the table.

use crate::names::request_id;
use domain::approval::{Answer, Request, RequestState, Via};
use domain::execution::AnswerRecord;
use domain::ids::ChangeId;
use engine::ports::{Approvals, Asked, Clock, Executions, LeaseAnswer, Leases, PortError};
use engine::run::{Caught, Decision, Run, lease_ttl_s};
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// Seconds between two looks at a lease that another run holds.
const TRY_AGAIN_S: u32 = 300;
/// Longest name and remark that are kept, in characters.
const BY_MAX: usize = 80;
const REMARK_MAX: usize = 500;

/// What the state machine hands over: the run, and beside it what came back for the task token.
#[derive(Debug, Deserialize)]
pub struct Input {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// Output that the task was completed with.
    #[serde(default)]
    pub answer: Option<Value>,
    /// The time-out, when nobody answered.
    #[serde(default)]
    pub unanswered: Option<Caught>,
}

/// What answer needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Questions.
    pub approvals: &'a dyn Approvals,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Leases.
    pub leases: &'a dyn Leases,
}

/// Takes the answer.
///
/// # Errors
/// When a port fails, or there is no such question.
pub async fn answer(input: Input, use_within_s: u32, world: &World<'_>) -> Result<Run, StepError> {
    let mut run = input.run;
    let id = request_id(&run);
    let Some(Asked { request, .. }) = world.approvals.read(&run.app, &id).await? else {
        return Err(StepError::Stale(format!("the question {id} is not there: the step before has not written it")));
    };
    let said = input.answer.as_ref().filter(|_| input.unanswered.is_none());
    let request = settled(request, said, world).await?;
    note(&run, &request, world).await?;
    run.answer_within_s = None;
    match &request.answer {
        Some(answer) if answer.approved.is_empty() => {
            run.decision = Decision::Denied;
            run.conclusion = Some(said_no(answer));
        }
        Some(answer) => take_up(&mut run, answer, use_within_s, world).await?,
        None => {
            run.decision = Decision::Escalate;
            run.conclusion = Some(format!(
                "{} change(s) were asked for at {:.0} and nobody answered until {:.0}, which means no",
                request.questions.len(),
                request.asked_at,
                request.expires_at
            ));
        }
    }
    Ok(run)
}

fn said_no(answer: &Answer) -> String {
    let remark = if answer.remark.is_empty() { String::new() } else { format!(": {}", answer.remark) };
    format!("{} said no {}{remark}", answer.by, answer.via)
}

/// The request with its last word: as the table has it, else as the command line said it, else lapsed.
async fn settled(mut request: Request, said: Option<&Value>, world: &World<'_>) -> Result<Request, StepError> {
    if request.state != RequestState::Open {
        return Ok(request);
    }
    let now = world.clock.now();
    request.answer = said.map(|said| read(said, &request, now));
    request.state = if request.answer.is_some() { RequestState::Answered } else { RequestState::Lapsed };
    match world.approvals.close(&request).await {
        Ok(()) => Ok(request),
        // Somebody answered by the link at the same moment: theirs was written first.
        Err(PortError::Conflict { .. }) => {
            let found = world.approvals.read(&request.app, &request.id).await?;
            found
                .map(|asked| asked.request)
                .ok_or_else(|| StepError::Stale(format!("the question {} was there and is gone", request.id)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the command line said: `{"approved": true}` or a list of change ids, with `by` and `remark`. Whatever else is no.
fn read(said: &Value, request: &Request, at: Timestamp) -> Answer {
    let asked = || request.questions.iter().map(|question| question.change.clone());
    let approved: Vec<ChangeId> = match said.get("approved") {
        Some(Value::Bool(true)) => asked().collect(),
        Some(Value::Array(ids)) => asked().filter(|id| ids.iter().any(|listed| listed == id.as_str())).collect(),
        _ => Vec::new(),
    };
    let text = |name: &str, most| said.get(name).and_then(Value::as_str).map(|text| clean(text, most));
    let by = text("by", BY_MAX).filter(|by| !by.is_empty()).unwrap_or_else(|| "somebody who gave no name".to_owned());
    Answer { approved, by, remark: text("remark", REMARK_MAX).unwrap_or_default(), via: Via::CommandLine, at }
}

/// A text of a person, bounded, without characters that are not seen or that turn what others read.
pub fn clean(text: &str, chars_max: usize) -> String {
    let printable: String = text.chars().map(domain::text::plain).collect();
    printable.trim().chars().take(chars_max).collect()
}

/// A yes: the lease again, unless another run is at work; then a little later, as long as the yes holds.
async fn take_up(run: &mut Run, answer: &Answer, use_within_s: u32, world: &World<'_>) -> Result<(), StepError> {
    let now = world.clock.now();
    let until = answer.at.checked_add(SignedDuration::from_secs(i64::from(use_within_s))).unwrap_or(Timestamp::MAX);
    match world.leases.acquire(&run.lease_key(), &run.execution_id, now, lease_ttl_s(run.cycle)).await? {
        LeaseAnswer::Held(lease) => {
            run.lease = lease;
            run.decision = Decision::Proceed;
        }
        LeaseAnswer::Busy(_) if now < until => {
            run.wait_s = TRY_AGAIN_S;
            run.decision = Decision::Wait;
        }
        LeaseAnswer::Busy(other) => {
            run.decision = Decision::Escalate;
            run.conclusion = Some(format!(
                "{} said yes at {:.0}, but {} was at work on the application until the yes had run out",
                answer.by, answer.at, other.holder
            ));
        }
    }
    Ok(())
}

/// Who said what, in the record of the run.
async fn note(run: &Run, request: &Request, world: &World<'_>) -> Result<(), StepError> {
    let Some(mut record) = world.executions.read(&run.execution_id).await? else {
        return Err(StepError::Stale(format!("the record of {} is not there", run.execution_id)));
    };
    if record.answers.iter().any(|noted| noted.request == request.id) {
        return Ok(());
    }
    let approved = request.answer.as_ref().map(|answer| answer.approved.clone()).unwrap_or_default();
    let asked = request.questions.iter().map(|question| question.change.clone());
    record.answers.push(AnswerRecord {
        request: request.id.clone(),
        asked_at: request.asked_at,
        denied: asked.filter(|change| !approved.contains(change)).collect(),
        approved,
        by: request.answer.as_ref().map(|answer| answer.by.clone()),
        remark: request.answer.as_ref().map(|answer| answer.remark.clone()).unwrap_or_default(),
        via: request.answer.as_ref().map(|answer| answer.via),
        at: request.answer.as_ref().map(|answer| answer.at),
    });
    Ok(world.executions.save(&record).await?)
}
