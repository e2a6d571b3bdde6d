//! ask: puts the question to people, once only their consent is lacking, and lets go of the application meanwhile.
//!
//! The run waits for the answer with a task token of Step Functions and holds no lease while it waits, so that an alarm can
//! start another run. Asking twice is better than not at all, so a repeated step asks again, under the same id.

use crate::link::Links;
use crate::names::request_id;
use crate::succession::{self, let_go};
use crate::words::{about, levels, title};
use config::ResolvedApp;
use domain::approval::{self, Question, Request, RequestState};
use domain::change::{Change, Reversal};
use domain::finding::Severity;
use domain::guard::Refusal;
use domain::health::Decided;
use domain::ids::RequestId;
use domain::snapshot::Snapshot;
use domain::text::{chat, line, subject};
use engine::act::{ChangeReport, Report};
use engine::documents;
use engine::ports::{
    Approvals, Artifacts, Clock, Episodes, Executions, Leases, Message, Notifier, SigningKey, Starter,
};
use engine::run::Run;
use engine::step::StepError;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write;

/// `detail-type` of a question on the event bus.
pub const QUESTION: &str = "Maintainer Approval Requested";
/// Findings named in a question at most.
const EVIDENCE_MAX: usize = 5;

/// What the state machine hands over.
#[derive(Debug, Deserialize)]
pub struct Input {
    /// The run.
    pub run: Run,
    /// What wakes it.
    pub task_token: String,
}

/// What ask needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Plan and report of this iteration.
    pub artifacts: &'a dyn Artifacts,
    /// Questions.
    pub approvals: &'a dyn Approvals,
    /// Key of the links.
    pub signing_key: &'a dyn SigningKey,
    /// Address of the page that answers.
    pub page_url: &'a str,
    /// Episodes.
    pub episodes: &'a dyn Episodes,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Starts the run of alarms that came too late for this one.
    pub starter: &'a dyn Starter,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
}

/// What was asked; Step Functions drops it and waits for the answer.
#[derive(Debug, PartialEq, Serialize)]
pub struct Told {
    /// The request.
    pub request: RequestId,
    /// When silence becomes a no.
    pub expires_at: Timestamp,
}

/// Asks.
///
/// # Errors
/// When the report of this iteration is not there, or a port fails.
pub async fn ask(input: Input, app: &ResolvedApp, world: &World<'_>) -> Result<Told, StepError> {
    let run = input.run;
    let snapshot: Snapshot = documents::need(world.artifacts, &run.key("snapshot")).await?;
    let request = request(&run, app, &snapshot, world).await?;
    let request = world.approvals.ask(&request, &input.task_token).await?;
    if request.state == RequestState::Open {
        let link = Links::new(&world.signing_key.read().await?, world.page_url).to(&request);
        world.notifier.notify(&message(&request, &link)).await?;
    }
    // Alarms that ring from now on, or came after the last look, are not answered by a run that waits for a person. A
    // snapshot ends with a full minute: the alarm that started the run may be younger, and yet it is answered.
    let record = world.executions.read(&run.execution_id).await?;
    let last_look = record.map_or(snapshot.taken_at, |record| record.last_look());
    let World { clock, episodes, leases, starter, .. } = *world;
    let_go(&run, last_look, &succession::World { clock, episodes, leases, starter }).await?;
    Ok(Told { request: request.id, expires_at: request.expires_at })
}

async fn request(run: &Run, app: &ResolvedApp, snapshot: &Snapshot, world: &World<'_>) -> Result<Request, StepError> {
    let report: Report = documents::need(world.artifacts, &run.key("actions")).await?;
    let decided: Decided = documents::need(world.artifacts, &run.key("analysis")).await?;
    let planned = |line: &ChangeReport| decided.plan.changes.iter().find(|change| change.id == line.change);
    let questions: Vec<Question> = report
        .askable()
        .filter_map(|line| {
            let change = planned(line)?;
            let spec = change.action.spec();
            Some(Question {
                change: change.id.clone(),
                action: change.action.clone(),
                resource: change.resource.clone(),
                before: line.before.clone(),
                size: snapshot.resource(&change.resource).and_then(|resource| approval::size(&resource.live)),
                reason: reason(change, line),
                expected: change.expected.clone(),
                risk: spec.risk,
                reversal: spec.reversal,
                cost_usd_cents_month: change.cost_usd_cents_month,
                rollout: change.rollout.clone(),
            })
        })
        .collect();
    if questions.is_empty() {
        return Err(StepError::Stale(format!(
            "iteration {} of {} has nothing to ask",
            run.iteration, run.execution_id
        )));
    }
    let mut findings = decided.analysis.findings;
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.confidence.total_cmp(&a.confidence)));
    let asked_at = world.clock.now();
    let within = SignedDuration::from_secs(i64::from(app.approval.answer_within_s));
    Ok(Request {
        id: request_id(run),
        app: run.app.clone(),
        execution: run.execution_id.clone(),
        execution_arn: run.execution_arn.clone(),
        place: run.lives_in(),
        endpoints: run.endpoints.clone(),
        cycle: run.cycle,
        iteration: run.iteration,
        evidence: findings.iter().take(EVIDENCE_MAX).map(|finding| line(&finding.summary)).collect(),
        score: decided.analysis.score.known().copied(),
        questions,
        asked_at,
        expires_at: asked_at.checked_add(within).unwrap_or(Timestamp::MAX),
        state: RequestState::Open,
        answer: None,
    })
}

/// Why it is to be made; and, where somebody has had the same rolled back, that it was.
fn reason(change: &Change, line: &ChangeReport) -> String {
    let rolled_back = line.refusals().find(|refusal| matches!(refusal, Refusal::RolledBack { .. }));
    rolled_back.map_or_else(|| change.reason.clone(), |refusal| format!("{}; {refusal}", change.reason))
}

/// The question as a message that reads well on a phone.
fn message(request: &Request, link: &str) -> Message {
    Message {
        kind: QUESTION.to_owned(),
        severity: Severity::High,
        subject: subject(&format!("[maintainer] {}: may I change {}?", request.app, in_brief(request))),
        text: text(request, link),
        detail: json!({
            "version": 1, "app": request.app, "execution_id": request.execution, "execution_arn": request.execution_arn,
            "request_id": request.id, "score": request.score, "evidence": request.evidence,
            "place": request.place, "endpoints": request.endpoints,
            "asked_at": request.asked_at, "expires_at": request.expires_at, "text": chat(&text(request, link)),
            "changes": request.questions.iter().map(|question| json!({
                "change_id": question.change, "what": line(&question.in_words()), "before": question.before,
                "reason": line(&question.reason), "risk": question.risk, "reversal": question.reversal,
            })).collect::<Vec<_>>(),
        }),
    }
}

fn in_brief(request: &Request) -> String {
    match request.questions.as_slice() {
        [one] => line(one.resource.as_str().rsplit('/').next().unwrap_or_default()),
        several => format!("{} things", several.len()),
    }
}

fn text(request: &Request, link: &str) -> String {
    let mut text = String::new();
    let why = match (about(request.cycle), request.score) {
        (Some(about), _) => about.to_owned(),
        (None, Some(score)) => format!("health is {score:.1} of 10"),
        (None, None) => "health can't be measured".to_owned(),
    };
    push(&mut text, format_args!("{}: {why}. I would like to:\n", request.app));
    for question in &request.questions {
        let before = question.before.as_ref().map(|before| format!(" (now {})", line(before))).unwrap_or_default();
        push(&mut text, format_args!("\n- {}{before}\n", line(&question.in_words())));
        push(&mut text, format_args!("  because {}\n", line(&question.reason)));
        push(&mut text, format_args!("  expected: {}\n", expected(question)));
        push(&mut text, format_args!("  risk {}, {}\n", question.risk, way_back(question.reversal)));
    }
    if !request.evidence.is_empty() {
        push(&mut text, format_args!("\n{}:\n", title(request.cycle)));
        for finding in &request.evidence {
            push(&mut text, format_args!("- {finding}\n"));
        }
    }
    push(&mut text, format_args!("\nYes or no, until {:.0} (no answer means no):\n{link}\n", request.expires_at));
    text
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _always_ok = text.write_fmt(arguments);
}

/// What should become better, in words: `CPU from 91.0 to 60.0 %`.
pub fn expected(question: &Question) -> String {
    let expected = &question.expected;
    let (title, before, after) = levels(expected.signal.as_str(), expected.before, expected.after);
    line(&format!("{title} from {before} to {after}"))
}

/// How a change goes back, in words.
pub fn way_back(reversal: Reversal) -> &'static str {
    match reversal {
        Reversal::Undoable => "is measured and undone if it does not help",
        Reversal::SelfRestoring => "can't be undone, but comes back to the same state by itself",
        Reversal::Irreversible => "can't be undone",
    }
}
