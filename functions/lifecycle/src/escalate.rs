//! escalate: tells a person and the other agents, once the run can't help or has failed.
//!
//! The message carries what is wrong, what was tried and measured, what was undone and what to look at next. Telling
//! twice is better than not at all, so a repeated step tells again.

use crate::story::{Facts, Part, Unread, changes_detail, findings_detail, tell};
use domain::cost::rest::place_of;
use domain::execution::{ExecutionRecord, Status, Workflow};
use domain::finding::{Finding, Severity};
use domain::guard::Refusal;
use domain::health::Decided;
use domain::observed::Observed;
use domain::plan::{OUT_OF_REACH, Plan};
use domain::text::{chat, line, subject};
use engine::act::{ChangeReport, Report};
use engine::documents;
use engine::ports::{Artifacts, Entry, Executions, Journal, Message, Notifier, PortResult};
use engine::run::{Decision, Run};
use engine::settle::{self, Settled, Settlement};
use engine::step::StepError;
use serde_json::json;

/// `detail-type` of an escalation on the event bus.
pub const ESCALATION: &str = "Maintainer Escalation";

/// What escalate needs of the world.
pub struct World<'a> {
    /// Records.
    pub executions: &'a dyn Executions,
    /// Changes.
    pub journal: &'a dyn Journal,
    /// Analyses.
    pub artifacts: &'a dyn Artifacts,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
}

/// Tells people about a run; of the rest of another place only the survey tells.
///
/// # Errors
/// When the notification itself fails; everything else that can't be read is called not known, never a reason for silence.
pub async fn escalate(mut run: Run, world: &World<'_>) -> Result<Run, StepError> {
    // Of all other places the survey tells at once, so that two hundred accounts are one message.
    let is_of_survey = place_of(&run.app).is_some();
    let failure = run.error.as_ref().map(|caught| match line(&caught.sentence()) {
        why if is_of_survey => why,
        why => format!("The maintainer's own run failed ({}): {why}", caught.name),
    });
    let reason = failure.clone().or_else(|| run.conclusion.clone()).unwrap_or_else(|| "A person must look.".to_owned());
    let record = world.executions.read(&run.execution_id).await.ok().flatten();
    let told = match &record {
        Some(record) => message(&run, record, &reason, world).await,
        None => bare(&run, &reason),
    };
    if !is_of_survey {
        world.notifier.notify(&told).await?;
    }
    run.conclusion = Some(reason);
    run.decision = Decision::Escalate;
    Ok(run)
}

/// The message when even the record can't be read.
fn bare(run: &Run, reason: &str) -> Message {
    let text = format!("{}\n\nThe record of run {} can't be read.\n", line(reason), run.execution_id);
    Message {
        kind: ESCALATION.to_owned(),
        severity: Severity::Critical,
        subject: subject(&format!("[maintainer] {} needs a person", run.app)),
        detail: json!({
            "version": 1, "app": run.app, "execution_id": run.execution_id, "reason": reason, "text": chat(&text),
        }),
        text,
    }
}

async fn message(run: &Run, record: &ExecutionRecord, reason: &str, world: &World<'_>) -> Message {
    let mut unread = Unread::default();
    let changes = unread.or_note(Part::Changes, changes_of(run, record, world.journal).await);
    let decided: Option<Decided> =
        unread.or_note(Part::Findings, documents::get(world.artifacts, &run.key("analysis")).await);
    let (findings, unmeasured, not_done, analyzed) = decided.map_or_else(
        || (Vec::new(), Vec::new(), Vec::new(), None),
        |decided| {
            let mut findings = decided.analysis.findings;
            findings.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.confidence.total_cmp(&a.confidence)));
            (findings, decided.analysis.unmeasured, not_done(&decided.plan), Some(decided.analysis.score))
        },
    );
    // The run carries the score of its last measurement; the analysis may be older by one wait, and where the last
    // measurement failed an older score is no answer to "now".
    let lost = record.iterations.last().is_some_and(|last| last.measured_at.is_some() && last.score_after.is_none());
    let score = run.score.map(Observed::Known).or(analyzed.filter(|score| score.is_missing() || !lost));
    let held_back = unread.or_note(Part::HeldBack, held_back(run, world.artifacts).await);
    let facts = Facts {
        record,
        score: score.as_ref(),
        findings: &findings,
        unmeasured: &unmeasured,
        changes: &changes,
        held_back: &held_back,
        not_done: &not_done,
        unread: &unread,
        reason,
        run,
    };
    let severity = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::High).max(Severity::High);
    let text = tell(&facts);
    let mut detail = detail(run, record, reason, severity, &findings, &changes, score.as_ref());
    if let Some(fields) = detail.as_object_mut() {
        fields.insert("held_back".to_owned(), json!(held_back.iter().map(|what| line(what)).collect::<Vec<_>>()));
        fields.insert("unread".to_owned(), json!(unread.names()));
        fields.insert("text".to_owned(), json!(chat(&text)));
    }
    Message {
        kind: ESCALATION.to_owned(),
        severity,
        subject: subject(&format!("[maintainer] {} needs a person: {}", run.app, headline(score.as_ref(), record))),
        text,
        detail,
    }
}

/// What was considered and not planned, in words, each reason once. What no cycle can do stands among the next steps.
fn not_done(plan: &Plan) -> Vec<String> {
    let mut reasons: Vec<&str> = Vec::new();
    let in_reach = plan.passed_over.iter().filter(|passed| passed.remedy != OUT_OF_REACH);
    let once = in_reach.filter(|passed| {
        let is_new = !reasons.contains(&passed.reason.as_str());
        reasons.push(&passed.reason);
        is_new
    });
    once.map(|passed| format!("{}: {}", passed.remedy, passed.reason)).collect()
}

/// What guards have refused in the last iteration, in words: changes, and what was ordered back. Where there are no reports
/// there is nothing to say.
async fn held_back(run: &Run, artifacts: &dyn Artifacts) -> Result<Vec<String>, StepError> {
    let report: Option<Report> = documents::get(artifacts, &run.key("actions")).await?;
    let said = |(change, refusal): (&ChangeReport, &Refusal)| format!("{}: {refusal}", change.action);
    let undone: Option<Settlement> = documents::get(artifacts, &run.key("undone")).await?;
    let kept = |(line, refusal): (&Settled, &Refusal)| {
        format!("undo of \"{}\" (back to {}): {refusal}", line.what, line.before)
    };
    let changes = report.iter().flat_map(Report::refused).map(said);
    Ok(changes.chain(undone.iter().flat_map(Settlement::refused).map(kept)).collect())
}

/// Changes of this run and those that it took over, oldest first.
async fn changes_of(run: &Run, record: &ExecutionRecord, journal: &dyn Journal) -> PortResult<Vec<Entry>> {
    let entries = journal.since(&run.app, settle::look_back(record.started_at)).await?;
    Ok(entries.into_iter().filter(|entry| entry.concerns(&run.execution_id)).collect())
}

fn headline(score: Option<&Observed<f64>>, record: &ExecutionRecord) -> String {
    if record.workflow_type == Workflow::Rollback {
        return "not everything could be undone".to_owned();
    }
    let iterations = record.iterations.len();
    if record.workflow_type == Workflow::Cost {
        let undone: u32 = record.iterations.iter().map(|iteration| iteration.undone).sum();
        return if undone > 0 { "a saving was taken back".to_owned() } else { "savings wait".to_owned() };
    }
    if record.workflow_type == Workflow::Performance {
        return "its database queries are not as fast as they should be".to_owned();
    }
    match score.and_then(Observed::known) {
        Some(score) => format!("health {score:.1} of 10 after {iterations} iteration(s)"),
        None => "its health can't be measured".to_owned(),
    }
}

/// Body of the event, documented in `docs/events.md`.
fn detail(
    run: &Run,
    record: &ExecutionRecord,
    reason: &str,
    severity: Severity,
    findings: &[Finding],
    changes: &[Entry],
    score: Option<&Observed<f64>>,
) -> serde_json::Value {
    json!({
        "version": 1,
        "app": run.app,
        "cycle": run.cycle,
        "execution_id": run.execution_id,
        "execution_arn": run.execution_arn,
        "severity": severity,
        "reason": line(reason),
        "failed": record.status == Status::Failed || run.error.is_some(),
        "score": score.and_then(Observed::known),
        "iterations": record.iterations.len(),
        "findings": findings_detail(findings),
        "changes": changes_detail(changes),
        "place": run.lives_in(),
        "endpoints": run.endpoints,
    })
}
