//! One answer to one question, whichever way it came: checked, written once, handed to the run that waits.

use super::World;
use crate::answer::clean;
use domain::approval::{Answer, Request, RequestState, Via};
use domain::ids::{AppId, ChangeId, RequestId};
use engine::ports::{Asked, PortError, PortResult};
use serde_json::json;

/// Longest name of a person, in characters.
pub(super) const BY_MAX: usize = 80;
/// Longest remark, in characters.
pub(super) const REMARK_MAX: usize = 500;

/// What a person sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// `approve` or `deny`.
    pub decision: String,
    /// Ids of the changes that are ticked.
    pub changes: Vec<String>,
    /// Who.
    pub by: String,
    /// Remark.
    pub remark: String,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// It counts, and the run goes on with it.
    Taken(Request),
    /// It counts. The run could not be woken and takes it up when the question expires.
    TakenLater(Request),
    /// The question was closed before: answered or lapsed.
    Closed(Request),
    /// It can't be taken; nothing was changed. One sentence that says what would be right.
    NotUnderstood(Request, &'static str),
    /// There is no such question.
    Unknown,
    /// The run that asked has ended meanwhile.
    NobodyWaits(Request),
}

/// Takes an answer.
///
/// # Errors
/// What a port says; the answer may then be given again.
pub async fn take(app: &AppId, id: &RequestId, given: &Given, via: Via, world: &World<'_>) -> PortResult<Ending> {
    let now = world.clock.now();
    let Some(Asked { request, task_token }) = world.approvals.read(app, id).await? else { return Ok(Ending::Unknown) };
    match request.state_at(now) {
        RequestState::Lapsed => return Ok(Ending::Closed(request)),
        RequestState::Withdrawn => return Ok(Ending::NobodyWaits(request)),
        // The answer was written and the run perhaps not woken: waking it twice is waking it once.
        RequestState::Answered => {
            let _at_the_latest_when_it_expires = wake(&request, &task_token, world).await;
            return Ok(Ending::Closed(request));
        }
        RequestState::Open => {}
    }
    let approved = match understood(&request, given) {
        Ok(approved) => approved,
        Err(why) => return Ok(Ending::NotUnderstood(request, why)),
    };
    let (by, remark) = (clean(&given.by, BY_MAX), clean(&given.remark, REMARK_MAX));
    let answer = Answer { approved, by, remark, via, at: now };
    let closed = Request { state: RequestState::Answered, answer: Some(answer), ..request };
    match world.approvals.close(&closed).await {
        Ok(()) => {}
        Err(PortError::Conflict { .. }) => {
            let found = world.approvals.read(app, id).await?;
            return Ok(match found.map(|asked| asked.request) {
                None => Ending::Unknown,
                Some(request) if request.state == RequestState::Withdrawn => Ending::NobodyWaits(request),
                Some(request) => Ending::Closed(request),
            });
        }
        Err(error) => return Err(error),
    }
    tracing::info!(app = %closed.app, request = %closed.id, via = ?via, "answered");
    Ok(match wake(&closed, &task_token, world).await {
        Ok(true) => Ending::Taken(closed),
        Ok(false) => Ending::NobodyWaits(closed),
        Err(error) => {
            tracing::error!(app = %closed.app, request = %closed.id, error = %error, "the run could not be woken");
            Ending::TakenLater(closed)
        }
    })
}

/// The changes that may be made.
fn understood(request: &Request, given: &Given) -> Result<Vec<ChangeId>, &'static str> {
    if clean(&given.by, BY_MAX).is_empty() {
        return Err("Please say who you are: the record names whoever decided.");
    }
    match given.decision.as_str() {
        "deny" => Ok(Vec::new()),
        "approve" => {
            let asked = request.questions.iter().map(|question| question.change.clone());
            let ticked: Vec<ChangeId> =
                asked.filter(|id| given.changes.iter().any(|ticked| ticked == id.as_str())).collect();
            if ticked.is_empty() {
                return Err("Please tick what may be made, or choose no.");
            }
            Ok(ticked)
        }
        _ => Err("Please choose yes or no."),
    }
}

/// True when the run was woken. A lost answer is asked for once more: where the token is gone by then, the first call has used
/// it, and the run goes on with the answer.
async fn wake(request: &Request, task_token: &str, world: &World<'_>) -> PortResult<bool> {
    match wake_once(request, task_token, world).await {
        Err(PortError::Unknown { .. }) => wake_once(request, task_token, world).await.map(|_| true),
        answered => answered,
    }
}

/// True when the run was there to be woken.
async fn wake_once(request: &Request, task_token: &str, world: &World<'_>) -> PortResult<bool> {
    let approved: &[ChangeId] = request.answer.as_ref().map_or(&[], |answer| &answer.approved);
    let output = json!({"request": request.id, "approved": approved});
    match world.waker.wake(task_token, &output.to_string()).await {
        Ok(()) => Ok(true),
        Err(PortError::Gone { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
